"""Padding and sentence boundaries."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.model.mask import add_sentence_boundaries, remove_sentence_boundaries, token_mask
from random_models import random_ids

BEGIN, END = torch.full((50,), 7), torch.full((50,), 8)
LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=4)


def test_one_character_makes_a_token():
    ids = torch.zeros(1, 3, 50, dtype=torch.int64)
    ids[0, 1, 49] = 261
    assert token_mask(ids).tolist() == [[False, True, False]]


@given(LENGTHS)
def test_the_mask_counts_tokens(lengths):
    mask = token_mask(random_ids(lengths))
    assert mask.dtype == torch.bool
    assert mask.shape == (len(lengths), max(lengths))
    assert mask.sum(dim=1).tolist() == lengths


@given(LENGTHS, st.integers(0, 3))
def test_boundaries_stand_around_the_tokens_of_each_row(lengths, padding):
    ids = torch.nn.functional.pad(random_ids(lengths), (0, 0, 0, padding))
    bounded, mask = add_sentence_boundaries(ids, BEGIN, END)
    assert bounded.shape == (len(lengths), max(lengths) + padding + 2, 50)
    assert torch.equal(mask, token_mask(bounded))
    for row, length in enumerate(lengths):
        assert torch.equal(bounded[row, 0], BEGIN)
        assert torch.equal(bounded[row, 1 : length + 1], ids[row, :length])
        assert torch.equal(bounded[row, length + 1], END)
        assert not bounded[row, length + 2 :].any()


@given(LENGTHS)
def test_removing_boundaries_undoes_adding_them(lengths):
    ids = random_ids(lengths)
    bounded, mask = add_sentence_boundaries(ids, BEGIN, END)
    inner, inner_mask = remove_sentence_boundaries(bounded, mask)
    assert torch.equal(inner, ids)
    assert torch.equal(inner_mask, token_mask(ids))


def test_padded_positions_become_zero():
    vectors = torch.ones(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    inner, inner_mask = remove_sentence_boundaries(vectors, mask)
    assert inner_mask.tolist() == [[True] * 3, [False] * 3]
    assert inner[0].eq(1).all()
    assert not inner[1].any()
