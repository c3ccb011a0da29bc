"""Tokens between the spaces of a text, and their places in a vocabulary, against Python's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.text import token_index
from pytorch_elmo.text.token_index import TokenIndex, bounds_at_spaces, spellings, tokens_between

TOKENS = st.text(st.sampled_from("aé\0\n\x1f🙂"), max_size=3)


@given(st.lists(TOKENS))
def test_tokens_are_what_python_splits(tokens):
    text = " ".join(["", *tokens, ""]).encode()
    assert spellings(tokens_between(text, bounds_at_spaces(text))) == text.split(b" ")[1:-1]


@pytest.mark.parametrize("words_per_token", [0, 10**9])
@given(st.lists(TOKENS), st.lists(TOKENS, unique=True))
def test_both_ways_to_find(words_per_token, tokens, vocabulary):
    text = " ".join(["", *tokens, ""]).encode()
    places = [vocabulary.index(token) if token in vocabulary else -1 for token in tokens]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_index, "WORDS_PER_TOKEN", words_per_token)
        assert TokenIndex(vocabulary).find(tokens_between(text, bounds_at_spaces(text))).tolist() == places


def test_bytes_that_are_no_utf8_are_never_met():
    index = TokenIndex(["\udcff", "a"])
    assert index.find(tokens_between(b" a b ", bounds_at_spaces(b" a b "))).tolist() == [1, -1]
    assert len(index) == 2
