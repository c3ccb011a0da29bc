"""Archives of models, unpacked with care: contents alone, within a folder, and whole."""

import errno
import lzma
import shutil
import tarfile
import zlib
from gzip import BadGzipFile
from os import PathLike
from pathlib import Path, PurePosixPath

from pytorch_elmo.errors import WeightsError

_BLOCK = 1 << 20
_CUT_OFF = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, BadGzipFile)
# What the system says of a file where a folder is, or the other way round, and of a name that is too long.
_UNFIT_NAMES = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG}


def unpack_archive(archive_file: str | PathLike[str], folder: Path) -> None:
    """Write an archive's files into `folder`: contents alone, no modes, owners or links.

    Raises:
        WeightsError: a member that leaves the folder or cannot be a file in it, a link, a device, or an archive that
            is cut off.
        OSError: the folder has no room, or the archive cannot be read.
    """
    try:
        with tarfile.open(archive_file, "r:*") as archive:
            for member in archive:
                _unpack_member(archive, member, folder)
            _read_to_the_end(archive)
    except _CUT_OFF as error:
        reason = str(error).partition("\n")[0].rstrip(":") or type(error).__name__
        raise WeightsError(
            f"an archive must be a whole .tar.gz file, {archive_file} is cut off or none: {reason}; get it again"
        ) from error


def _read_to_the_end(archive: tarfile.TarFile) -> None:
    """The check sum of a `.gz` file is its end, which the last member does not need."""
    while archive.fileobj is not None and archive.fileobj.read(_BLOCK):
        pass


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or "\0" in member.name:
        raise WeightsError(f"an archive's members must stay in its folder, {member.name!r} does not; do not trust it")
    if not (member.isfile() or member.isdir()):
        raise WeightsError(
            f"an archive must hold files and folders only, {member.name!r} is a link or a device; do not trust it"
        )
    try:
        _write_member(archive, member, folder / name)
    except OSError as error:
        if error.errno not in _UNFIT_NAMES:
            raise
        raise WeightsError(
            f"an archive's members must be files and folders side by side, {member.name[:80]!r} cannot be one: "
            f"{error.strerror}; get another archive"
        ) from error


def _write_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member)
    assert content is not None  # it is a file
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)
