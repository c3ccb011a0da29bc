"""Each distinct token of a batch once."""

import pytest
import torch

from originals import committed_texts
from pytorch_elmo.elmo.token_table import TokenTable, distinct_tokens, is_padded_right
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.mask import add_sentence_boundaries
from pytorch_elmo.text import batch_to_ids
from random_models import random_ids


def test_distinct_rows_and_where_they_stand(small_model):
    ids = batch_to_ids([["sea", "the", "sea"], ["the"], []])
    tokens = distinct_tokens(small_model, ids)
    bounded, mask = add_sentence_boundaries(ids, *small_model.boundaries)
    assert len(tokens.rows) == 5  # sea, the, both boundaries, padding
    assert torch.equal(tokens.rows[tokens.places], bounded)
    assert torch.equal(tokens.mask, mask)


@pytest.mark.parametrize("batch", committed_texts()["batches"])
def test_embeddings_of_distinct_tokens_are_those_of_all(small_model, batch):
    ids = batch_to_ids(committed_texts()["batches"][batch])
    tokens = distinct_tokens(small_model, ids)
    table = TokenTable(small_model.character_encoder.encode_words(tokens.rows), tokens.places, tokens.mask)
    bounded, _ = add_sentence_boundaries(ids, *small_model.boundaries)
    torch.testing.assert_close(table.token_embeddings, small_model.character_encoder(bounded), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 0, 50), (0, 3, 50), (2, 0, 50)])
def test_no_tokens(small_model, shape):
    tokens = distinct_tokens(small_model, torch.zeros(shape, dtype=torch.int64))
    assert tokens.places.shape == tokens.mask.shape == (shape[0], shape[1] + 2)
    assert tokens.mask.sum() == 2 * shape[0]


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.uint8])
def test_any_whole_numbers_are_ids(small_model, dtype):
    ids = random_ids([3, 1]).clamp(max=255)
    tokens = distinct_tokens(small_model, ids.to(dtype))
    assert tokens.rows.dtype == torch.int64
    assert all(map(torch.equal, tokens, distinct_tokens(small_model, ids)))


def test_ids_that_are_no_whole_numbers(small_model):
    with pytest.raises(
        ConfigurationError, match=r"whole numbers, 50 a token, got torch.float32 .* with batch_to_ids"
    ):
        distinct_tokens(small_model, random_ids([2]).float())


def test_ids_of_another_width(small_model):
    with pytest.raises(ConfigurationError, match=r"50 a token, got torch.int64 of shape \(1, 2, 40\); make them"):
        distinct_tokens(small_model, random_ids([2])[..., :40])


@pytest.mark.parametrize("wrong", [262, 5000, -1])
def test_ids_beyond_the_table(small_model, wrong):
    ids = random_ids([2])
    ids[0, 0, 2] = wrong
    with pytest.raises(ConfigurationError, match=rf"character ids are 0 to 261, got .*{wrong}\b.*; make them with"):
        distinct_tokens(small_model, ids)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1, 1, 0]], True),
        ([[1, 1, 1], [0, 0, 0]], True),
        ([[1, 0, 1]], False),
        ([[1, 1, 1], [0, 1, 1]], False),
        ([[]], True),
    ],
)
def test_padding_on_the_right(rows, expected):
    assert is_padded_right(torch.tensor(rows, dtype=torch.bool)) is expected
