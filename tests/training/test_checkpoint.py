"""Checkpoints: whole, exact, few, and refused when they are damaged or somebody else's."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from damage import refusal, with_a_changed_bit
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.training.checkpoint import (
    FORMAT,
    VERSION,
    Checkpoint,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)

DOCUMENT = {"step": 7, "words": ["Zoë", "\n"], "big": 2**100, "nested": {"a": [1.5, None, True]}}


def checkpoint_at(step: int) -> Checkpoint:
    generator = torch.Generator().manual_seed(step)
    tensors = {
        "weight": torch.randn(3, 4, generator=generator).T,  # a view that is not contiguous
        "double": torch.randn(2, generator=generator, dtype=torch.float64),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "scalar": torch.tensor(3.0),
    }
    return Checkpoint(step, tensors, DOCUMENT)


@pytest.fixture
def saved(tmp_path) -> Path:
    return save_checkpoint(tmp_path / "checkpoints", checkpoint_at(7), keep=2)


def refused(path: Path, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_comes_back(saved):
    assert saved.name == "step-000000007.safetensors"
    step, tensors, document = load_checkpoint(saved)
    assert step == 7
    assert document == DOCUMENT
    expected = checkpoint_at(7).tensors
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_tensors_that_share_memory_and_parameters_are_saved(tmp_path):
    parameter = torch.nn.Parameter(torch.ones(3))
    tensors = {"one": parameter, "other": parameter, "part": parameter[:2]}
    path = save_checkpoint(tmp_path, Checkpoint(1, tensors, {}), keep=1)
    assert {name: len(tensor) for name, tensor in load_checkpoint(path).tensors.items()} == {
        "one": 3,
        "other": 3,
        "part": 2,
    }


def test_the_newest_are_kept(tmp_path):
    for step in (1, 2, 10, 100):
        save_checkpoint(tmp_path, checkpoint_at(step), keep=2)
    assert [load_checkpoint(path).step for path in list_checkpoints(tmp_path)] == [10, 100]
    assert len(list(tmp_path.iterdir())) == 2


def test_other_files_are_left_alone(tmp_path):
    others = [
        "step-1.safetensors",
        "step-000000001.safetensors.bak",
        ".step-000000002.safetensors.9.partial",
        "notes",
    ]
    for name in others:
        (tmp_path / name).touch()
    save_checkpoint(tmp_path, checkpoint_at(3), keep=1)
    assert {path.name for path in tmp_path.iterdir()} == {*others, "step-000000003.safetensors"}
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step-000000003.safetensors"]


def test_no_folder_is_no_checkpoint(tmp_path):
    assert list_checkpoints(tmp_path / "none") == []


def test_a_checkpoint_that_could_not_be_written_leaves_the_old_ones(saved, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pytorch_elmo.training.checkpoint.save_file", fail)
    message = (
        rf"^cannot save the checkpoint .*: .*No space left.*; the one before is whole: {saved}; make room and go on"
    )
    with pytest.raises(WeightsError, match=message):
        save_checkpoint(saved.parent, checkpoint_at(8), keep=1)
    assert list(saved.parent.iterdir()) == [saved]
    assert load_checkpoint(saved).step == 7


def test_a_renamed_checkpoint_tells_its_step(saved):
    assert load_checkpoint(saved.rename(saved.with_name("best.safetensors"))).step == 7


def test_a_checkpoint_cut_anywhere(saved):
    whole = saved.read_bytes()
    for length in range(0, len(whole), 7):
        saved.write_bytes(whole[:length])
        refused(saved, r"^the checkpoint .* is damaged \(.*\); remove it to go on from the one before$")


def test_a_changed_bit_in_the_header_never_escapes_as_another_error(saved):
    whole, messages = saved.read_bytes(), []
    for damaged in with_a_changed_bit(whole, 200, length=8 + int.from_bytes(whole[:8], "little")):
        saved.write_bytes(damaged)
        messages.append(refusal(load_checkpoint, saved))
    refusals = list(filter(None, messages))
    assert 100 < len(refusals) < 200
    assert all(str(saved) in message for message in refusals)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x93NUMPY"])
def test_not_a_checkpoint_at_all(saved, content):
    saved.write_bytes(content)
    refused(saved, r"is damaged")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "pt"},
        {"format": "pytorch_elmo.bilm", "version": VERSION, "document": "{}"},
        {"format": FORMAT, "version": "2", "document": "{}"},
    ],
)
def test_foreign_files(tmp_path, metadata):
    path = tmp_path / "step-000000001.safetensors"
    save_file({"weight": torch.ones(2)}, path, metadata=metadata)
    refused(path, r"is no checkpoint of format version 1; take one that this command wrote$")


@pytest.mark.parametrize("document", [None, "", "{"])
def test_a_document_that_is_no_json(tmp_path, document):
    path = tmp_path / "step-000000001.safetensors"
    metadata = {"format": FORMAT, "version": VERSION} | ({} if document is None else {"document": document})
    save_file({"weight": torch.ones(2)}, path, metadata=metadata)
    refused(path, r"^the checkpoint .* is damaged \(.*\); remove it to go on from the one before$")


def test_nothing_is_unpickled(saved):
    """The file is safetensors: a header of JSON, and numbers."""
    content = saved.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"]["format"] == FORMAT
    assert not content.startswith(b"PK")
