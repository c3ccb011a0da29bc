"""Sentences of one text that stand in another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.pretraining.corpus import Corpus, overlap
from pytorch_elmo.pretraining.corpus.overlap import count_overlap

TEXTS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=1, max_size=12)


def numbered_alike(*texts):
    """Corpora with one numbering: each is cut out of the corpus of all."""
    whole, first = Corpus.from_sentences([sentence for text in texts for sentence in text]), 0
    for text in texts:
        offsets = whole.offsets[first : first + len(text) + 1]
        yield whole._replace(tokens=whole.tokens[offsets[0] : offsets[-1]], offsets=offsets - offsets[0])
        first += len(text)


@given(TEXTS, TEXTS, st.sampled_from([1, 3, 100]), st.sampled_from([1, 2, 100]))
def test_the_count_is_that_of_comparing_all_with_all(validation, train, in_memory, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "_SENTENCES_PER_BLOCK", block)
        counted = count_overlap(*numbered_alike(validation, train), in_memory=in_memory)
    assert counted == sum(sentence in train for sentence in validation)


def test_the_order_of_words_matters():
    assert count_overlap(*numbered_alike([["a", "b"], ["b", "a"], ["a"], ["a", "a"]], [["a", "b"], ["b"]])) == 1
