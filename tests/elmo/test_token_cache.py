"""The words whose vectors are kept: which ones, and that nobody can tell from the vectors."""

from collections import OrderedDict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import read_committed
from pytorch_elmo.elmo.token_cache import TokenCache
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.text.characters import words_to_ids

ENGINE = InferenceBiLM(read_committed("clipped"))
WORDS = ["a", "sea", "storm", "café", "日本語", "", "<S>", "c" * 60, "harbour"]
CALLS = st.lists(st.lists(st.sampled_from(WORDS), unique=True, max_size=len(WORDS)), max_size=6)


class Counting:
    """An engine that notes which words it was asked to encode."""

    device, config = ENGINE.device, ENGINE.config

    def __init__(self):
        self.encoded = []

    def encode_words(self, character_ids):
        self.encoded.append(len(character_ids))
        return ENGINE.encode_words(character_ids)


@given(CALLS, st.integers(0, 12))
def test_the_same_bits_whatever_is_kept(calls, capacity):
    cache = TokenCache(ENGINE, capacity=capacity)
    for words in calls:
        vectors = cache.vectors(words)
        assert vectors.dtype == torch.float32
        assert torch.equal(vectors, ENGINE.encode_words(torch.from_numpy(words_to_ids(words))))
        assert len(cache) <= capacity


@given(CALLS, st.integers(0, 6))
def test_the_least_recently_used_words_leave(calls, capacity):
    """Held to the plainest cache there is: of one call's new words the first ones are kept."""
    cache, kept = TokenCache(ENGINE, capacity=capacity), OrderedDict()
    for words in calls:
        cache.vectors(words)
        new = [word for word in words if word not in kept]
        for word in words:
            if word in kept:
                kept.move_to_end(word)
        for word in new[:capacity]:
            if len(kept) == capacity:
                kept.popitem(last=False)
            kept[word] = None
        assert list(cache._slots) == list(kept)


def test_a_word_is_encoded_once():
    engine = Counting()
    cache = TokenCache(engine, capacity=3)
    first = cache.vectors(["a", "sea"])
    assert torch.equal(cache.vectors(["sea", "a"]), first.flip(0))
    cache.vectors(["a", "storm", "sea"])
    assert engine.encoded == [2, 1]
    assert len(cache) == 3


def test_a_full_cache_forgets_the_oldest_word():
    engine = Counting()
    cache = TokenCache(engine, capacity=2)
    cache.vectors(["a"])
    cache.vectors(["sea"])
    cache.vectors(["a"])
    cache.vectors(["storm"])  # sea leaves
    cache.vectors(["a"])
    assert engine.encoded == [1, 1, 1]
    cache.vectors(["sea"])
    assert engine.encoded == [1, 1, 1, 1]


@pytest.mark.parametrize("capacity", [0, 1])
def test_hardly_any_room(capacity):
    engine = Counting()
    cache = TokenCache(engine, capacity=capacity)
    for _ in range(2):
        cache.vectors(["a", "sea"])
    assert engine.encoded == [2, 2 - capacity]
    assert len(cache) == capacity


def test_no_words():
    vectors = TokenCache(ENGINE).vectors([])
    assert vectors.shape == (0, ENGINE.config.lstm.projection_size)


def test_the_table_grows_with_the_words_and_not_beyond_the_capacity():
    cache = TokenCache(ENGINE, capacity=5)
    sizes = []
    for word in WORDS[:7]:
        cache.vectors([word])
        sizes.append(len(cache._table))
    assert sizes[0] == 1
    assert sizes == sorted(sizes)
    assert sizes[-1] == 5


def test_less_than_no_room_is_refused():
    with pytest.raises(ConfigurationError, match="the word cache holds 0 words or more, got -1"):
        TokenCache(ENGINE, capacity=-1)
