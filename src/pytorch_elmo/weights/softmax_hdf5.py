"""The authors' softmax files: `softmax/W` and `softmax/b` in HDF5, without the words (elmo-spec, section 6)."""

from pathlib import Path

import numpy as np
import torch

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.weights.hdf5 import read_arrays

_WEIGHT, _BIAS = "softmax/W", "softmax/b"


def read_softmax_hdf5(path: Path) -> Softmax:
    """An output layer, float32 and frozen, of `softmax/W` (vocabulary_size, projection_size) and `softmax/b`.

    Raises:
        WeightsError: the file is missing or damaged, holds something else, or its shapes do not fit together.
    """
    arrays = read_arrays(path)
    if arrays.keys() != {_WEIGHT, _BIAS}:
        found = ", ".join(sorted(arrays)[:3]) or "nothing"
        raise WeightsError(f"{path}: a softmax file holds {_WEIGHT} and {_BIAS}, this one {found}; give another file")
    weight, bias = arrays[_WEIGHT], arrays[_BIAS]
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise WeightsError(
            f"{path}: {_WEIGHT} must be (words, projection_size) and {_BIAS} (words,), got {weight.shape} and "
            f"{bias.shape}; give another file"
        )
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"{path}: dataset {name} holds NaN or infinity; the file is damaged, fetch it anew")
    softmax = Softmax(*weight.shape)
    softmax.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    return softmax.requires_grad_(False).eval()
