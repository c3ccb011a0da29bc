"""Vocabularies: ids are ranks, files are bilm-tf's."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.vocabulary import SPECIALS, Vocabulary, vocabulary_warnings

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


def test_a_file_without_specials_is_named(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_text("<S>\nthe\n</S>\n", "utf-8")
    with pytest.raises(TextError, match=r"vocabulary.txt: a vocabulary holds .*, this one misses <UNK>; add them$"):
        Vocabulary.from_file(path)


class TestWarnings:
    """What is odd about a vocabulary for a text."""

    @given(st.dictionaries(WORDS, st.integers(1, 5)))
    def test_one_that_the_text_made_is_fine(self, counts):
        assert vocabulary_warnings(Vocabulary.from_counts(Counter(counts)), counts) == []

    def test_words_that_the_text_lacks_say_nothing(self):
        vocabulary = Vocabulary([*SPECIALS, "zebra", "the", "yak", "cat"])
        assert vocabulary_warnings(vocabulary, {"the": 9, "cat": 2, "<S>": 100}) == []
        assert vocabulary_warnings(vocabulary, {}) == []

    def test_tokens_that_stand_twice(self):
        vocabulary = Vocabulary([*SPECIALS, "a", "b", "c", "d", "a", "b", "c", "d", "e"])
        [warning] = vocabulary_warnings(vocabulary, {})
        assert warning.startswith("the vocabulary holds 4 token(s) more than once, 'a', 'b', 'c', …; the last one")

    def test_ids_that_are_no_ranks(self):
        """`the`, four fifths of the text, stands at place 2: (3/2) ** 0.8 · (2/3) ** 0.2."""
        [warning] = vocabulary_warnings(Vocabulary([*SPECIALS, "cat", "the"]), {"the": 8, "cat": 2})
        assert "is not in descending frequency of this text, where a token stands 1.3 times as deep" in warning

    def test_the_alphabet_is_far_from_ranks(self):
        """Counts as squares, upside down: e to the mean of ln x - ln(1 - x) under 3x², 3/2, and a bit less."""
        counts = {f"w{number:04d}": 1 + number**2 for number in range(1000)}
        [warning] = vocabulary_warnings(Vocabulary([*SPECIALS, *sorted(counts)]), counts)
        assert "stands 4.4 times as deep" in warning


def test_not_utf8(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"<S>\n</S>\n<UNK>\ncaf\xe9\n")
    with pytest.raises(TextError, match=r"^the vocabulary .*vocabulary.txt is not UTF-8 at byte 18; convert it$"):
        Vocabulary.from_file(path)
