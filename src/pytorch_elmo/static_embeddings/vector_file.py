"""The text files of GloVe and word2vec, read line by line.

GloVe (Pennington et al. 2014) writes one word a line and its numbers after it, between single spaces. word2vec
(Mikolov et al. 2013) puts a line "count dim" before them and may end each line with a space. Some words of GloVe's
files hold spaces, so numbers are counted from the right; a word with a space that ends in a number is taken for a
line with a number too many.
"""

import gzip
import lzma
import zipfile
import zlib
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from pytorch_elmo.errors import ConfigurationError, TextError


class VectorRows(NamedTuple):
    """The rows kept of a file: its words in their order, their numbers (float32) row after row, and what was not."""

    words: dict[str, None]  # an ordered set
    numbers: MutableSequence[float]
    num_duplicates: int


def read_vector_file(path: Path, *, wanted: frozenset[str] | None, dim: int | None, member: str | None) -> VectorRows:
    """The rows of the `wanted` words (None: of all), the first row where a word stands twice.

    The arguments and errors are those of `WordVectors.from_file`; no more is held than the rows kept.
    """
    if dim is not None and dim < 1:
        raise ConfigurationError(
            f"dim must be a whole number from 1, got {dim}; leave it out to learn it from the file"
        )
    words: dict[str, None] = {}
    numbers = array("f")
    num_duplicates = num_lines = num_promised = num_fields = 0
    for number, line in enumerate(_lines(path, member), 1):
        try:
            text = line.rstrip(b" \r\n")
            if number == 1:
                text = text.removeprefix(BOM_UTF8)
                num_promised, num_fields = _dimensions(text, dim)
                if num_promised:
                    continue
            num_lines += 1
            word, fields = _split(text, num_fields)
            if wanted is None or word in wanted:
                row = _parse(word, fields)
                if word in words:
                    num_duplicates += 1
                else:
                    words[word] = None
                    numbers.extend(row)
        except TextError as error:
            raise TextError(f"{path}, line {number}: {error}") from error
    if num_promised not in (0, num_lines):
        raise TextError(f"{path}: the first line promises {num_promised} words, got {num_lines}; fetch the file anew")
    if not words:
        reason = "it is empty" if wanted is None else f"check the case of the {len(wanted)} words asked for"
        raise TextError(f"{path}: a file of word vectors must hold a word to keep, got none; {reason}")
    return VectorRows(words, numbers, num_duplicates)


def glove_lines(words: Iterable[str], rows: Iterable[Sequence[float]]) -> Iterator[str]:
    """Words and their numbers as GloVe's files have them, a line each, with six significant digits.

    Args:
        words: without line breaks.
        rows: the numbers of each.
    """
    for word, row in zip(words, rows, strict=True):
        yield f"{word} {' '.join(f'{number:.6g}' for number in row)}\n"


def _dimensions(text: bytes, dim: int | None) -> tuple[int, int]:
    """From the first line: the words that a header promises (0: it is no header), and the numbers a line."""
    fields = text.split(b" ")
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return 0, len(fields) - 1 if dim is None else dim
    num_words, header_dim = map(int, fields)
    if not num_words or not header_dim:
        raise TextError(f"a header must promise words and numbers, got {text.decode()!r}; give another file")
    if dim not in (None, header_dim):
        raise TextError(f"the header must promise dim={dim} numbers a line, got {text.decode()!r}; leave dim out")
    return num_words, header_dim


def _split(text: bytes, dim: int) -> tuple[str, list[bytes]]:
    """The word of a line and its `dim` fields, whose content is not looked at."""
    encoded, *fields = text.rsplit(b" ", dim)
    if not dim or len(fields) != dim or not encoded or _has_field_too_many(encoded):
        shown = text[:40].decode("utf-8", "replace")
        raise TextError(
            f"a line must hold a word and {dim or 'its'} numbers between single spaces, got "
            f"{text.count(b' ') + 1} fields: {shown!r}; mend or remove it, or give dim if the first line misled"
        )
    try:
        return encoded.decode("utf-8"), fields
    except UnicodeDecodeError as error:
        raise TextError(f"a word must be UTF-8, got {error.reason} in {encoded[:40]!r}; convert the file") from error


def _has_field_too_many(encoded: bytes) -> bool:
    """Whether what should be a word ends in a number of its own, or begins or ends with a space."""
    if b" " not in encoded:
        return False
    last = encoded.rpartition(b" ")[2]
    return encoded.startswith(b" ") or not last or _to_number(last) is not None


def _parse(word: str, fields: list[bytes]) -> "array[float]":
    try:
        row = array("f", map(float, fields))
    except ValueError as error:
        raise _wrong_number(word, fields) from error
    if not isfinite(sum(row)):  # in float64, finite where each float32 number is
        raise _wrong_number(word, fields)
    return row


def _wrong_number(word: str, fields: list[bytes]) -> TextError:
    wrong = next(field for field in fields if not _is_finite(field))[:40].decode("utf-8", "replace")
    return TextError(f"{word!r} must have {len(fields)} finite numbers, got {wrong!r}; mend or remove the line")


def _is_finite(field: bytes) -> bool:
    """Whether a field is a number, and finite in float32."""
    number = _to_number(field)
    return number is not None and isfinite(array("f", [number])[0])


def _to_number(field: bytes) -> float | None:
    try:
        return float(field)
    except ValueError:
        return None


def _lines(path: Path, member: str | None) -> Iterator[bytes]:
    """The lines of a file, unpacked; only a line feed ends a line, since words may hold other separators."""
    try:
        with _open(path, member) as file:
            yield from file
    except OSError as error:
        raise TextError(f"cannot read the word vectors {path}: {error.strerror or error}") from error
    # zipfile says RuntimeError where a password or a compression that it does not know is needed.
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        raise TextError(f"cannot unpack the word vectors {path}: {error}; fetch or pack the file anew") from error


@contextmanager
def _open(path: Path, member: str | None) -> Iterator[Iterable[bytes]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_choose_member(archive, path, member)) as packed:
            yield packed
    elif member is not None:
        raise ConfigurationError(f"member is for .zip archives, got {member!r} with {path}; leave it out")
    elif path.suffix == ".gz":
        with gzip.open(path) as unpacked:
            yield unpacked
    elif path.suffix == ".xz":
        with lzma.open(path) as unpacked:
            yield unpacked
    else:
        with path.open("rb") as file:
            yield file


def _choose_member(archive: zipfile.ZipFile, path: Path, member: str | None) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if member is None and len(names) == 1:
        return names[0]
    if member not in names:
        raise ConfigurationError(
            f"member must name a file of {path}, got {member!r}; it holds {', '.join(names[:8])}"
        )
    return member
