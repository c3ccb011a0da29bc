"""Numbers for the distinct words of a batch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.embedder.words import number_words

SENTENCES = st.lists(st.lists(st.sampled_from(["a", "sea", "é", "", "<S>", "</S>"]), max_size=6), max_size=5)


def test_boundaries_come_first_and_around_every_sentence():
    words, places = number_words([["the", "sea", "the"], [], ["sea", "storm"]])
    assert words == ["<S>", "</S>", "the", "sea", "storm"]
    assert [row.tolist() for row in places] == [[0, 2, 3, 2, 1], [0, 1], [0, 3, 4, 1]]
    assert all(row.dtype == np.int64 for row in places)


@given(SENTENCES)
def test_every_word_once_and_every_sentence_back(sentences):
    words, places = number_words(sentences)
    assert len(set(words)) == len(words)
    assert [[words[place] for place in row] for row in places] == [
        ["<S>", *sentence, "</S>"] for sentence in sentences
    ]
    assert set(words) == {"<S>", "</S>"}.union(*sentences)


def test_no_sentences():
    assert number_words([]) == (["<S>", "</S>"], [])
