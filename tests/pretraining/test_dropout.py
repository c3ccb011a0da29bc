"""Dropout that is a function of the seed and the place."""

import pytest
import torch

from pytorch_elmo.pretraining.dropout import Dropout

ONES = torch.ones(50, 8, 250)


def test_it_zeroes_its_share_and_keeps_the_mean():
    dropped = Dropout(0.25, seed=0)(ONES.double(), 0)
    assert set(dropped.unique().tolist()) == {0.0, 1.0 / 0.75}
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)


def test_no_share_is_no_change():
    assert Dropout(0.0, seed=0)(ONES, 0) is ONES


def test_masks_differ_from_layer_to_layer_direction_window_and_seed():
    dropout = Dropout(0.5, seed=0)
    masks = [dropout(ONES, 0), dropout(ONES, 0), dropout(ONES, 1), Dropout(0.5, seed=1)(ONES, 0)]
    dropout.begin(1)
    masks.append(dropout(ONES, 0))
    assert len({tuple(mask.flatten().tolist()) for mask in masks}) == 5


def test_a_window_s_masks_depend_on_its_number_alone():
    dropout, other = Dropout(0.5, seed=3), Dropout(0.5, seed=3)
    for window in range(3):
        dropout.begin(window)
        dropout(ONES, 0)
    other.begin(2)
    dropout.begin(2)
    assert torch.equal(dropout(ONES, 1), other(ONES, 1))


def test_processes_draw_the_masks_of_one():
    together = Dropout(0.5, seed=0)(ONES, 0)
    parts = [Dropout(0.5, seed=0, num_rows=8, rows=rows)(ONES[:, rows], 0) for rows in (slice(0, 4), slice(4, 8))]
    assert torch.equal(torch.cat(parts, dim=1), together)
