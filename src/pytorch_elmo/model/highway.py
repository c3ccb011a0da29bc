"""Highway layers (Srivastava et al. 2015)."""

import torch
from torch import Tensor, nn


class Highway(nn.Module):
    """`y = g * x + (1 - g) * relu(transform(x))`, several times over.

    Each layer is one linear map to twice the width: the first half is the transform, the second the gate `g` of
    the carried input. The attribute `_layers` is AllenNLP's name, so that its state_dicts load.
    """

    def __init__(self, size: int, num_layers: int) -> None:
        super().__init__()
        self._layers = nn.ModuleList(nn.Linear(size, 2 * size) for _ in range(num_layers))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (..., size) float to the same shape."""
        for layer in self._layers:
            transformed, gate = layer(inputs).chunk(2, dim=-1)
            inputs = torch.lerp(torch.relu(transformed), inputs, torch.sigmoid(gate))
        return inputs
