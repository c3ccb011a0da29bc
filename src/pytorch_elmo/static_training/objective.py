"""The loss of one submatrix (Shazeer et al. 2016, sections 3.1 and 3.2) and its gradient."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from pytorch_elmo.static_training.config import SwivelConfig


class Result(NamedTuple):
    """The loss of a submatrix, and its gradient by the vectors of the rows and of the columns."""

    loss: float
    rows: Tensor
    columns: Tensor


class Objective:
    """Swivel's loss over submatrices of one matrix of counts.

    A pair that was seen costs ½ f(x) (w·c − pmi)², f(x) = base + scale · x^exponent; one that was not costs
    log(1 + exp(w·c − pmi*)), pmi* being its pmi had it been seen once. pmi = log(x · total / (row sum · column sum)).
    The loss of a submatrix is the sum over its cells.

    Args:
        sums: the sum of each word's counts, (num_words,), on the device of the vectors and in their precision; a
            word without any counts as having one neighbour.
        config: has the weights of the confidence f.
    """

    def __init__(self, sums: Tensor, config: SwivelConfig) -> None:
        self._logs = sums.clamp(min=1.0).log()
        self._log_total = math.log(sums.double().sum().item())
        self._config = config

    @torch.no_grad()
    def evaluate(
        self, rows: Tensor, columns: Tensor, blocks: tuple[slice, slice], positions: Tensor, counts: Tensor
    ) -> Result:
        """Loss and gradient of a submatrix; the gradient is written out, since automatic it takes twice the memory.

        Args:
            rows: vectors of the row words, (num_rows, dim).
            columns: vectors of the column words, (num_columns, dim).
            blocks: which words these are.
            positions: of the cells seen, row · num_columns + column; (num_cells,) int64.
            counts: (num_cells,), all above 0.
        """
        row_logs, column_logs = (self._logs[words, None] for words in blocks)
        # One product gives w·c − pmi* = w·c + log(row sum) + log(column sum) − log(total).
        ones = torch.ones_like
        left = torch.cat([rows, row_logs - self._log_total, ones(row_logs)], dim=1)
        right = torch.cat([columns, ones(column_logs), column_logs], dim=1)
        surplus = left @ right.T
        seen = surplus.view(-1)[positions]
        errors = seen - counts.log()
        config = self._config
        confidence = config.confidence_base + config.confidence_scale * counts**config.confidence_exponent
        loss = F.softplus(surplus).sum() - F.softplus(seen).sum() + (confidence * errors**2).sum() / 2
        slopes = surplus.sigmoid_()
        slopes.view(-1)[positions] = confidence * errors
        return Result(loss.item(), slopes @ columns, slopes.T @ rows)
