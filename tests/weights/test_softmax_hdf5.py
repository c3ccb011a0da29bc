"""The authors' softmax files, and what is none."""

import h5py
import numpy as np
import pytest
import torch

from originals import COMMITTED
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.weights.softmax_hdf5 import read_softmax_hdf5

WEIGHT, BIAS = np.zeros((4, 2), dtype=np.float32), np.zeros(4, dtype=np.float32)


def write(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, array in datasets.items():
            file[f"softmax/{name}"] = array
    return path


def test_the_committed_softmax_is_read_as_it_is():
    path = COMMITTED / "clipped" / "softmax_weights.hdf5"
    softmax = read_softmax_hdf5(path)
    with h5py.File(path) as file:
        assert torch.equal(softmax.weight, torch.from_numpy(file["softmax/W"][()]))
        assert torch.equal(softmax.bias, torch.from_numpy(file["softmax/b"][()]))
    assert softmax.weight.shape == (16, 5)
    assert not softmax.weight.requires_grad
    assert not softmax.training


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"W": WEIGHT}, "a softmax file holds softmax/W and softmax/b, this one softmax/W; give another file"),
        ({}, "a softmax file holds softmax/W and softmax/b, this one nothing; give another file"),
        ({"W": WEIGHT, "b": BIAS, "c": BIAS}, "this one softmax/W, softmax/b, softmax/c; give another file"),
        ({"W": WEIGHT, "b": BIAS[:3]}, r"must be \(words, projection_size\) .* got \(4, 2\) and \(3,\)"),
        ({"W": BIAS, "b": BIAS}, r"must be \(words, projection_size\) .* got \(4,\) and \(4,\)"),
        ({"W": WEIGHT + np.nan, "b": BIAS}, "dataset softmax/W holds NaN or infinity; the file is damaged"),
    ],
)
def test_what_is_no_softmax(tmp_path, datasets, message):
    with pytest.raises(WeightsError, match=message):
        read_softmax_hdf5(write(tmp_path / "softmax.hdf5", **datasets))


def test_a_missing_and_a_damaged_file(tmp_path):
    with pytest.raises(WeightsError, match=r"no weight file .*none\.hdf5; give the path"):
        read_softmax_hdf5(tmp_path / "none.hdf5")
    (tmp_path / "text.hdf5").write_text("no HDF5", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"text\.hdf5 cannot be read as HDF5, it is damaged or cut short"):
        read_softmax_hdf5(tmp_path / "text.hdf5")
