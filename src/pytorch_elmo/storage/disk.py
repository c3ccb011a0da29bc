"""Bytes put at a place in a file, and what the system says when they do not fit."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytorch_elmo.errors import LayerFileError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than its file system or the limit of this process (ulimit -f) allows",
}


def write_at(descriptor: int, content: bytes | memoryview, offset: int) -> None:
    """Write all of `content` at `offset`, however many calls the system makes of it.

    Raises:
        OSError: the system refuses, after some of the bytes perhaps.
    """
    view = memoryview(content)
    while view:
        num_bytes = os.pwrite(descriptor, view, offset)
        view, offset = view[num_bytes:], offset + num_bytes


def reserve(descriptor: int) -> None:
    """Take the disk's blocks for a whole file of holes, so that a full disk is met now and not after days of work.

    Raises:
        OSError: there is no room.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, 0, os.fstat(descriptor).st_size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # a file system that cannot reserve
            raise


def try_room(path: Path, *, num_bytes: int, file_bytes: int) -> None:
    """Make sure that there is room for `num_bytes` and that a file may be `file_bytes` long; leaves an empty file.

    HDF5 must not be the one to meet a full disk: it can no longer close its file then, and ends the process badly.

    Raises:
        OSError: there is no room, or files must be shorter.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        os.ftruncate(descriptor, num_bytes)
        reserve(descriptor)
        os.ftruncate(descriptor, file_bytes)
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(path: Path, advice: str) -> Iterator[None]:
    """Turn what the system says about writing `path` into one line that ends with `advice`.

    Raises:
        LayerFileError: the system refused.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, str(error))
        raise LayerFileError(f"{path} cannot be written: {reason}; {advice}") from error


def size_of(num_bytes: float) -> str:
    """A number of bytes for people, for example `12.3 GB`."""
    for unit in ("bytes", "kB", "MB"):
        if num_bytes < 1000:
            return f"{num_bytes:.3g} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:,.1f} GB"
