"""Files that hold tensors by name, and nothing else."""

import pickle

import pytest
import torch

from damage import Caught
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.torch_file import read_tensors


@pytest.mark.parametrize("old_format", [False, True])
def test_tensors_come_back(old_format, tmp_path):
    weights = {"a": torch.arange(3.0), "b.c": torch.ones(2, 2, dtype=torch.float16)}
    torch.save(weights, tmp_path / "weights.th", _use_new_zipfile_serialization=not old_format)
    again = read_tensors(tmp_path / "weights.th")
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("old_format", [False, True])
def test_nothing_is_unpickled(old_format, tmp_path):
    weights = {"a": torch.ones(2), "b": Caught(tmp_path / "caught")}
    torch.save(weights, tmp_path / "weights.th", _use_new_zipfile_serialization=not old_format)
    with pytest.raises(WeightsError, match=r"must hold tensors and nothing else: .*; get it again") as error:
        read_tensors(tmp_path / "weights.th")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "caught").exists()


def test_files_of_other_kinds(tmp_path):
    torch.save([torch.ones(1)], tmp_path / "list.th")
    with pytest.raises(WeightsError, match="must hold tensors by name, it holds a list"):
        read_tensors(tmp_path / "list.th")
    (tmp_path / "pickle.th").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(WeightsError, match=r"pickle\.th must hold tensors"):
        read_tensors(tmp_path / "pickle.th")
    with pytest.raises(WeightsError, match=r"the weights must be there, .*nowhere is not"):
        read_tensors(tmp_path / "nowhere")
    (tmp_path / "empty.th").touch()
    with pytest.raises(WeightsError, match=r"empty\.th must hold tensors and nothing else"):
        read_tensors(tmp_path / "empty.th")
