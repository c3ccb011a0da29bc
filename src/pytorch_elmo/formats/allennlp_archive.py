"""AllenNLP's archives, 0.9 to 2.x: unpacked with care, whole, and of a known version."""

import json
import re
from os import PathLike
from pathlib import Path

from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.formats.tar_archive import unpack_archive

CONFIGURATION, WEIGHTS = "config.json", "weights.th"

_NEEDED = (CONFIGURATION, WEIGHTS, "vocabulary")
_META = "meta.json"
_NEWEST_MAJOR = 2


def unpack(archive_file: str | PathLike[str], folder: Path) -> None:
    """Write an archive's files into `folder`: contents alone, no modes, owners or links.

    Raises:
        WeightsError: a member that leaves the folder, a link, a device, an archive that is cut off or lacks a part.
        ConfigurationError: written by a version of AllenNLP that is not known.
    """
    unpack_archive(archive_file, folder)
    missing = [name for name in _NEEDED if not (folder / name).exists()]
    if missing:
        raise WeightsError(
            f"an archive must have {', '.join(_NEEDED)}, {archive_file} lacks {', '.join(missing)}; get it again"
        )
    check_version(folder, archive_file)


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
