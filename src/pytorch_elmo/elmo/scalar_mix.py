"""One vector per token out of several layers (Peters et al. 2018, equation 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pytorch_elmo.errors import ConfigurationError


class ScalarMix(nn.Module):
    """`gamma * sum_k softmax(scalar_parameters)_k * tensor_k`, as AllenNLP's class of this name.

    With `do_layer_norm` each layer is first normalised by one mean and one variance over all its unmasked values
    in the batch, so that a sentence's vectors then depend on the batch around it.

    Args:
        mixture_size: number of layers.
        do_layer_norm: normalise the layers.
        initial_scalar_parameters: one number per layer before the softmax; zeros, the plain average, if None.
        trainable: whether the scalars and gamma are learned.

    Raises:
        ConfigurationError: not one initial number per layer.
    """

    def __init__(
        self,
        mixture_size: int,
        do_layer_norm: bool = False,
        initial_scalar_parameters: Sequence[float] | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__()
        initial = [0.0] * mixture_size if initial_scalar_parameters is None else list(initial_scalar_parameters)
        if len(initial) != mixture_size:
            raise ConfigurationError(
                f"initial_scalar_parameters needs one number per layer ({mixture_size}), got {len(initial)}: "
                f"{initial}; leave it out to start from zeros"
            )
        self.mixture_size = mixture_size
        self.do_layer_norm = do_layer_norm
        self.scalar_parameters = nn.ParameterList(
            nn.Parameter(torch.tensor([value], dtype=torch.get_default_dtype()), requires_grad=trainable)
            for value in initial
        )
        self.gamma = nn.Parameter(torch.ones(1), requires_grad=trainable)

    @property
    def weights(self) -> Tensor:
        """The normalised layer weights, (mixture_size,) float."""
        return torch.softmax(torch.cat(list(self.scalar_parameters)), dim=0)

    def forward(self, tensors: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
        """Mix layers.

        Args:
            tensors: `mixture_size` tensors of one shape (batch_size, num_tokens, dim).
            mask: (batch_size, num_tokens) bool, needed for layer norm alone.

        Returns:
            (batch_size, num_tokens, dim) float.

        Raises:
            ConfigurationError: another number of tensors, or layer norm without a mask.
        """
        if len(tensors) != self.mixture_size:
            raise ConfigurationError(
                f"this mix takes {self.mixture_size} layers, got {len(tensors)}; build it for as many as the biLM has"
            )
        if self.do_layer_norm:
            if mask is None:
                raise ConfigurationError("layer norm leaves padding out and needs a mask, got None; pass mask=")
            tensors = [layer_norm(tensor, mask) for tensor in tensors]
        mixed = torch.zeros_like(tensors[0])
        for weight, tensor in zip(self.weights, tensors, strict=True):
            mixed = mixed + weight * tensor
        return self.gamma * mixed


def layer_norm(tensor: Tensor, mask: Tensor) -> Tensor:
    """Normalise by the mean and the biased variance of all unmasked values; padded positions become non-zero."""
    tiny = 1e-4 if tensor.dtype == torch.float16 else 1e-13
    visible = mask.unsqueeze(-1).to(tensor.dtype)
    count = visible.sum() * tensor.shape[-1]
    mean = (tensor * visible).sum() / count
    variance = (((tensor - mean) * visible) ** 2).sum() / count
    return (tensor - mean) / torch.sqrt(variance + tiny)
