"""The journal of an unfinished layer file: what is safely on disk, one JSON line a commit, only ever appended to.

A line is `["CRC32 of the record", record]`. The first record says whose job it is; the others what each commit added.
A line that was torn when the process died fails its check: it and what follows count as never written, and the
sentences concerned are computed again.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.disk import write_at

JOURNAL_VERSION = 1
_RECORD_AT = len('["00000000",')


@dataclass(frozen=True, kw_only=True, eq=False)
class JournalContents:
    """A journal, added up.

    `written` is (num_sentences,) bool: the sentences on disk. `num_bytes` is the length of the whole lines.
    """

    manifest: dict[str, object]
    identity: dict[str, object]
    written: NDArray[np.bool_]
    batches_done: int
    extra: dict[str, Any] | None
    num_bytes: int


def _line(record: Mapping[str, object]) -> bytes:
    text = json.dumps(record).encode("ascii")
    return b'["%08x",%b]\n' % (zlib.crc32(text), text)


def _record(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None if the line is not whole."""
    text = line[_RECORD_AT:-2]
    if line != b'["%08x",%b]\n' % (zlib.crc32(text), text):
        return None
    record: dict[str, Any] = json.loads(text)
    return record


def _records(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """The whole records from the beginning, each with the number of bytes that end with it."""
    num_bytes = 0
    with path.open("rb") as file:
        for line in file:
            record = _record(line)
            if record is None:
                return
            num_bytes += len(line)
            yield record, num_bytes


def read_journal(path: Path) -> JournalContents:
    """Add up the commits of a journal.

    Raises:
        LayerFileError: the journal is missing, or even its first line is not whole, or another version wrote it.
    """
    if not path.exists():
        raise LayerFileError(f"a partial file needs its journal, but {path} is missing; start again with --overwrite")
    records = _records(path)
    header, num_bytes = next(records, ({}, 0))
    if header.get("journal_version") != JOURNAL_VERSION:
        raise LayerFileError(
            f"a journal must begin with version {JOURNAL_VERSION}, but {path} has {header.get('journal_version')!r}; "
            f"start again with --overwrite"
        )
    written = np.zeros(header["manifest"]["num_sentences"], dtype=np.bool_)
    last: dict[str, Any] = {"batches_done": 0, "extra": None}
    for record, end in records:
        last, num_bytes = record, end
        written[last["written"]] = True
    return JournalContents(
        manifest=header["manifest"],
        identity=header["identity"],
        written=written,
        batches_done=last["batches_done"],
        extra=last["extra"],
        num_bytes=num_bytes,
    )


class Journal:
    """The end of a journal, to append to. A record that could not be written whole leaves the journal as it was."""

    def __init__(self, path: Path, num_bytes: int) -> None:
        """Go on behind the first `num_bytes` bytes; what follows them is cut off."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        self._num_bytes = num_bytes
        os.ftruncate(self._descriptor, num_bytes)

    @classmethod
    def begin(cls, path: Path, *, manifest: Mapping[str, object], identity: Mapping[str, object]) -> "Journal":
        """A new journal of one job."""
        journal = cls(path, 0)
        journal._append({"journal_version": JOURNAL_VERSION, "manifest": manifest, "identity": identity})
        return journal

    def commit(self, *, batches_done: int, written: Sequence[int], extra: Mapping[str, Any] | None) -> None:
        """Note, durably, that the sentences `written` are on disk."""
        self._append({"batches_done": batches_done, "written": list(written), "extra": extra})

    def _append(self, record: Mapping[str, object]) -> None:
        line = _line(record)
        try:
            write_at(self._descriptor, line, self._num_bytes)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._num_bytes)
            raise
        self._num_bytes += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
