"""The mean over tokens of each layer of many sentences, in one small file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from pytorch_elmo.errors import LayerFileError, WeightsError
from pytorch_elmo.formats.tensor_file import read_tensor_file, write_tensor_file

FORMAT = "pytorch_elmo.layer_means"
_MEANS = "means"


class LayerMeans(NamedTuple):
    """Means of layers, and what they were made of.

    Attributes:
        means: (num_sentences, num_layers, dim) float32 or float16, on the CPU.
        description: the model's name and hash, its precision, and the sentences' number and sha256.
    """

    means: Tensor
    description: Mapping[str, Any]


def write_layer_means(path: Path, contents: LayerMeans) -> None:
    """Write the file, whole or not at all."""
    write_tensor_file(path, FORMAT, {_MEANS: contents.means.contiguous()}, contents.description)


def read_layer_means(path: str | Path) -> LayerMeans:
    """What `embed_layer_means` wrote.

    Raises:
        LayerFileError: the file is missing, damaged, or of another kind or version.
    """
    try:
        tensors, description = read_tensor_file(Path(path), FORMAT)
    except WeightsError as error:
        raise LayerFileError(str(error)) from error
    if list(tensors) != [_MEANS] or tensors[_MEANS].ndim != 3:
        raise LayerFileError(f"{path} must hold means of three axes, got {sorted(tensors)}; make it again")
    return LayerMeans(tensors[_MEANS], description)
