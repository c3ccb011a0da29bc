"""Which layers a user gets: all of them, one, their mean, or a weighted sum."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError

Layers = str | int | Sequence[float]


class LayerChoice(Protocol):
    """How (num_layers, num_tokens, dim) becomes what is asked for."""

    description: str
    keeps_layers: bool

    def __call__(self, vectors: Tensor) -> Tensor:
        """(num_layers, num_tokens, dim) to the same, or to (num_tokens, dim)."""


class AllLayers:
    """Every layer, as it is."""

    description, keeps_layers = "all", True

    def __call__(self, vectors: Tensor) -> Tensor:
        """The vectors themselves."""
        return vectors


class OneLayer:
    """One layer, counted from 0, the token vectors."""

    keeps_layers = False

    def __init__(self, index: int, description: str) -> None:
        self.index, self.description = index, description

    def __call__(self, vectors: Tensor) -> Tensor:
        """(num_tokens, dim), in memory of its own, so that the other layers are not kept with it."""
        return vectors[self.index].clone()


class WeightedLayers:
    """A sum of all layers with the given weights."""

    keeps_layers = False

    def __init__(self, weights: Sequence[float], description: str) -> None:
        self.weights: NDArray[np.float32] = np.array(weights, dtype=np.float32)
        self.description = description

    def __call__(self, vectors: Tensor) -> Tensor:
        """(num_tokens, dim)."""
        return torch.einsum("k,ktd->td", torch.from_numpy(self.weights).to(vectors), vectors)


class MeanOfLayers:
    """The average of all layers."""

    description, keeps_layers = "average", False

    def __call__(self, vectors: Tensor) -> Tensor:
        """(num_tokens, dim)."""
        return vectors.mean(dim=0)


def choose_layers(layers: Layers, num_layers: int) -> LayerChoice:
    """The choice that a user names.

    Args:
        layers: `all`, `top`, `average` (as AllenNLP's command), a layer's number (negative: from the top), or one
            weight per layer.
        num_layers: layers of the biLM, the token vectors included.

    Raises:
        ConfigurationError: another word, a layer that is not there, or not one weight per layer.
    """
    if layers == "all":
        return AllLayers()
    if layers == "average":
        return MeanOfLayers()
    if layers == "top":
        return OneLayer(num_layers - 1, "top")
    if isinstance(layers, str):
        raise ConfigurationError(
            f"layers is all, top, average, a layer's number, or one weight per layer, got {layers!r}"
        )
    if isinstance(layers, int | np.integer):
        if not -num_layers <= layers < num_layers:
            raise ConfigurationError(f"layers are counted from 0 to {num_layers - 1}, got {layers}")
        return OneLayer(layers % num_layers, f"layer {layers % num_layers}")
    weights = [float(weight) for weight in layers]
    if len(weights) != num_layers:
        raise ConfigurationError(f"a mix needs one weight per layer ({num_layers}), got {len(weights)}: {weights}")
    return WeightedLayers(weights, f"mix {weights}")
