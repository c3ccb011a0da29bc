"""Parameters begin with the authors' distributions."""

import math

import pytest
import torch
from torch import Tensor

from pytorch_elmo.pretraining.initialization import fresh_bilm, fresh_softmax
from random_models import bilm_config

FILTERS = ((2, 60), (5, 100))


def fresh(activation: str = "relu", seed: int = 0):
    config = bilm_config(
        filters=FILTERS, activation=activation, num_highway_layers=2, cell_size=50, projection_size=30
    )
    return fresh_bilm(config, torch.Generator().manual_seed(seed))


def assert_uniform(values: Tensor, bound: float) -> None:
    assert bound * 0.98 < values.abs().max() <= bound
    assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def assert_normal(values: Tensor, deviation: float) -> None:
    assert values.std().item() == pytest.approx(deviation, rel=0.1)
    assert values.abs().max() > 2.5 * deviation


def test_character_table():
    table = fresh().character_encoder._char_embedding_weights
    assert not table[0].any()
    assert_uniform(table[1:], 1.0)


def test_convolutions():
    for bank in fresh("relu").character_encoder.convolutions:
        assert_uniform(bank.weight, 0.05)
        assert not bank.bias.any()
    for bank, (width, _) in zip(fresh("tanh").character_encoder.convolutions, FILTERS, strict=True):
        assert_normal(bank.weight, math.sqrt(1 / (width * 3)))
        assert not bank.bias.any()


def test_highways_mostly_carry_and_the_projection():
    encoder = fresh().character_encoder
    for layer in encoder._highways._layers:
        assert_normal(layer.weight, math.sqrt(1 / 160))
        assert not layer.bias[:160].any()
        assert layer.bias[160:].eq(2.0).all()
    assert_normal(encoder._projection.weight, math.sqrt(1 / 160))
    assert not encoder._projection.bias.any()


def test_lstm_layers():
    """Glorot over the whole kernel of input and recurrent weights, and over the projection."""
    lstm = fresh().lstm
    for direction in range(2):
        for weights in lstm.weights(direction):
            assert_uniform(torch.cat([weights.input, weights.recurrent], dim=1), math.sqrt(6 / (60 + 200)))
            assert_uniform(weights.projection, math.sqrt(6 / (30 + 50)))
            assert not weights.bias.any()


def test_softmax():
    softmax = fresh_softmax(500, 25, torch.Generator().manual_seed(0))
    assert softmax.weight.shape == (500, 25)
    assert_normal(softmax.weight, 0.2)
    assert not softmax.bias.any()


def test_seeds():
    first, again, other = (dict(fresh(seed=seed).named_parameters()) for seed in (1, 1, 2))
    assert all(torch.equal(parameter, again[name]) for name, parameter in first.items())
    weights = [name for name in first if not name.endswith("bias")]
    assert not any(torch.equal(first[name], other[name]) for name in weights)
    assert all(parameter.requires_grad for parameter in first.values())


def test_no_parameter_is_forgotten(monkeypatch):
    """Memory that nothing was written to would hold whatever was there; here it would hold the mark."""
    from pytorch_elmo.pretraining import initialization

    class Marked(initialization.BiLM):
        def __init__(self, config) -> None:
            super().__init__(config)
            for name, parameter in self.named_parameters():
                if name != "_token_embedder._char_embedding_weights":
                    torch.nn.init.constant_(parameter, 77.0)

    monkeypatch.setattr(initialization, "BiLM", Marked)
    assert not any((parameter == 77.0).any() for parameter in fresh().parameters())
