"""`vocab_to_cache`: words that are encoded once, by their place in a list."""

import logging

import pytest
import torch

from pytorch_elmo import batch_to_ids
from pytorch_elmo.errors import ConfigurationError

VOCABULARY = ["@@PADDING@@", "@@UNKNOWN@@", "the", "sea", "storm", "at"]
SENTENCES = [["the", "storm"], [], ["the", "sea", "at"]]
PLACES = torch.tensor([[2, 4, 0], [0, 0, 0], [2, 3, 5]])
TABLE = "_elmo_lstm._word_embedding.weight"


@pytest.fixture
def cached(layer_by_layer):
    return layer_by_layer(vocab_to_cache=VOCABULARY)


def layers(output) -> torch.Tensor:
    return torch.stack(output["elmo_representations"]).detach()


def same(ours, theirs) -> None:
    assert torch.equal(ours["mask"], theirs["mask"])
    torch.testing.assert_close(layers(ours), layers(theirs), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_original_tables_layers_and_edges(assert_parity):
    assert_parity("checks.cache.check_cache")


@pytest.mark.parametrize("characters", [batch_to_ids(SENTENCES), None])
def test_cached_words_give_the_layers_of_their_characters(cached, layer_by_layer, characters):
    same(cached(characters, PLACES), layer_by_layer()(batch_to_ids(SENTENCES)))


def test_four_axes(cached):
    nested = cached(None, PLACES.unsqueeze(1))
    assert nested["mask"].shape == (3, 1, 5)
    assert torch.equal(layers(nested)[:, :, 0], layers(cached(None, PLACES)))


def test_a_new_word_is_computed_and_the_others_looked_up(cached, layer_by_layer):
    sentences = [["the", "zebra"], [], ["okapi", "sea", "zebra"]]
    places = torch.tensor([[2, 99, 0], [0, 0, 0], [6, 3, 99]])
    same(cached(batch_to_ids(sentences), places), layer_by_layer()(batch_to_ids(sentences)))


def test_a_new_word_needs_its_characters(cached):
    with pytest.raises(
        ConfigurationError, match="word id 6 is not among the 6 cached words; pass character ids as well"
    ):
        cached(None, torch.tensor([[2, 6]]))


def test_the_table_has_a_row_of_zeros_then_the_words(cached, small_model):
    table = cached.state_dict()[TABLE]
    assert table.shape == (6, 5)
    assert not table[0].any()
    expected = small_model.character_encoder(batch_to_ids([VOCABULARY]))[0]
    torch.testing.assert_close(table[1:], expected[1:], rtol=0, atol=1e-5)


def test_the_state_is_carried_over_cached_words_too(layer_by_layer):
    cached, plain = layer_by_layer(vocab_to_cache=VOCABULARY, stateful=True), layer_by_layer(stateful=True)
    for _ in range(2):
        same(cached(None, PLACES), plain(batch_to_ids(SENTENCES)))


def test_the_table_is_in_the_state_dict_and_loads(cached, layer_by_layer):
    twin = layer_by_layer(vocab_to_cache=["@@PADDING@@", "a", "b", "c", "d", "e"])
    assert not torch.equal(layers(twin(None, PLACES)), layers(cached(None, PLACES)))
    twin.load_state_dict(cached.state_dict())
    assert torch.equal(layers(twin(None, PLACES)), layers(cached(None, PLACES)))


def test_gradients_reach_the_lstm_and_not_the_table(layer_by_layer, caplog):
    with caplog.at_level(logging.WARNING):
        elmo = layer_by_layer(vocab_to_cache=VOCABULARY, requires_grad=True)
    assert "fine-tuning does not change them" in caplog.text
    torch.stack(elmo(None, PLACES)["elmo_representations"]).square().sum().backward()
    parameters = dict(elmo.named_parameters())
    assert not parameters[TABLE].requires_grad
    assert parameters["_elmo_lstm._elmo_lstm.forward_layer_0.input_linearity.weight"].grad.any()
    assert parameters["_elmo_lstm._token_embedder._projection.weight"].grad is None


def test_an_empty_vocabulary_is_none(make_elmo):
    assert TABLE not in make_elmo(vocab_to_cache=[]).state_dict()
