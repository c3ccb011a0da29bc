"""PyTorch's own files, read as tensors alone."""

import pickle
import zipfile
from collections.abc import Mapping
from os import PathLike
from typing import Any

import torch
from torch import Tensor

from pytorch_elmo.errors import WeightsError


def read_tensors(path: str | PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """What a `.th`, `.pt` or `.pkl` file holds by name; PyTorch's old format too. Nothing is unpickled but tensors.

    Raises:
        WeightsError: no such file, a damaged one, or one with other objects in it.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"the weights must be there, {path} is not; name the file that holds them") from error
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise WeightsError(f"{path} must hold tensors and nothing else: {reason}; get it again") from error
    if not isinstance(content, Mapping) or not all(isinstance(values, Tensor) for values in content.values()):
        raise WeightsError(
            f"{path} must hold tensors by name, it holds a {type(content).__name__}; name another file"
        )
    return dict(content)
