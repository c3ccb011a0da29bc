import os
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage import long_string


def file_with_string(path: Path, pieces: list[bytes]) -> Path:
    """An HDF5 file with numbers and, appended, the joined `pieces`."""
    with h5py.File(path, "w", libver=("earliest", "v108")) as file:
        file["numbers"] = np.arange(100)
        file.create_dataset("text", (1,), dtype=h5py.string_dtype())[0] = "placeholder"
        element = file["text"].id.get_offset()
    descriptor = os.open(path, os.O_RDWR)
    long_string.append_string(descriptor, element, pieces)
    os.close(descriptor)
    return path


# Collections are at least 4096 bytes, 32 of them headers; a rest under 16 bytes has no room for a header of its own.
@given(st.integers(min_value=0, max_value=9000), st.integers(min_value=1, max_value=3000))
@example(4064, 4064)
@example(4056, 1)
@example(4047, 1)
@example(4065, 1)
def test_hdf5_reads_the_string(length, piece):
    content = np.random.default_rng(length).integers(1, 128, length, dtype=np.uint8).tobytes()
    pieces = [content[begin : begin + piece] for begin in range(0, length, piece)]
    with TemporaryDirectory() as folder:
        path = file_with_string(Path(folder) / "file.hdf5", pieces)
        with h5py.File(path) as file:
            assert file["text"][0] == content
            assert (file["numbers"][:] == np.arange(100)).all()


def test_hdf5_goes_on_writing_behind_it(tmp_path):
    path = file_with_string(tmp_path / "file.hdf5", [b"a" * 10_000])
    with h5py.File(path, "r+") as file:
        file["more"] = np.arange(5000)
        file["text"][0] = "new"
    with h5py.File(path) as file:
        assert file["text"][0] == b"new"
        assert (file["more"][:] == np.arange(5000)).all()


def test_blocks_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(long_string, "_BLOCK", 7)
    path = file_with_string(tmp_path / "file.hdf5", [b"abc", b"defgh", b"", b"ij", b"k" * 50])
    with h5py.File(path) as file:
        assert file["text"][0] == b"abcdefghij" + b"k" * 50


def test_hdf5_strings_end_at_four_gigabytes(tmp_path, monkeypatch):
    monkeypatch.setattr(long_string, "_LONGEST", 9)
    with pytest.raises(LayerFileError, match="shorter than 4 GiB, got 10 bytes; use --forget-sentences"):
        file_with_string(tmp_path / "file.hdf5", [b"0123456789"])
