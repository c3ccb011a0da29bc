"""AllenNLP's options.json and the configuration of a biLM, both ways."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_elmo.errors import ConfigurationError, OptionsError
from pytorch_elmo.model import BiLMConfig, CharacterEncoderConfig, LstmConfig

_CHARACTER_ROWS = 261
_CHARACTERS_PER_TOKEN = 50

_LSTM_KEYS = {"use_skip_connections", "projection_dim", "cell_clip", "proj_clip", "dim", "n_layers"}
_CHARACTER_KEYS = {"activation", "filters", "n_highway", "embedding", "n_characters", "max_characters_per_token"}
_OPTIONAL = {"n_characters", "max_characters_per_token", "activation"}
# What bilm-tf leaves in the file beside the architecture; it changes nothing when the model is run.
_TRAINING_KEYS = {
    "bidirectional", "all_clip_norm_val", "batch_size", "dropout", "n_epochs", "n_negative_samples_batch",
    "n_tokens_vocab", "n_train_tokens", "unroll_steps", "learning_rate", "sample_softmax", "n_gpus",
    "share_embedding_softmax", "token_embedding",
}  # fmt: skip


def read_options(path: Path) -> BiLMConfig:
    """The configuration in an options.json of AllenNLP or bilm-tf.

    Raises:
        OptionsError: unreadable, not JSON, a key unknown or missing or of the wrong type, or an
            architecture that this package does not run.
    """
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionsError(f"cannot read the options file {path}: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise OptionsError(f"the options file {path} is not JSON: {error}") from error
    try:
        return parse_options(options)
    except ConfigurationError as error:
        raise OptionsError(f"{path}: {error}") from error


def parse_options(options: Mapping[str, Any]) -> BiLMConfig:
    """As `read_options`, from the parsed JSON."""
    _check_type(options, dict, "the options")
    if "char_cnn" not in options:
        raise ConfigurationError("options without 'char_cnn' describe a word-input biLM, which is not run here")
    _check_keys(options, required={"lstm", "char_cnn"}, optional=_TRAINING_KEYS, where="options")
    if not options.get("bidirectional", True):
        raise ConfigurationError("'bidirectional' must be true, got false: one direction alone is not run here")
    lstm, characters = options["lstm"], options["char_cnn"]
    projection_size = _whole(_section(lstm, "lstm", _LSTM_KEYS), "lstm", "projection_dim")
    config = LstmConfig(
        num_lstm_layers=_whole(lstm, "lstm", "n_layers"),
        cell_size=_whole(lstm, "lstm", "dim"),
        projection_size=projection_size,
        cell_clip=_clip(lstm, "cell_clip"),
        projection_clip=_clip(lstm, "proj_clip"),
        use_skip_connections=_truth(lstm, "use_skip_connections"),
    )
    return BiLMConfig(
        character_encoder=_character_encoder(_section(characters, "char_cnn", _CHARACTER_KEYS), projection_size),
        lstm=config,
    )


def format_options(config: BiLMConfig) -> dict[str, Any]:
    """The options that AllenNLP reads for this biLM; `n_characters` is 262, as for running."""
    encoder, lstm = config.character_encoder, config.lstm
    return {
        "lstm": {
            "use_skip_connections": lstm.use_skip_connections,
            "projection_dim": lstm.projection_size,
            "cell_clip": lstm.cell_clip,
            "proj_clip": lstm.projection_clip,
            "dim": lstm.cell_size,
            "n_layers": lstm.num_lstm_layers,
        },
        "char_cnn": {
            "activation": encoder.activation,
            "filters": [list(pair) for pair in encoder.filters],
            "n_highway": encoder.num_highway_layers,
            "embedding": {"dim": encoder.character_embedding_size},
            "n_characters": encoder.character_vocabulary_size,
            "max_characters_per_token": encoder.num_characters,
        },
    }


def _character_encoder(options: Mapping[str, Any], projection_size: int) -> CharacterEncoderConfig:
    rows = options.get("n_characters", _CHARACTER_ROWS)
    if rows not in (_CHARACTER_ROWS, _CHARACTER_ROWS + 1):
        raise ConfigurationError(f"char_cnn.n_characters is 261 (training) or 262, got {rows!r}")
    width = options.get("max_characters_per_token", _CHARACTERS_PER_TOKEN)
    if width != _CHARACTERS_PER_TOKEN:
        raise ConfigurationError(f"char_cnn.max_characters_per_token must be 50, got {width!r}: not run here")
    _check_type(options["embedding"], dict, "char_cnn.embedding")
    _check_keys(options["embedding"], required={"dim"}, optional=set(), where="char_cnn.embedding")
    return CharacterEncoderConfig(
        filters=_filters(options["filters"]),
        character_embedding_size=_whole(options["embedding"], "char_cnn.embedding", "dim"),
        num_highway_layers=_whole(options, "char_cnn", "n_highway", least=0),
        projection_size=projection_size,
        activation=options.get("activation", "relu"),
    )


def _filters(pairs: Any) -> tuple[tuple[int, int], ...]:
    _check_type(pairs, list, "char_cnn.filters")
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(number) is int for number in pair)):
            raise ConfigurationError(f"char_cnn.filters holds [width, number] pairs of whole numbers, got {pair!r}")
    return tuple((width, number) for width, number in pairs)


def _section(options: Any, name: str, keys: set[str]) -> Mapping[str, Any]:
    _check_type(options, dict, name)
    _check_keys(options, required=keys - _OPTIONAL, optional=keys & _OPTIONAL, where=name)
    section: Mapping[str, Any] = options
    return section


def _check_keys(options: Mapping[str, Any], *, required: set[str], optional: set[str], where: str) -> None:
    if missing := sorted(required - options.keys()):
        raise ConfigurationError(f"{where} misses the key(s) {', '.join(missing)}; a biLM needs them")
    if unknown := sorted(options.keys() - required - optional):
        known = ", ".join(sorted(required | optional))
        raise ConfigurationError(f"{where} has unknown key(s) {', '.join(unknown)}; known are {known}")


def _check_type(value: Any, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        article = {"dict": "an object", "list": "a list"}[kind.__name__]
        raise ConfigurationError(f"{name} must be {article}, got {value!r}")


def _whole(options: Mapping[str, Any], where: str, key: str, *, least: int = 1) -> int:
    value = options[key]
    if type(value) is not int or value < least:
        raise ConfigurationError(f"{where}.{key} must be a whole number from {least}, got {value!r}")
    return value


def _clip(options: Mapping[str, Any], key: str) -> float | None:
    value: float | None = options[key]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and 0 <= value < math.inf):
        raise ConfigurationError(f"lstm.{key} must be a number from 0, or null for no clipping, got {value!r}")
    return value


def _truth(options: Mapping[str, Any], key: str) -> bool:
    if not isinstance(options[key], bool):
        raise ConfigurationError(f"lstm.{key} must be true or false, got {options[key]!r}")
    return bool(options[key])
