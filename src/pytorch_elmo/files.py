"""Files that appear whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HASH_BLOCK = 1 << 20


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; it becomes `target` only if the block ends without an error.

    The bytes reach the disk before the name does, so a reader sees the old file or the new one.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.touch()
        mode = partial.stat().st_mode
        yield partial
        partial.chmod(mode)  # some writers make a file of their own that nobody else may read
        put_in_place(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def put_in_place(finished: Path, target: Path) -> None:
    """Rename `finished` to `target`; its bytes reach the disk first."""
    with finished.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(finished, target)
    sync_folder(target.parent)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Let what the system says about a write, which names no file, name `path`.

    Raises:
        OSError: there is no room, or the disk fails.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: Path) -> None:
    """Make a rename or a removal in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
