"""What a prepared corpus was made of, and whether that is still what is wanted and there."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.progress import Progress
from pytorch_elmo.text.inputs import files_of
from pytorch_elmo.text.lines import InputFile, read_errors

FORMAT_VERSION = 2
_FILE = "corpus.json"


class FileRecord(NamedTuple):
    """A file of text as it was when it was read; `changed` is its time of change in nanoseconds."""

    name: str
    size: int
    changed: int
    sha256: str


@dataclass(kw_only=True)
class CorpusDescription:
    """Settings and files that a corpus was made with, and the files that it consists of, with their sizes."""

    settings: dict[str, Any]
    train: list[FileRecord]
    validation: list[FileRecord]
    sizes: dict[str, int] = field(default_factory=dict)
    num_shared_sentences: int = 0
    format_version: int = FORMAT_VERSION

    @property
    def records(self) -> list[FileRecord]:
        """All files of text."""
        return [*self.train, *self.validation]

    def makes_the_same(self, other: "CorpusDescription") -> bool:
        """Whether the settings, and the files' names, order and contents agree, whenever they were written."""
        return self._content() == other._content()

    def add_files(self, folder: Path, names: Iterable[str]) -> None:
        """Bring the files of the corpus to the disk, so that they are there when the description is."""
        for name in names:
            with (folder / name).open("rb+") as file:
                os.fsync(file.fileno())
                self.sizes[name] = os.fstat(file.fileno()).st_size

    def is_whole(self, folder: Path) -> bool:
        """Whether the corpus that this describes is in `folder`, none of its files missing or cut."""
        return all(
            (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in self.sizes.items()
        )

    def save(self, folder: Path) -> None:
        """Say that the corpus in `folder` is whole."""
        with whole_file(folder / _FILE) as partial:
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    def _content(self) -> tuple[object, ...]:
        parts = ([(record.name, record.sha256) for record in part] for part in (self.train, self.validation))
        return (self.format_version, self.settings, *parts)


def read_description(folder: Path) -> CorpusDescription | None:
    """The description of the corpus in `folder`; None if there is no whole one that this version can read."""
    try:
        document = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        return None
    for part in ("train", "validation"):
        document[part] = [FileRecord(*record) for record in document[part]]
    return CorpusDescription(**document)


def remove_description(folder: Path) -> None:
    """Say that `folder` holds no corpus, before it is made anew."""
    (folder / _FILE).unlink(missing_ok=True)


def record_files(inputs: Sequence[InputFile], known: Iterable[FileRecord], progress: Progress) -> list[FileRecord]:
    """Look at all files; one whose size and time of change are known is not read again.

    Args:
        inputs: files, and tables that are folders.
        known: records of an earlier look.
        progress: hears the bytes read.

    Raises:
        TextError: a file cannot be read.
    """
    hashes = {record[:3]: record.sha256 for record in known}
    seen = [_look(path) for file in inputs for path in files_of(file)]
    unknown = {look for look in seen if look not in hashes}
    if unknown:
        progress.start(total=sum(size for _, size, _ in unknown), unit="B", label="checking for changes")
        for look in sorted(unknown):
            with read_errors(look[0]):
                hashes[look] = sha256_of(Path(look[0]))
            progress.advance(look[1])
        progress.finish()
    return [FileRecord(*look, hashes[look]) for look in seen]


def refuse_changes(records: Iterable[FileRecord]) -> None:
    """Make sure that no file was written to since `record_files`.

    Raises:
        TextError: one was.
    """
    for record in records:
        if _look(Path(record.name)) != record[:3]:
            raise TextError(
                f"{record.name} was changed while it was read; start again when nothing writes to it any more"
            )


def _look(path: Path) -> tuple[str, int, int]:
    with read_errors(str(path)):
        status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns
