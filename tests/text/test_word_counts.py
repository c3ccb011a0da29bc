"""Vocabularies of texts with more distinct words than fit into memory: the same files."""

import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text import word_counts
from pytorch_elmo.text.vocabulary import SPECIALS, Vocabulary
from pytorch_elmo.text.word_counts import WordCounter, write_vocabulary

SENTENCES = [["the", "cat", "sat"], ["the", "<UNK>", "é"], ["a", "the", "a"], []] * 3 + [["zebra", "Ab", "é"]]
WORDS = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=2)


@settings(max_examples=40)  # each waits for the disk
@given(
    st.lists(st.lists(WORDS, max_size=6), max_size=20),
    st.integers(1, 8),
    st.integers(1, 3),
    st.none() | st.integers(4, 10),
)
def test_any_bound_gives_what_counting_in_memory_gives(tmp_path_factory, sentences, bound, min_count, max_size):
    path = tmp_path_factory.mktemp("counts") / "vocabulary.txt"
    counts = Counter(word for sentence in sentences for word in sentence)
    expected = Vocabulary.from_counts(counts, max_size=max_size, min_count=min_count).tokens
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "_SENTENCES_PER_UPDATE", 2)
        patch.setattr(word_counts, "_MOST_RUNS", 3)
        if len(expected) == 3:
            with pytest.raises(TextError, match="a vocabulary needs words"):
                write_vocabulary(sentences, path, max_size=max_size, min_count=min_count, words_in_memory=bound)
            assert not path.exists()
        else:
            size = write_vocabulary(sentences, path, max_size=max_size, min_count=min_count, words_in_memory=bound)
            assert path.read_text("utf-8").split("\n") == [*expected, ""]
            assert size == len(expected)
    assert set(path.parent.iterdir()) <= {path}


def test_words_and_counts_by_frequency(tmp_path):
    with WordCounter(tmp_path, words_in_memory=2) as counter:
        counter.count(SENTENCES[:5])
        counter.count(iter(SENTENCES[5:]))
        ranked = list(counter.ranked(min_count=2))
    assert ranked == [("the", 9), ("a", 6), ("é", 4), ("<UNK>", 3), ("cat", 3), ("sat", 3)]
    assert list(tmp_path.iterdir()) == []


def test_memory_is_bounded(tmp_path):
    """A hundred times more distinct words than the bound; counted in one dictionary they would take 10 MB."""
    sentences = ([f"word{number}.{place}" for place in range(10)] for number in range(10_000))
    tracemalloc.start()
    size = write_vocabulary(sentences, tmp_path / "vocabulary.txt", words_in_memory=1000)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 100_003
    assert held < 6_000_000


def test_nothing_frequent_enough(tmp_path):
    with pytest.raises(
        TextError, match=r"^a vocabulary needs words, the text has none that stands 10 time\(s\) or more; give other"
    ):
        write_vocabulary(SENTENCES, tmp_path / "vocabulary.txt", min_count=10)
    assert list(tmp_path.iterdir()) == []


def test_a_text_that_fails_leaves_nothing(tmp_path):
    def sentences():
        yield ["word"]
        raise TextError("bad line")

    (tmp_path / "vocabulary.txt").write_text("before")
    with pytest.raises(TextError, match="bad line"):
        write_vocabulary(sentences(), tmp_path / "vocabulary.txt")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_what_is_written_can_be_read(tmp_path):
    write_vocabulary(SENTENCES, tmp_path / "vocabulary.txt")
    tokens = Vocabulary.from_file(tmp_path / "vocabulary.txt").tokens
    assert tokens == [*SPECIALS, "the", "a", "é", "cat", "sat", "Ab", "zebra"]
