"""Texts split together, against each one split by Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.token_index import spellings
from pytorch_elmo.text.word_splitter import WordSplitter

TEXTS = st.lists(st.text(st.sampled_from("aB. \t\n\v\f\r\x1c\x85\u3000é"), max_size=12))


def words_of(splitter, texts, limit=None):
    """The kept words, text by text."""
    tokens, are_words, lengths = splitter(texts, limit)
    words = np.array([*spellings(tokens), b""], dtype=object)[:-1][are_words].tolist()
    ends = np.cumsum(lengths).tolist()
    assert len(words) == sum(lengths)
    return [words[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


@given(TEXTS, st.none() | st.integers(1, 4))
def test_white_space_is_ascii_alone(texts, limit):
    assert words_of(WordSplitter(None, "whitespace", None), texts, limit) == [
        text.encode().split()[:limit] for text in texts
    ]


@given(TEXTS, st.none() | st.integers(1, 4))
def test_one_way_for_both(texts, limit):
    together, alone = WordSplitter("lower", "whitespace", None), WordSplitter("lower", "whitespace", (1,))
    assert words_of(together, texts, limit) == words_of(alone, texts, limit)


@pytest.mark.parametrize(
    ("split", "ngrams", "words"),
    [
        (None, None, [["a  b"], [""]]),
        ("character", None, [["a", " ", " ", "b"], []]),
        (lambda text: text.split(" "), None, [["a", "", "b"], [""]]),
        ("whitespace", (2, 1), [["a b", "a", "b"], []]),
    ],
)
def test_words_may_hold_spaces(split, ngrams, words):
    found = words_of(WordSplitter("strip_punctuation", split, ngrams), ["a . b", "."])
    assert found == [[word.encode() for word in text] for text in words]


@pytest.mark.parametrize("split", ["whitespace", "character"])
def test_half_a_surrogate_pair(split):
    with pytest.raises(TextError, match=r"half of a surrogate pair at character 1 of 'a\\ud800'; read it as UTF-8"):
        WordSplitter(None, split, None)(["b", "a\ud800"])
