"""The lines of a UTF-8 file, plain or compressed, or one line that says what is wrong with it."""

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from pytorch_elmo.errors import TextError

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


@dataclass(frozen=True)
class InputFile:
    """A file or folder of text: where it is, and what the user calls it; the name's endings tell the format."""

    path: Path
    name: str

    @property
    def compression(self) -> str:
        """The ending `.gz` or `.xz`; empty if the file is not compressed."""
        ending = Path(self.name).suffix.lower()
        return ending if ending in _OPENERS else ""

    @property
    def format(self) -> str:
        """The ending that tells the format, without that of the compression; often empty."""
        name = Path(self.name)
        return (name.with_suffix("") if self.compression else name).suffix.lower()


def read_lines(file: InputFile, *, encoding: str = "utf-8", newline: str | None = None) -> Iterator[str]:
    r"""The lines of a file with their ends, read as they are asked for.

    Args:
        file: plain, or compressed as its name says.
        encoding: `utf-8`, or `utf-8-sig` to drop a byte order mark.
        newline: as for `open`; None ends lines at `\n`, `\r\n` and `\r` alone, and gives all of them as `\n`.

    Raises:
        TextError: the file cannot be read, is damaged or cut short, or a line is not UTF-8.
    """
    opener = _OPENERS.get(file.compression, open)
    with read_errors(file.name):
        if file.compression and not file.path.stat().st_size:
            raise EOFError  # gzip takes an empty file for an empty text
        # Bad bytes become lone surrogates, which UTF-8 cannot hold, so that the line they are in can be told.
        with TextIOWrapper(opener(file.path, "rb"), encoding, errors="surrogateescape", newline=newline) as text:
            for number, line in enumerate(text, start=1):
                if not line.isascii():
                    _refuse_bad_bytes(line, f"{file.name}, line {number}")
                yield line


def _refuse_bad_bytes(line: str, where: str) -> None:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        num_bytes = len(line[: error.start].encode("utf-8"))
        raise TextError(f"{where}: not UTF-8 at byte {num_bytes + 1}; convert the file to UTF-8") from error


@contextmanager
def read_errors(name: str) -> Iterator[None]:
    """Turn what the system and the decompressors say about reading `name` into one line.

    Raises:
        TextError: they said something.
    """
    try:
        yield
    except EOFError as error:
        raise TextError(f"{name} is cut short: its compressed data do not end; make or copy it again") from error
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise TextError(f"{name} is damaged or not compressed as its name says ({error}); make it again") from error
    except OSError as error:
        raise TextError(f"cannot read {name}: {error.strerror or error}; name a file that can be read") from error
