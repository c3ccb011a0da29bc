"""Vocabularies: ids are ranks, files are bilm-tf's."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.vocabulary import SPECIALS, Vocabulary

COUNTS = Counter({"the": 5, "cat": 2, "a": 2, "sat": 1, "<S>": 100, "<UNK>": 7})
WORDS = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=6)


def test_specials_come_first_then_frequency_then_the_alphabet():
    assert Vocabulary.from_counts(COUNTS).tokens == ["<S>", "</S>", "<UNK>", "the", "a", "cat", "sat"]


@pytest.mark.parametrize(("size", "kept"), [(7, 4), (5, 2), (3, 0), (1, 0), (None, 4), (100, 4)])
def test_the_size_counts_the_specials(size, kept):
    assert len(Vocabulary.from_counts(COUNTS, max_size=size)) == 3 + kept


def test_rare_words_are_left_out():
    assert Vocabulary.from_counts(COUNTS, min_count=2).tokens[3:] == ["the", "a", "cat"]


@given(st.dictionaries(WORDS, st.integers(1, 5)))
def test_counts_never_rise_with_the_id(counts):
    vocabulary = Vocabulary.from_counts(Counter(counts))
    ranked = [counts[token] for token in vocabulary.tokens[3:]]
    assert ranked == sorted(ranked, reverse=True)
    assert set(vocabulary.tokens) == {*counts, *SPECIALS}
    assert [vocabulary.id_of(token) for token in vocabulary.tokens] == list(range(len(vocabulary)))


def test_ids_of_the_specials_are_found_by_content():
    vocabulary = Vocabulary(["the", "<UNK>", "</S>", "<S>"])
    assert (vocabulary.begin_id, vocabulary.end_id, vocabulary.unknown_id) == (3, 2, 1)


def test_unknown_words_and_membership():
    vocabulary = Vocabulary([*SPECIALS, "the"])
    assert vocabulary.id_of("zebra") == vocabulary.unknown_id == 2
    assert "the" in vocabulary
    assert "zebra" not in vocabulary


def test_a_repeated_word_keeps_both_rows_and_means_the_later():
    vocabulary = Vocabulary([*SPECIALS, "the", "cat", "the"])
    assert len(vocabulary) == 6
    assert vocabulary.id_of("the") == 5


def test_lines_are_stripped_and_marks_and_blanks_skipped():
    lines = ["<S>\r\n", "</S>", " <UNK> ", "", "!!!MAXTERMID", "the\n"]
    assert Vocabulary.from_lines(lines).tokens == [*SPECIALS, "the"]


@pytest.mark.parametrize("missing", SPECIALS)
def test_missing_specials(missing):
    with pytest.raises(
        TextError, match=rf"a vocabulary holds <S>, </S> and <UNK>, this one misses {missing}; add them$"
    ):
        Vocabulary([token for token in SPECIALS if token != missing])


@settings(max_examples=15)  # each waits for the disk
@given(st.lists(WORDS))
def test_a_saved_vocabulary_comes_back(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    vocabulary = Vocabulary([*SPECIALS, *words])
    vocabulary.save(path)
    kept = [word for word in words if word != "!!!MAXTERMID"]
    assert Vocabulary.from_file(path).tokens == [*SPECIALS, *kept]


def test_the_committed_vocabulary(small_vocabulary):
    assert len(small_vocabulary) == 16
    assert small_vocabulary.tokens[:3] == list(SPECIALS)


def test_original_vocabulary(golden_folder):
    path = golden_folder / "bilm_tf_checkpoint" / "vocab.txt"
    assert Vocabulary.from_file(path).tokens == path.read_text("utf-8").splitlines()


def test_missing_file(tmp_path):
    with pytest.raises(TextError, match=r"^cannot read the vocabulary .*none.txt: No such file or directory$"):
        Vocabulary.from_file(tmp_path / "none.txt")


def test_not_utf8(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"<S>\n</S>\n<UNK>\ncaf\xe9\n")
    with pytest.raises(TextError, match=r"^the vocabulary .*vocabulary.txt is not UTF-8 at byte 18; convert it$"):
        Vocabulary.from_file(path)
