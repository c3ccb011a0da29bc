import errno
import os
from pathlib import Path

import pytest

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.disk import disk_errors, reserve, size_of, try_room, write_at


@pytest.fixture
def descriptor(tmp_path):
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def test_a_short_write_is_gone_on_with(descriptor, monkeypatch):
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, offset: whole(file, content[:3], offset))
    write_at(descriptor, b"0123456789", 5)
    assert os.pread(descriptor, 100, 0) == bytes(5) + b"0123456789"


def test_holes_are_given_blocks(descriptor):
    os.ftruncate(descriptor, 1 << 20)
    assert os.fstat(descriptor).st_blocks == 0
    reserve(descriptor)
    assert os.fstat(descriptor).st_blocks * 512 >= 1 << 20
    assert os.fstat(descriptor).st_size == 1 << 20


def test_room_is_tried_and_given_back(tmp_path):
    try_room(tmp_path / "file", num_bytes=10_000, file_bytes=1 << 40)
    assert (tmp_path / "file").stat().st_blocks == 0
    with pytest.raises(OSError, match="too large"):
        try_room(tmp_path / "file", num_bytes=10_000, file_bytes=1 << 62)


def refusal(code: int):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    return refuse


def test_a_file_system_may_be_unable_to_reserve(descriptor, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", refusal(errno.EOPNOTSUPP))
    reserve(descriptor)
    monkeypatch.setattr(os, "posix_fallocate", refusal(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        reserve(descriptor)
    monkeypatch.delattr(os, "posix_fallocate")
    reserve(descriptor)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EFBIG, r"the file is larger than .*\(ulimit -f\) allows"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_refusals_are_one_line(code, reason):
    with (
        pytest.raises(LayerFileError, match=f"^out.hdf5 cannot be written: .*{reason}; make room$"),
        disk_errors(Path("out.hdf5"), "make room"),
    ):
        refusal(code)()


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (12_345_678, "12.3 MB"), (54_138_537_584, "54.1 GB")],
)
def test_sizes_for_people(num_bytes, text):
    assert size_of(num_bytes) == text
