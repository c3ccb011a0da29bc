"""Which tokens are counted, and which words get vectors."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.static_training.config import CountingConfig
from pytorch_elmo.static_training.words import choose_words, counted_tokens, read_words, write_words

SENTENCE = ["The", "cat's", "<br", "/>", "--", "COVID-19", "$5", "“Été”", "¿", "e_mail"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, SENTENCE),
        ({"lowercase": True}, ["the", "cat's", "<br", "/>", "--", "covid-19", "$5", "“été”", "¿", "e_mail"]),
        ({"remove_punctuation": True}, ["The", "cats", "<br", ">", "COVID19", "$5", "Été", "email"]),
        (
            {"remove_punctuation": True, "lowercase": True},
            ["the", "cats", "<br", ">", "covid19", "$5", "été", "email"],
        ),
    ],
)
def test_punctuation_and_case(settings, expected):
    assert list(counted_tokens([SENTENCE, None, ["!", "?"]], CountingConfig(**settings)))[:1] == [expected]


def test_sentences_without_a_token_left_are_skipped():
    config = CountingConfig(remove_punctuation=True)
    assert list(counted_tokens([["!"], None, ["a", "."], ["..."]], config)) == [["a"]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Z", "Cc", "Cn"]), min_size=1), max_size=5))
def test_category_p_is_removed_and_nothing_else(sentence):
    text = "".join(c for c in " ".join(sentence) if not unicodedata.category(c).startswith("P"))
    expected = [text.split()] if text.split() else []
    assert list(counted_tokens([sentence], CountingConfig(remove_punctuation=True))) == expected


def words_of(sentence: str, folder: Path, **settings) -> list[tuple[str, int]]:
    return choose_words([sentence.split()], folder, CountingConfig(**settings))


def test_frequent_words_come_first(tmp_path):
    text = "b a c b a d b"
    assert words_of(text, tmp_path, min_count=1) == [("b", 3), ("a", 2), ("c", 1), ("d", 1)]
    assert words_of(text, tmp_path, min_count=2) == [("b", 3), ("a", 2)]
    assert words_of(text, tmp_path, min_count=1, max_size=3) == [("b", 3), ("a", 2), ("c", 1)]
    assert list(tmp_path.iterdir()) == []


def test_words_that_may_be_addresses_or_numbers_of_people_are_left_out(tmp_path):
    text = "me@example.org @ tel5551234 1984 12345 ١٢٣٤٥ 1234-5 word"
    assert [word for word, _ in words_of(text, tmp_path, min_count=1)] == ["1234-5", "1984", "word"]
    kept = words_of(text, tmp_path, min_count=1, keep_identifiers=True)
    assert sorted(word for word, _ in kept) == sorted(text.split())
    assert len(words_of(text, tmp_path, min_count=1, max_size=3)) == 3  # those left out take no place


def test_no_word_is_frequent_enough(tmp_path):
    with pytest.raises(
        TextError, match=r"the text has none that stands 20 time\(s\) or more; give more text, or a lower"
    ):
        words_of("a b c", tmp_path)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"window": 0}, "window must be 1 or more, got 0; leave it out for the default"),
        ({"max_size": 0}, "max_size must be 1 or more, got 0"),
        ({"submatrix_size": 40_000}, "submatrix_size is at most 32768, got 40000; give 1024 to 4096"),
        ({"window": 1001}, "window is at most 1000, got 1001; 5 to 20 is usual"),
    ],
)
def test_settings_out_of_range(setting, message):
    with pytest.raises(ConfigurationError, match=message):
        CountingConfig(**setting)


def test_words_are_kept_in_a_file(tmp_path):
    words = [("the", 12), ("Zoë", 3), ("\u2028", 1)]
    write_words(words, tmp_path / "words.txt")
    assert read_words(tmp_path / "words.txt") == words


@pytest.mark.parametrize("content", ["the\n", "the 12 13\n", "the x\n"])
def test_a_file_of_words_that_is_none(tmp_path, content):
    (tmp_path / "words.txt").write_text(content)
    with pytest.raises(TextError, match=r"words\.txt must hold a word and its count a line, got: .*; count anew"):
        read_words(tmp_path / "words.txt")
