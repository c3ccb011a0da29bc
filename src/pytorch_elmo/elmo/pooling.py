"""One vector per sentence from its token vectors."""

from collections.abc import Callable

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError

Pooling = Callable[[Tensor, Tensor], Tensor]


def mean_over_tokens(vectors: Tensor, mask: Tensor) -> Tensor:
    """Mean of the real tokens; zeros for an empty sentence.

    Args:
        vectors: (batch_size, num_tokens, dim) float.
        mask: (batch_size, num_tokens) bool.

    Returns:
        (batch_size, dim) float.
    """
    visible = mask.unsqueeze(-1).to(vectors.dtype)
    return (vectors * visible).sum(dim=1) / visible.sum(dim=1).clamp(min=1.0)


def max_over_tokens(vectors: Tensor, mask: Tensor) -> Tensor:
    """Largest value of each dimension over the real tokens; zeros for an empty sentence. Shapes as above."""
    if not vectors.shape[1]:
        return vectors.new_zeros(vectors.shape[0], vectors.shape[2])
    lowest = vectors.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(dim=1)
    return torch.where(mask.any(dim=1, keepdim=True), lowest, 0.0)


def first_last_tokens(vectors: Tensor, mask: Tensor) -> Tensor:
    """The forward half at the last token beside the backward half at the first: each has read the whole sentence.

    Shapes as above; zeros for an empty sentence.
    """
    if not vectors.shape[1]:
        return vectors.new_zeros(vectors.shape[0], vectors.shape[2])
    lengths = mask.sum(dim=1)
    rows = torch.arange(len(vectors), device=vectors.device)
    size = vectors.shape[-1] // 2
    ends = torch.cat([vectors[rows, (lengths - 1).clamp(min=0), :size], vectors[:, 0, size:]], dim=-1)
    return torch.where(lengths.unsqueeze(-1) > 0, ends, 0.0)


POOLINGS: dict[str, Pooling] = {"mean": mean_over_tokens, "max": max_over_tokens, "first-last": first_last_tokens}


def pooling_by_name(name: str) -> Pooling:
    """The function called `name`.

    Raises:
        ConfigurationError: no pooling has this name.
    """
    if name not in POOLINGS:
        raise ConfigurationError(f"pooling is one of {', '.join(POOLINGS)}, got {name!r}")
    return POOLINGS[name]
