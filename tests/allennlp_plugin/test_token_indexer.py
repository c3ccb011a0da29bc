"""`elmo_characters`: AllenNLP's ids, padding and arguments."""

import json

import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import ListField, TextField
from allennlp.data.token_indexers import ELMoTokenCharactersIndexer, SingleIdTokenIndexer, TokenIndexer
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.allennlp_plugin.token_indexer import ElmoCharactersIndexer

WORDS = st.lists(st.one_of(st.text(max_size=60), st.sampled_from(["<S>", "</S>", "<NEW>", "", "the"])), max_size=6)
ADDED = {"<NEW>": 1, "<S>": 20}


def tokens(*words: str) -> list[Token]:
    return [Token(word) for word in words]


def from_config(**config) -> TokenIndexer:
    return TokenIndexer.from_params(Params({"type": "elmo_characters", **config}))


def batch_of(indexers: dict, *sentences: list[str], vocabulary: Vocabulary | None = None) -> dict:
    batch = Batch([Instance({"text": TextField(tokens(*words), indexers)}) for words in sentences])
    batch.index_instances(vocabulary or Vocabulary())
    return batch.as_tensor_dict()["text"]


def test_the_name_in_a_config_is_ours():
    assert type(from_config()) is ElmoCharactersIndexer
    assert isinstance(from_config(), ELMoTokenCharactersIndexer)


def test_original_ids(golden_folder):
    golden = json.loads((golden_folder / "goldens_2.10.1" / "indexer.json").read_text("utf-8"))
    words = tokens(*golden["words"])
    plain, with_added = from_config(), from_config(tokens_to_add=golden["tokens_to_add"])
    assert plain.tokens_to_indices(words, Vocabulary()) == {"elmo_tokens": golden["ids_plain"]}
    assert with_added.tokens_to_indices(words, Vocabulary()) == {"elmo_tokens": golden["ids_with_tokens_to_add"]}


@given(words=WORDS, added=st.sampled_from([None, ADDED]), length=st.integers(0, 8))
def test_the_same_as_allennlps(words, added, length):
    ours, theirs = ElmoCharactersIndexer(tokens_to_add=added), ELMoTokenCharactersIndexer(tokens_to_add=added)
    indexed = ours.tokens_to_indices(tokens(*words), Vocabulary())
    assert indexed == theirs.tokens_to_indices(tokens(*words), Vocabulary())
    assert ours.get_padding_lengths(indexed) == theirs.get_padding_lengths(indexed)
    padded = ours.as_padded_tensor_dict(indexed, {"elmo_tokens": length})["elmo_tokens"]
    expected = theirs.as_padded_tensor_dict(indexed, {"elmo_tokens": length})["elmo_tokens"]
    assert padded.dtype == torch.int64
    assert padded.shape == (length, 50)
    assert torch.equal(padded.flatten(), expected.flatten())


def test_batches_are_padded_to_the_least_length():
    padded = batch_of({"elmo": from_config(token_min_padding_length=5)}, ["a", "b"], ["c"])["elmo"]["elmo_tokens"]
    assert padded.shape == (2, 5, 50)
    assert (padded != 0).any(dim=-1).tolist() == [[True, True, False, False, False], [True] + [False] * 4]


def test_fields_in_lists_are_padded_with_empty_ones():
    indexers = {"elmo": from_config(word_namespace="tokens")}
    vocabulary = Vocabulary({"tokens": {"a": 3}})
    long, short = (ListField([TextField(tokens(*"a" * n), indexers) for _ in range(n)]) for n in (2, 1))
    batch = Batch([Instance({"list": long}), Instance({"list": short})])
    batch.index_instances(vocabulary)
    padded = batch.as_tensor_dict()["list"]["elmo"]
    assert padded["elmo_tokens"].shape == (2, 2, 2, 50)
    assert padded["word_inputs"].tolist() == [[[2, 2], [2, 2]], [[2, 0], [0, 0]]]


def test_an_indexer_equals_one_with_the_same_arguments():
    assert from_config(tokens_to_add=ADDED) == from_config(tokens_to_add=ADDED)
    assert from_config(tokens_to_add=ADDED) != from_config()


def test_word_numbers_are_those_of_the_vocabulary():
    vocabulary = Vocabulary({"tokens": {"the": 9, "cat": 4}})
    indexers = {"elmo": from_config(word_namespace="tokens"), "tokens": SingleIdTokenIndexer()}
    padded = batch_of(indexers, ["the", "dog", "cat"], ["cat"], vocabulary=vocabulary)
    assert torch.equal(padded["elmo"]["word_inputs"], padded["tokens"]["tokens"])
    assert padded["elmo"]["word_inputs"].tolist() == [[2, 1, 3], [3, 0, 0]]


def test_a_namespace_without_padding_is_refused():
    indexer = from_config(word_namespace="labels")
    vocabulary = Vocabulary({"labels": {"yes": 3}})
    with pytest.raises(ConfigurationError, match=r"a namespace with padding, got 'labels'; name that of a single_id"):
        indexer.tokens_to_indices(tokens("yes"), vocabulary)


def test_a_token_without_text_is_refused():
    with pytest.raises(ValueError, match="null text"):
        from_config().tokens_to_indices([Token(text_id=3)], Vocabulary())
