"""Shapes that no network has are refused in one line."""

import dataclasses

import pytest

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import CharacterEncoderConfig, LstmConfig
from random_models import bilm_config

ENCODER = {"character_embedding_size": 3, "num_highway_layers": 1, "projection_size": 4}
LSTM = {"num_lstm_layers": 2, "cell_size": 6, "projection_size": 4}


def test_sizes_that_follow_from_the_configuration():
    config = bilm_config(filters=((1, 3), (2, 4), (5, 6)), num_lstm_layers=3, projection_size=7)
    assert config.character_encoder.num_filters == 13
    assert config.num_layers == 4
    assert config.dim == 14


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cell_size"):
        bilm_config().lstm.cell_size = 3


def test_no_filters():
    with pytest.raises(ConfigurationError, match=r"^char_cnn.filters needs at least one .*pair, got none$"):
        CharacterEncoderConfig(filters=(), **ENCODER)


@pytest.mark.parametrize("pair", [(0, 3), (51, 3), (2, 0), (-1, 2)])
def test_filters_that_cannot_be(pair):
    message = rf"a filter is \[width 1 to 50, number from 1\], got \[{pair[0]}, {pair[1]}\]$"
    with pytest.raises(ConfigurationError, match=message):
        CharacterEncoderConfig(filters=((1, 2), pair), **ENCODER)


def test_unknown_activation():
    with pytest.raises(ConfigurationError, match=r"char_cnn.activation is relu or tanh, got 'gelu'$"):
        CharacterEncoderConfig(filters=((1, 2),), activation="gelu", **ENCODER)


@pytest.mark.parametrize("name", sorted(LSTM))
def test_sizes_below_one(name):
    with pytest.raises(ConfigurationError, match=rf"^{name} is at least 1, got 0$"):
        LstmConfig(**{**LSTM, name: 0})


@pytest.mark.parametrize("name", ["cell_clip", "projection_clip"])
def test_negative_clips(name):
    with pytest.raises(ConfigurationError, match=rf"^{name} is positive, or null for no clipping, got -3.0$"):
        LstmConfig(**LSTM, **{name: -3.0})
