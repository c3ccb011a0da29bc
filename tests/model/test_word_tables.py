"""The character encoder by table look-up."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import COMMITTED_MODELS, committed_texts, read_committed
from pytorch_elmo.model.packed_linear import available_packings
from pytorch_elmo.model.word_tables import WORDS_PER_BLOCK, WordTables
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.text.characters import words_to_ids
from random_models import CONFIGS, random_bilm, random_words

WORDS = st.lists(st.text(max_size=60), max_size=12)


def tables_of(bilm, packing="plain") -> WordTables:
    return WordTables(bilm.character_encoder, packing=packing, dtype=torch.float32)


def assert_near(ours, expected) -> None:
    assert ours.dtype == torch.float32
    assert ours.shape == expected.shape
    if ours.numel():
        assert float((ours - expected).abs().max()) <= 1e-5 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("packing", available_packings())
@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_words(name, packing):
    bilm = read_committed(name)
    for sentences in committed_texts()["batches"].values():
        ids = batch_to_ids(sentences).flatten(0, 1)  # padded positions are rows of zeros
        assert_near(tables_of(bilm, packing).encode(ids), bilm.character_encoder(ids))


@given(CONFIGS, WORDS)
def test_any_network_and_any_words(config, words):
    bilm = random_bilm(config, dtype=torch.float32)
    ids = torch.from_numpy(words_to_ids(words))
    assert_near(tables_of(bilm).encode(ids), bilm.character_encoder(ids).detach())


@given(WORDS, st.randoms(use_true_random=False))
def test_a_word_has_the_same_bits_in_any_company(words, random):
    tables = tables_of(read_committed("clipped"), available_packings()[0])
    ids = torch.from_numpy(words_to_ids(words))
    order = random.sample(range(len(words)), len(words))
    together = tables.encode(ids)
    assert torch.equal(tables.encode(ids[order]), together[order])
    for word, vector in zip(ids, together, strict=True):
        assert torch.equal(tables.encode(word[None])[0], vector)


def test_more_words_than_a_block():
    tables = tables_of(read_committed("clipped"), available_packings()[0])
    ids = random_words(2 * WORDS_PER_BLOCK + 7, torch.Generator().manual_seed(3))
    together = tables.encode(ids)
    assert torch.equal(tables.encode(ids[300:310]), together[300:310])


def test_no_words():
    assert tables_of(read_committed("clipped")).encode(torch.zeros(0, 50, dtype=torch.int64)).shape == (0, 5)
