"""A biLM from its files, and back."""

import hashlib
from pathlib import Path
from typing import Any

import torch

from pytorch_elmo.model import BiLM
from pytorch_elmo.pretrained import ModelFiles, resolve
from pytorch_elmo.pretrained.model_files import BILM_FILE
from pytorch_elmo.weights.hdf5 import read_hdf5
from pytorch_elmo.weights.options import format_options, read_options
from pytorch_elmo.weights.own_format import read_bilm, save_bilm


def load_bilm(options_file: str | Path, weight_file: str | Path) -> BiLM:
    """The biLM in AllenNLP's options.json and weights.hdf5, frozen and in evaluation mode.

    Raises:
        ConfigurationError: options that cannot be read or run.
        WeightsError: weights that cannot be read or do not fit the options.
    """
    return read_hdf5(Path(weight_file), read_options(Path(options_file)))


def load_pretrained(name_or_folder: str | Path, **how: Any) -> BiLM:
    """The biLM of a named model or of a folder; `how` goes to `pretrained.resolve`.

    Raises:
        PytorchElmoError: no such model, a failed download, or files that do not fit together.
    """
    return load_model_files(resolve(name_or_folder, **how))


def load_model_files(files: ModelFiles) -> BiLM:
    """The biLM in files that were found already."""
    if files.bilm is not None:
        return read_bilm(files.bilm)
    assert files.options is not None
    assert files.weights is not None
    return load_bilm(files.options, files.weights)


def save_pretrained(bilm: BiLM, folder: Path) -> None:
    """Write a biLM where `load_pretrained` finds it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_bilm(bilm, folder / BILM_FILE)


def model_hash(bilm: BiLM) -> str:
    """sha256 of a biLM's shape, float32 parameters and start state, the same in whatever files they are."""
    digest = hashlib.sha256(repr(format_options(bilm.config)).encode())
    for name, parameter in sorted(bilm.named_parameters()):
        digest.update(name.encode())
        digest.update(_bytes(parameter))
    for name, part in bilm.lstm.start._asdict().items() if bilm.lstm.start else ():
        digest.update(f"start {name}".encode())
        digest.update(_bytes(part))
    return digest.hexdigest()


def _bytes(tensor: torch.Tensor) -> memoryview:
    return tensor.detach().to("cpu", torch.float32).contiguous().numpy().data
