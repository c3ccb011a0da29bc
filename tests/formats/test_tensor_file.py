"""This project's own files: kind, version, document and tensors."""

import pytest
import torch
from safetensors.torch import save_file

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.tensor_file import VERSION, read_tensor_file, write_tensor_file


def test_what_is_written_is_read(tmp_path):
    path, tensors = tmp_path / "a.safetensors", {"a": torch.arange(3), "b": torch.ones(2, 2)}
    write_tensor_file(path, "kind", tensors, {"words": ["é", 1]})
    found, document = read_tensor_file(path, "kind")
    assert document == {"words": ["é", 1]}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, r"is not a kind file, its format is None; give another file"),
        ({"format": "other"}, r"is not a kind file, its format is 'other'"),
        ({"format": "kind", "version": "2"}, r"has format version '2', this release reads 1"),
        (
            {"format": "kind", "version": VERSION, "document": "{"},
            r"its description is no JSON: .*; fetch the file an",
        ),
        (
            {"format": "kind", "version": VERSION, "document": "[" * 100_000},
            r"its description is no JSON: maximum recursion depth",
        ),
        (
            {"format": "kind", "version": VERSION, "document": "[1]"},
            r"its description must be a JSON object, got \[1\]; fetch the file anew",
        ),
    ],
)
def test_other_files(tmp_path, metadata, message):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(1)}, path, metadata)
    with pytest.raises(WeightsError, match=message):
        read_tensor_file(path, "kind")


def test_files_that_are_none(tmp_path):
    with pytest.raises(WeightsError, match=r"no model file .*gone; give the folder of a model"):
        read_tensor_file(tmp_path / "gone", "kind")
    (tmp_path / "a").write_bytes(b"text")
    with pytest.raises(WeightsError, match=r"a is no whole safetensors file: .*; fetch it anew"):
        read_tensor_file(tmp_path / "a", "kind")
