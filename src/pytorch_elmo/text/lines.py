"""The lines of a UTF-8 file, plain or compressed, or one line that says what is wrong with it."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytorch_elmo.errors import TextError

_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_BYTES_PER_READ = 1 << 16
_SHORT_NAMES = {".tgz": ".tar.gz", ".txz": ".tar.xz", ".tbz2": ".tar.bz2"}


def _nobody(_: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class InputFile:
    """A file or folder of text: where it is, and what the user calls it; the name's endings tell the format.

    Attributes:
        path: where it lies; for a member of an archive, the archive.
        name: what errors call it.
        stream: a member's bytes, which can be read once; None: they are read from `path`.
        advance: hears the bytes that are read from the disk.
    """

    path: Path
    name: str
    stream: IO[bytes] | None = None
    advance: Callable[[int], None] = _nobody

    @property
    def compression(self) -> str:
        """The ending `.gz`, `.xz` or `.bz2`; empty if the file is not compressed."""
        ending = self._full_name.suffix.lower()
        return ending if ending in _OPENERS else ""

    @property
    def format(self) -> str:
        """The ending that tells the format, without that of the compression; often empty."""
        name = self._full_name
        return (name.with_suffix("") if self.compression else name).suffix.lower()

    @property
    def _full_name(self) -> Path:
        name = Path(self.name)
        ending = _SHORT_NAMES.get(name.suffix.lower())
        return name if ending is None else name.with_suffix(ending)


def read_lines(file: InputFile, *, encoding: str = "utf-8", newline: str | None = None) -> Iterator[str]:
    r"""The lines of a file with their ends, read as they are asked for.

    Args:
        file: plain, or compressed as its name says.
        encoding: `utf-8`, or `utf-8-sig` to drop a byte order mark.
        newline: as for `open`; None ends lines at `\n`, `\r\n` and `\r` alone, and gives all of them as `\n`.

    Raises:
        TextError: the file cannot be read, is damaged or cut short, or a line is not UTF-8.
    """
    with (
        open_bytes(file) as stream,
        # Bad bytes become lone surrogates, which UTF-8 cannot hold, so that the line they are in can be told.
        io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline=newline) as text,
    ):
        for number, line in enumerate(text, start=1):
            if not line.isascii():
                _refuse_bad_bytes(line, f"{file.name}, line {number}")
            yield line


@contextmanager
def open_bytes(file: InputFile) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed; what goes wrong in the block while they are read becomes one line.

    Raises:
        TextError: the file cannot be read, is damaged or cut short.
    """
    with read_errors(file.name):
        if file.compression and file.stream is None and not file.path.stat().st_size:
            raise EOFError  # gzip takes an empty file for an empty text
        stored = file.stream or io.BufferedReader(ForwardBytes(file.path.open("rb"), file.advance), _BYTES_PER_READ)
        with stored, _OPENERS.get(file.compression, nullcontext)(stored) as stream:
            yield stream


class ForwardBytes(io.RawIOBase):
    """Bytes that are read once, from the first to the last, while somebody hears how many."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], None] = _nobody) -> None:
        self._stream, self._advance = stream, advance

    def readable(self) -> bool:
        """Reading is all that can be done."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at most as many bytes as `buffer` holds."""
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._advance(len(content))
        return len(content)

    def close(self) -> None:
        """Close the stream too."""
        self._stream.close()
        super().close()


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
    except (zlib.error, lzma.LZMAError) as error:
        raise _damaged(name, error) from error
    except tarfile.TarError as error:
        raise TextError(f"{name} is damaged, cut short or no tar archive ({error}); make or copy it again") from error
    except OSError as error:
        if error.errno is None:  # gzip's and bz2's own
            raise _damaged(name, error) from error
        raise TextError(f"cannot read {name}: {error.strerror or error}; name a file that can be read") from error


def _damaged(name: str, error: Exception) -> TextError:
    return TextError(f"{name} is damaged or not compressed as its name says ({error}); make it again")
