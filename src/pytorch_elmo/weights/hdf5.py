"""AllenNLP's weights.hdf5."""

from pathlib import Path

import h5py
import numpy as np

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.files import whole_file
from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.storage.disk import try_room
from pytorch_elmo.weights.arrays import Arrays, arrays_from_bilm, arrays_from_softmax, bilm_from_arrays

_BYTES_BESIDE = 2048  # more than HDF5 takes for a dataset's name, shape and groups

# What h5py raises on a damaged file depends on where the damage is; a wild size is a MemoryError.
_SIGNS_OF_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)


def read_hdf5(path: Path, config: BiLMConfig) -> BiLM:
    """The biLM of a weight file that AllenNLP or bilm-tf wrote.

    Raises:
        WeightsError: the file is missing, not HDF5, truncated, a file of vectors, or does not fit the options.
    """
    return bilm_from_arrays(read_arrays(path), config, str(path))


def write_hdf5(bilm: BiLM, path: Path) -> None:
    """Write the parameters as AllenNLP reads them; the file appears whole or not at all."""
    _write_arrays(arrays_from_bilm(bilm), path)


def write_softmax_hdf5(softmax: Softmax, path: Path) -> None:
    """Write an output layer as the authors published theirs, without its words; whole or not at all."""
    _write_arrays(arrays_from_softmax(softmax), path)


def _write_arrays(arrays: Arrays, path: Path) -> None:
    size = sum(array.nbytes + _BYTES_BESIDE for array in arrays.values())
    with whole_file(path) as partial:
        try_room(partial, num_bytes=size, file_bytes=size)
        with h5py.File(partial, "w") as file:
            for name, array in arrays.items():
                file.create_dataset(name, data=array)


def read_arrays(path: Path) -> Arrays:
    """All datasets of a weight file by name, float32.

    Raises:
        WeightsError: the file cannot be read as one.
    """
    if not path.is_file():
        raise WeightsError(f"no weight file {path}; give the path of a weights.hdf5")
    arrays: Arrays = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            if not np.issubdtype(item.dtype, np.floating):
                raise WeightsError(f"{path}: dataset {name} holds {item.dtype}, weights are floating point numbers")
            with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused with its name
                arrays[name] = item[()].astype(np.float32)

    try:
        with h5py.File(path, "r") as file:
            _refuse_layer_file(path, file)
            file.visititems(collect)
    except _SIGNS_OF_DAMAGE as error:
        raise WeightsError(
            f"{path} cannot be read as HDF5, it is damaged or cut short: {_first_line(error)}"
        ) from error
    return arrays


def _refuse_layer_file(path: Path, file: h5py.File) -> None:
    """Vectors have been given as weights often enough to deserve a word of their own."""
    if "sentence_to_index" in file or "0" in file or "vectors" in file:
        raise WeightsError(
            f"{path} is a layer file (vectors of sentences), not a weight file; give the model's weights"
        )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
