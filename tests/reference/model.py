"""A model as its files give it: options and weights under their names there, nothing renamed or reshaped."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float64, or complex128 where a derivative is taken
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]

FORWARD, BACKWARD = 0, 1


class Model(NamedTuple):
    """Options as in options.json; weights by the name of their dataset, float64, in TensorFlow's orientation."""

    options: dict[str, Any]
    weights: dict[str, Array]


def read_weights(weight_file: Path) -> dict[str, Array]:
    """Every dataset of an HDF5 file by its full name."""
    weights: dict[str, Array] = {}

    def keep(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            weights[name] = np.asarray(item[...], dtype=np.float64)

    with h5py.File(weight_file) as file:
        file.visititems(keep)
    return weights


def read_model(options_file: Path, *weight_files: Path) -> Model:
    """Options, and the weights of one or more files (the softmax has its own)."""
    weights: dict[str, Array] = {}
    for weight_file in weight_files:
        weights.update(read_weights(weight_file))
    return Model(json.loads(options_file.read_text(encoding="utf-8")), weights)


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-x)))
