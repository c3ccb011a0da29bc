"""Swivel's loss: by hand, and against the paper's sums cell by cell."""

from math import e, log

import numpy as np
import pytest
import torch

from pytorch_elmo.static_training.config import SwivelConfig
from pytorch_elmo.static_training.objective import Objective
from reference.swivel import reference_loss

ALL = slice(None)


def evaluate(rows, columns, counts, *, sums=None, blocks=(ALL, ALL), config=None):
    """The loss in double precision of a submatrix given as a square of numbers."""
    matrix = torch.as_tensor(counts, dtype=torch.float64)
    objective = Objective(matrix.sum(dim=1) if sums is None else torch.from_numpy(sums), config or SwivelConfig())
    positions = matrix.flatten().nonzero().squeeze(1)
    tables = (torch.as_tensor(table, dtype=torch.float64) for table in (rows, columns))
    return objective.evaluate(*tables, blocks, positions, matrix.flatten()[positions])


def test_two_words_by_hand():
    """Sums 4 and 5, total 9; products ½, -1, 1, -2; pmi* of the first log 9/16, pmis log 9/5 and log 9/25."""
    by_hand = (
        log(1 + e**0.5 * 16 / 9)
        + (0.1 + 0.25 * 2) / 2 * (-1 - log(9 / 5)) ** 2
        + (0.1 + 0.25 * 2) / 2 * (1 - log(9 / 5)) ** 2
        + (0.1 + 0.25 * 1) / 2 * (-2 - log(9 / 25)) ** 2
    )
    assert evaluate([[1.0], [2.0]], [[0.5], [-1.0]], [[0, 4], [4, 1]]).loss == pytest.approx(by_hand, rel=1e-14)
    assert by_hand == pytest.approx(2.3437, abs=5e-5)


def random_submatrix(generator, num_rows, num_columns, dim):
    counts = generator.exponential(5, (num_rows, num_columns)) * (generator.random((num_rows, num_columns)) < 0.4)
    return generator.normal(size=(num_rows, dim)), generator.normal(size=(num_columns, dim)), counts


def test_loss_and_gradient_are_the_papers_cell_by_cell():
    generator = np.random.default_rng(0)
    rows, columns, counts = random_submatrix(generator, 7, 5, 3)
    sums = generator.exponential(50, 12)
    sums[2] = 0  # as if it never stood beside another word
    blocks = (slice(0, 7), slice(7, 12))
    expected = reference_loss(rows, columns, counts, sums[:7], sums[7:], sums.sum())
    found = evaluate(rows, columns, counts, sums=sums, blocks=blocks)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_the_gradient_is_the_slope_of_the_loss():
    rows, columns, counts = random_submatrix(np.random.default_rng(1), 4, 4, 2)
    counts += counts.T
    found, step = evaluate(rows, columns, counts), 1e-6
    for table, gradient in ((rows, found.rows), (columns, found.columns)):
        for place in np.ndindex(table.shape):
            table[place] += step
            above = evaluate(rows, columns, counts).loss
            table[place] -= 2 * step
            below = evaluate(rows, columns, counts).loss
            table[place] += step
            assert (above - below) / (2 * step) == pytest.approx(gradient[place].item(), abs=1e-6)


def test_the_confidence_is_a_choice():
    rows, columns, counts = random_submatrix(np.random.default_rng(2), 3, 3, 2)
    config = SwivelConfig(confidence_base=0.5, confidence_scale=2.0, confidence_exponent=0.75)
    sums = counts.sum(axis=1)
    loss, *_ = reference_loss(rows, columns, counts, sums, sums, sums.sum(), base=0.5, scale=2.0, exponent=0.75)
    assert evaluate(rows, columns, counts, config=config).loss == pytest.approx(loss, rel=1e-12)
