"""Gradients that are added up by hand, dense or of some rows."""

from collections.abc import Sequence

import torch
from torch import Tensor


def accumulate(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    """Add gradients to what the parameters hold already."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)


def accumulate_rows(parameters: Sequence[Tensor], rows: Tensor, gradients: Sequence[Tensor], *, sparse: bool) -> None:
    """As `accumulate`, from the gradients of some rows, the others' being zero.

    Args:
        parameters: (vocabulary_size, ...) each.
        rows: (num_rows,) int64, rising.
        gradients: (num_rows, ...), one for each parameter.
        sparse: whether the sum is a sparse tensor: of an output layer of a million words, a step touches some
            thousands.
    """
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if sparse:
            part = torch.sparse_coo_tensor(
                rows.unsqueeze(0), gradient, parameter.shape, is_coalesced=True, check_invariants=False
            )
            parameter.grad = part if parameter.grad is None else (parameter.grad + part).coalesce()
        else:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.index_add_(0, rows, gradient)


@torch.no_grad()
def clip_norm(parameters: Sequence[Tensor], bound: float) -> float:
    """Scale all gradients so that their common norm is at most `bound`.

    Returns:
        The norm before.
    """
    values = [p.grad._values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
    norm = float(torch.stack([value.norm() for value in values]).norm())
    if norm > bound:
        for value in values:
            value.mul_(bound / norm)
    return norm
