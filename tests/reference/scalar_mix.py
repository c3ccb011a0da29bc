"""ELMo = gamma * sum_j s_j h_j, s = softmax(w) (Peters et al. 2018, equation 1)."""

import numpy as np

from .model import Array, Mask

EPSILON = 1e-13  # inside the root, as AllenNLP 2.10 has it


def scalar_mix(layers: Array, w: Array, gamma: float) -> Array:
    """Layers (num_layers, ...) with weights w (num_layers,) before the softmax, to one array (...)."""
    shares = np.exp(w - w.max())
    shares = shares / shares.sum()
    mixed = np.zeros_like(layers[0])
    for s, h in zip(shares, layers, strict=True):
        mixed = mixed + s * h
    return np.asarray(gamma * mixed)


def layer_norm(h: Array, mask: Mask) -> Array:
    """One mean and one variance over all values of the batch where the mask is True; no gain, no bias."""
    values = h[mask]
    mean = values.sum() / values.size
    variance = ((values - mean) ** 2).sum() / values.size
    return np.asarray((h - mean) / np.sqrt(variance + EPSILON))


def scalar_mix_with_layer_norm(layers: Array, w: Array, gamma: float, mask: Mask) -> Array:
    """`scalar_mix` of layers normalised one by one; positions outside the mask are shifted too, not zero."""
    return scalar_mix(np.stack([layer_norm(h, mask) for h in layers]), w, gamma)
