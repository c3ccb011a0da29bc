"""How large a model is, from its files, without reading its parameters."""

import json
import math

from safetensors import SafetensorError, safe_open

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.model import BiLMConfig
from pytorch_elmo.pretrained import ModelFiles
from pytorch_elmo.weights.arrays import expected_shapes
from pytorch_elmo.weights.options import parse_options, read_options


def config_in_files(files: ModelFiles) -> BiLMConfig:
    """What the files of a model say of its shape; whether the parameters fit it is seen when they are loaded.

    Raises:
        ConfigurationError: options that cannot be read or run.
        WeightsError: a file that is not this package's.
    """
    if files.options is not None:
        return read_options(files.options)
    assert files.bilm is not None
    try:
        with safe_open(files.bilm, framework="numpy") as file:
            return parse_options(json.loads(file.metadata()["document"])["options"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{files.bilm} does not say its model's shape: {error!r}; fetch it anew") from error


def count_parameters(config: BiLMConfig) -> int:
    """Numbers in a weight file of this shape."""
    return sum(math.prod(shape) for shape in expected_shapes(config).values())
