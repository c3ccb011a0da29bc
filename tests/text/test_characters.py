"""Character ids against AllenNLP's, against the slow reference, and for any text at all."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import COMMITTED, committed_texts, original_ids
from pytorch_elmo.errors import TextError
from pytorch_elmo.text.characters import (
    CHARACTER_PADDING_ID,
    batch_to_ids,
    character_row,
    is_cut,
    refuse_string,
    token_to_ids,
    words_to_ids,
)
from reference.characters import batch_ids, token_ids

ANY_TEXT = st.text(st.characters(), max_size=70)  # lone surrogates too


def padded(*ids: int) -> list[int]:
    return [*ids, *[CHARACTER_PADDING_ID] * (50 - len(ids))]


@pytest.mark.parametrize(
    ("token", "ids"),
    [
        ("a", padded(259, 98, 260)),
        ("é", padded(259, 196, 170, 260)),
        ("", padded(259, 260)),
        ("<S>", padded(259, 257, 260)),
        ("</S>", padded(259, 258, 260)),
        ("<s>", padded(259, 61, 116, 63, 260)),
        ("\ud83d", padded(259, 260)),
        ("x" * 60, [259, *[121] * 48, 260]),
        ("€" * 20, [259, *[227, 131, 173] * 16, 260]),
        ("é" * 23 + "€", [259, *[196, 170] * 23, 227, 131, 260]),
    ],
)
def test_known_tokens(token, ids):
    assert token_to_ids(token) == ids


@given(ANY_TEXT)
def test_any_token_has_fifty_ids_as_in_the_reference(token):
    ids = token_to_ids(token)
    assert len(ids) == 50
    assert ids == token_ids(token)


@given(ANY_TEXT)
def test_a_token_is_cut_exactly_when_bytes_are_lost(token):
    encoded = bytes(number - 1 for number in token_to_ids(token) if number <= 256)
    whole = token.encode("utf-8", "ignore")
    if token not in ("<S>", "</S>"):
        assert encoded == whole[:48]
    assert is_cut(token) == (len(whole) > 48)


@given(st.lists(st.lists(ANY_TEXT, max_size=4), min_size=1, max_size=4))
def test_any_batch_is_the_reference_s(batch):
    ids = batch_to_ids(batch)
    assert ids.dtype == torch.int64
    np.testing.assert_array_equal(ids.numpy(), batch_ids(batch), strict=True)


def test_tokens_to_add_are_looked_up_first():
    added = {"<NEW>": 1, "<S>": 20}
    assert token_to_ids("<NEW>", tokens_to_add=added) == padded(259, 2, 260)
    assert token_to_ids("<S>", tokens_to_add=added) == padded(259, 21, 260)
    assert token_to_ids("</S>", tokens_to_add=added) == token_to_ids("</S>")
    assert token_to_ids("a", tokens_to_add=added) == token_to_ids("a")


def test_character_rows():
    assert character_row([7, 8]) == padded(259, 7, 8, 260)


def test_original_indexer(golden_folder):
    golden = json.loads((golden_folder / "goldens_2.10.1" / "indexer.json").read_text("utf-8"))
    assert len(golden["words"]) == 9
    added = golden["tokens_to_add"]
    assert [token_to_ids(word) for word in golden["words"]] == golden["ids_plain"]
    assert [token_to_ids(word, tokens_to_add=added) for word in golden["words"]] == golden["ids_with_tokens_to_add"]


def test_original_batches(golden_folder):
    with np.load(golden_folder / "inputs" / "ids.npz") as theirs:
        assert len(theirs.files) == 15
        for batch in theirs.files:
            np.testing.assert_array_equal(original_ids(golden_folder, batch).numpy(), theirs[batch], strict=True)


def test_committed_batches():
    batches = committed_texts()["batches"]
    with np.load(COMMITTED / "character_ids.npz") as theirs:
        assert theirs.files == list(batches)
        for batch, sentences in batches.items():
            np.testing.assert_array_equal(batch_to_ids(sentences).numpy(), theirs[batch], strict=True)


@pytest.mark.parametrize(("batch", "shape"), [([], (0, 0, 50)), ([[]], (1, 0, 50)), ([[], [""]], (2, 1, 50))])
def test_empty_sentences_and_batches_keep_the_last_axis(batch, shape):
    assert tuple(batch_to_ids(batch).shape) == shape


def test_tuples_are_sentences_too():
    assert torch.equal(batch_to_ids((("a", "b"),)), batch_to_ids([["a", "b"]]))


def test_words_are_rows():
    assert words_to_ids(["a", "é"]).tolist() == [token_to_ids("a"), token_to_ids("é")]
    assert words_to_ids([]).shape == (0, 50)
    assert words_to_ids(iter(["a"])).dtype == np.int64


@pytest.mark.parametrize("batch", ["a sentence", ["a sentence"], [["fine"], "a sentence"]])
def test_strings_in_place_of_sentences(batch):
    with pytest.raises(
        TextError, match=r"^a sentence is a list of tokens, got the string 'a sentence'; split it first"
    ):
        batch_to_ids(batch)


def test_a_long_string_is_shown_in_part():
    with pytest.raises(TextError, match=rf"got the string '{'x' * 40}'; split"):
        refuse_string("x" * 1000)


@pytest.mark.parametrize("token", [1, None, b"a", ["a"]])
def test_tokens_that_are_no_strings(token):
    with pytest.raises(TextError, match=r"^a token is a string, got .* in sentence 1; convert it with str\(\)$"):
        batch_to_ids([["fine"], ["a", token]])
