"""ELMo representations: mixes of the biLM's layers, with or without the sentence boundaries."""

from typing import NamedTuple

import numpy as np

from .bilm import Reading
from .model import Array, Mask
from .scalar_mix import scalar_mix, scalar_mix_with_layer_norm


class Mix(NamedTuple):
    """One task's mix: w (num_layers,) before the softmax, and gamma."""

    w: Array
    gamma: float


def remove_boundaries(vectors: Array, mask: Mask) -> tuple[Array, Mask]:
    """Drop the first and the last token of every row; two columns fewer, zero where no token is left."""
    batch_size, num_columns, size = vectors.shape
    inner = np.zeros((batch_size, num_columns - 2, size))
    inner_mask = np.zeros((batch_size, num_columns - 2), dtype=np.bool_)
    for row in range(batch_size):
        n = int(mask[row].sum()) - 2
        inner[row, :n] = vectors[row, 1 : n + 1]
        inner_mask[row, :n] = True
    return inner, inner_mask


def representation(
    reading: Reading, mix: Mix, *, layer_norm: bool = False, keep_sentence_boundaries: bool = False
) -> tuple[Array, Mask]:
    """One ELMo representation and its mask.

    Mixing comes first, so the statistics of `layer_norm` include the boundaries.
    Returns (batch_size, num_tokens, 2 P) and (batch_size, num_tokens), two columns more with the boundaries.
    """
    layers, mask = reading.layer_activations, reading.mask
    if layer_norm:
        vectors = scalar_mix_with_layer_norm(layers, mix.w, mix.gamma, mask)
    else:
        vectors = scalar_mix(layers, mix.w, mix.gamma)
    return (vectors, mask) if keep_sentence_boundaries else remove_boundaries(vectors, mask)
