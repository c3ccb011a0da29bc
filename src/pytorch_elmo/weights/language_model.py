"""A biLM together with what it predicts by: its softmax and the words of it."""

from pathlib import Path
from typing import NamedTuple

import torch

from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.softmax import OutputLayer, Softmax
from pytorch_elmo.pretrained import MODELS, is_cached, resolve
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.load import load_model_files
from pytorch_elmo.weights.own_format import read_softmax
from pytorch_elmo.weights.softmax_hdf5 import read_softmax_hdf5


class LanguageModel(NamedTuple):
    """A biLM, the output layer that both its directions share, and the words that the layer predicts."""

    bilm: BiLM
    softmax: OutputLayer
    vocabulary: Vocabulary


def load_language_model(
    name_or_folder: str | Path, vocabulary_file: Path | None = None, *, device: torch.device | str = "cpu"
) -> LanguageModel:
    """The language model of a named model or a folder, frozen and in evaluation mode.

    Args:
        name_or_folder: a model with a softmax: this package's `softmax.safetensors`, which has its words, or one
            `*softmax*.hdf5` as the authors published them.
        vocabulary_file: the words of an HDF5 softmax, one a line in the order of its rows; None: `vocabulary.txt`
            beside it.
        device: where the biLM and the softmax are put.

    Raises:
        ConfigurationError: a vocabulary is missing, or named where the softmax has its own.
        PytorchElmoError: no such model, no softmax, or files that cannot be read or do not fit together.
    """
    if not isinstance(name_or_folder, Path) and name_or_folder in MODELS and not is_cached(name_or_folder):
        raise _no_softmax(name_or_folder)  # it was published without one, so there is nothing to fetch
    files = resolve(name_or_folder)
    if files.softmax is not None:
        if vocabulary_file is not None:
            raise ConfigurationError(
                f"{files.softmax} has its own vocabulary, {vocabulary_file} was given beside it; leave it out"
            )
        softmax, vocabulary = read_softmax(files.softmax)
        return LanguageModel(load_model_files(files).to(device), softmax.to(device), vocabulary)
    if files.softmax_weights is None:
        raise _no_softmax(files.name)
    vocabulary_file = vocabulary_file or files.vocabulary
    if vocabulary_file is None:
        raise ConfigurationError(
            f"{files.softmax_weights} does not say which words it predicts; name the vocabulary that the model was "
            "trained with, --vocabulary FILE"
        )
    bilm, vocabulary = load_model_files(files), Vocabulary.from_file(vocabulary_file)
    hdf5_softmax = read_softmax_hdf5(files.softmax_weights)
    _check_shapes(bilm, hdf5_softmax, vocabulary, files.softmax_weights, vocabulary_file)
    return LanguageModel(bilm.to(device), hdf5_softmax.to(device), vocabulary)


def _check_shapes(
    bilm: BiLM, softmax: Softmax, vocabulary: Vocabulary, softmax_file: Path, vocabulary_file: Path
) -> None:
    num_words, size = softmax.weight.shape
    if num_words != len(vocabulary):
        raise WeightsError(
            f"{softmax_file} predicts {num_words:,} words, the vocabulary {vocabulary_file} has {len(vocabulary):,}; "
            "give the one that the model was trained with"
        )
    if size != bilm.config.lstm.projection_size:
        raise WeightsError(
            f"{softmax_file} reads vectors of {size} numbers, the biLM beside it gives "
            f"{bilm.config.lstm.projection_size}; put a model's own softmax beside it"
        )


def _no_softmax(name: str) -> WeightsError:
    return WeightsError(
        f"{name} has no softmax, so it predicts no words; take `default`, the folder `model` of `elmo pretrain`, or "
        "put the model's softmax.safetensors or one *softmax*.hdf5 beside its weights"
    )
