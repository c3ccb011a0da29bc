"""Tokenizers and the splitting of prose into sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.text.tokenizers import (
    TOKENIZERS,
    make_tokenizer,
    moses_tokenizer,
    sentences_of_prose,
    split_sentences,
    whitespace_tokenizer,
)

TOKENIZER = moses_tokenizer()
PROSE = 'Dr. Smith paid $3.50 for it. "Is that so?" she asked.  He didn\'t answer!'


@given(st.text(max_size=40))
def test_white_space_is_what_python_splits_at(line):
    assert whitespace_tokenizer(line) == line.split()


def test_no_break_spaces_and_unicode_line_ends_split_words():
    assert whitespace_tokenizer(" a\u00a0b\u2028c\u0085d\x0ce ") == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("She didn't pay $3.50.", ["She", "didn", "'t", "pay", "$", "3.50", "."]),
        ('"A & B" <c>', ['"', "A", "&", "B", '"', "<", "c", ">"]),
        ("", []),
        ("Zoë's café", ["Zoë", "'s", "café"]),
    ],
)
def test_moses_rules_keep_case_and_escape_nothing(line, tokens):
    assert TOKENIZER(line) == tokens


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_moses_token_holds_white_space(line):
    tokens = TOKENIZER(line)
    assert all(token and token == "".join(token.split()) for token in tokens)


def test_every_name_makes_a_tokenizer():
    assert TOKENIZERS == ("whitespace", "moses")
    assert [make_tokenizer(name)("a b.") for name in TOKENIZERS] == [["a", "b."], ["a", "b", "."]]


@pytest.mark.parametrize("name", ["spacy", "", "Moses"])
def test_unknown_names(name):
    with pytest.raises(ConfigurationError, match=rf"^tokenizer must be one of whitespace, moses, got '{name}'$"):
        make_tokenizer(name)


def test_sentences_of_a_paragraph():
    sentences = list(split_sentences(PROSE))
    assert sentences[0] == "Dr. Smith paid $3.50 for it."
    assert sentences[-1] == "He didn't answer!"
    assert "".join(sentences).replace(" ", "") == PROSE.replace(" ", "")


@pytest.mark.parametrize("paragraph", ["", "   ", "\n", "\u00a0"])
def test_nothing_is_no_sentence(paragraph):
    assert list(split_sentences(paragraph)) == []
    assert list(sentences_of_prose(paragraph, whitespace_tokenizer)) == []


def test_prose_becomes_tokens():
    sentences = list(sentences_of_prose("One fish. Two fish.", TOKENIZER))
    assert sentences == [["One", "fish", "."], ["Two", "fish", "."]]


def test_a_sentence_without_tokens_is_left_out():
    assert list(sentences_of_prose("One. Two.", lambda line: [] if line == "One." else [line])) == [["Two."]]
