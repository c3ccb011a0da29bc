"""AllenNLP's archives, 0.9 to 2.x: unpacked with care, whole, and of a known version."""

import json
import lzma
import re
import shutil
import tarfile
import zlib
from gzip import BadGzipFile
from os import PathLike
from pathlib import Path, PurePosixPath

from pytorch_elmo.errors import ConfigurationError, WeightsError

CONFIGURATION, WEIGHTS = "config.json", "weights.th"

_NEEDED = (CONFIGURATION, WEIGHTS, "vocabulary")
_META = "meta.json"
_NEWEST_MAJOR = 2
_BLOCK = 1 << 20
_CUT_OFF = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, BadGzipFile)


def unpack(archive_file: str | PathLike[str], folder: Path) -> None:
    """Write an archive's files into `folder`: contents alone, no modes, owners or links.

    Raises:
        WeightsError: a member that leaves the folder, a link, a device, an archive that is cut off or lacks a part.
        ConfigurationError: written by a version of AllenNLP that is not known.
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
    missing = [name for name in _NEEDED if not (folder / name).exists()]
    if missing:
        raise WeightsError(
            f"an archive must have {', '.join(_NEEDED)}, {archive_file} lacks {', '.join(missing)}; get it again"
        )
    check_version(folder, archive_file)


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
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member)
    assert content is not None  # it is a file
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def check_version(folder: Path, archive_file: object) -> None:
    """0.9 wrote no version; 1.x and 2.x can be read.

    Raises:
        ConfigurationError: any other.
    """
    path = folder / _META
    if not path.exists():
        return
    try:
        version = json.loads(path.read_text("utf-8"))["version"]
    except (ValueError, KeyError, TypeError):
        version = None
    found = re.match(r"(\d+)\.\d+", version) if isinstance(version, str) else None
    if found is None or int(found[1]) > _NEWEST_MAJOR:
        raise ConfigurationError(
            f"an archive must come from AllenNLP 0.9, 1.x or 2.x, {archive_file} says version {version!r}; "
            "export the model again with one of these"
        )
