"""The mean of a mix of layers from the means of the layers, which are computed once for a frozen biLM."""

from typing import cast

from torch import Tensor, nn

from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.errors import ConfigurationError


class MixOfMeans(nn.Module):
    """The vector `default` of `ElmoSentenceLayer` from each layer's mean over a sentence's tokens.

    A mix is a weighted sum, so it may be taken before the mean over tokens or after it. Only the scalars of the mix
    learn, so an epoch over stored means costs nothing (`embedder.embed_layer_means` stores them).

    Args:
        num_layers: layers of the biLM, the token vectors included.
        scalar_mix: one that is there already, e.g. that of an `ElmoSentenceLayer`, which is shared then.
    """

    def __init__(self, num_layers: int, scalar_mix: ScalarMix | None = None) -> None:
        super().__init__()
        self.scalar_mix = scalar_mix or ScalarMix(num_layers)

    def forward(self, means: Tensor) -> Tensor:
        """Mix.

        Args:
            means: (batch_size, num_layers, dim) float; half precision is taken as float32.

        Returns:
            (batch_size, dim) float.

        Raises:
            ConfigurationError: another number of layers or axes.
        """
        if means.ndim != 3:
            raise ConfigurationError(
                f"means have the axes (batch_size, num_layers, dim), got {tuple(means.shape)}; keep all layers"
            )
        mixed = self.scalar_mix(means.to(self.scalar_mix.gamma.dtype).unbind(dim=1))
        return cast(Tensor, mixed)
