"""Tokenised sentences from files, standard input and datasets, as often as they are asked for."""

import hashlib
import json
import shutil
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from tempfile import TemporaryDirectory
from typing import BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.characters import is_cut
from pytorch_elmo.text.lines import InputFile, read_errors, read_lines
from pytorch_elmo.text.tables import Content, check_field, is_table, read_column
from pytorch_elmo.text.tokenizers import Tokenizer, make_tokenizer, sentences_of_prose

STANDARD_INPUT = "-"
_MOST_BLANK_NAMED = 20


@dataclass(frozen=True)
class Line:
    """A sentence of the input: its number from 1, its text, its tokens (none if it is blank)."""

    number: int
    text: str
    tokens: list[str]


class SentenceSource:
    """The sentences of one input; every iteration reads it anew and yields the same.

    Made by `open_source`. Input that can be read only once is kept in a temporary file until `close`.

    Attributes:
        description: the input's name, for people.
        unit: what the numbers of `Line` count in it: `line`, `row` or `sentence`.
        blank_lines: `error`: `scan` refuses blank lines; `empty`: they are sentences without tokens.
    """

    def __init__(
        self,
        *,
        description: str,
        unit: str,
        read: Callable[[], Iterator[Content]],
        prose_tokenizer: Tokenizer | None,
        blank_lines: Literal["error", "empty"],
        resources: ExitStack,
    ) -> None:
        self.description = description
        self.unit = unit
        self.blank_lines = blank_lines
        self._read = read
        self._prose_tokenizer = prose_tokenizer
        self._resources = resources

    def __iter__(self) -> Iterator[Line]:
        number = 0
        for content in self._read():
            for text, tokens in self._sentences(content):
                number += 1
                yield Line(number, text, tokens)

    def _sentences(self, content: Content) -> Iterator[tuple[str, list[str]]]:
        if isinstance(content, list):
            yield " ".join(content).strip(), content
        elif self._prose_tokenizer is None:
            yield content.strip(), content.split()
        else:
            for paragraph in content.split("\n"):
                for tokens in sentences_of_prose(paragraph, self._prose_tokenizer):
                    yield " ".join(tokens), tokens

    def close(self) -> None:
        """Remove the temporary file, if there is one; the source cannot be read any more."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(
    path: str | Path,
    *,
    field: str | None = None,
    tokenizer: str = "whitespace",
    blank_lines: Literal["error", "empty"] = "error",
) -> SentenceSource:
    r"""The sentences of a file.

    With `whitespace` a line is a sentence, read as AllenNLP 0.9's `elmo` command does: lines end at `\n`, `\r\n` and
    `\r` alone, tokens are split at every white space, and a byte order mark is part of the first word. With `moses` a
    line is a paragraph of raw prose, and blank lines stand between paragraphs.

    Args:
        path: UTF-8 text, plain or `.gz` or `.xz`; a table (`.jsonl` or `.json` with one object a line, `.csv`,
            `.parquet`, or a folder written by `datasets`' `save_to_disk`; `.tsv` is one if a `field` is named); `-`
            for standard input. Pipes and standard input are copied to a temporary file first.
        field: the column of a table that holds the text; a list of strings in it is taken as tokens, whatever the
            tokenizer.
        tokenizer: one of `TOKENIZERS`.
        blank_lines: what a blank line of `whitespace` input is: refused by `scan`, or a sentence without tokens.

    Raises:
        TextError: the input cannot be read, or `field` does not fit it.
        ConfigurationError: no such tokenizer or rule for blank lines.
    """
    if blank_lines not in ("error", "empty"):
        raise ConfigurationError(f"blank_lines must be error or empty, got {blank_lines!r}")
    tokenize = make_tokenizer(tokenizer)
    is_prose = tokenizer != "whitespace"
    with ExitStack() as resources:
        file = _input_file(path, resources)
        return SentenceSource(
            description=file.name if field is None else f"{file.name}, field {field!r}",
            unit="sentence" if is_prose else "line" if field is None else "row",
            read=_reader(file, field),
            prose_tokenizer=tokenize if is_prose else None,
            blank_lines=blank_lines,
            resources=resources.pop_all(),
        )


def _reader(file: InputFile, field: str | None) -> Callable[[], Iterator[Content]]:
    if is_table(file, field):
        column = check_field(file, field)
        return lambda: read_column(file, column)
    if field is not None:
        raise TextError(
            f"{file.name} is plain text and has no fields, got --field {field!r}; leave it out, or name a .jsonl, "
            ".csv, .tsv or .parquet file or a saved dataset"
        )
    return lambda: read_lines(file)


def _input_file(path: str | Path, resources: ExitStack) -> InputFile:
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise TextError("standard input is closed; name a file, or pipe text in")
        return _spool(sys.stdin.buffer, "standard input", resources)
    path = Path(path)
    with read_errors(str(path)):
        mode = path.stat().st_mode
        if S_ISDIR(mode):
            return InputFile(path, str(path))
        with path.open("rb") as stream:
            return InputFile(path, str(path)) if S_ISREG(mode) else _spool(stream, str(path), resources)


def _spool(stream: BinaryIO, name: str, resources: ExitStack) -> InputFile:
    """Copy what can be read only once to a temporary file."""
    folder = resources.enter_context(TemporaryDirectory(prefix="pytorch-elmo-"))
    target = Path(folder) / "input"
    try:
        with target.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
    except OSError as error:
        raise TextError(
            f"{name} cannot be copied to {target}: {error.strerror or error}; set TMPDIR to a folder with room"
        ) from error
    return InputFile(target, name)


@dataclass(frozen=True, kw_only=True, eq=False)
class InputSummary:
    """What one pass over an input finds.

    Attributes:
        num_sentences: sentences, the blank ones counted.
        num_tokens: tokens of all sentences.
        token_counts: tokens of each sentence, (num_sentences,) int64.
        num_cut_tokens: tokens longer than the 48 bytes that the model sees.
        longest: tokens of the longest sentence; 0 without sentences.
        blank_lines: numbers, from 1, of the sentences without tokens.
        has_nul: whether the text holds the character NUL, which HDF5 strings cannot.
        sha256: identifies texts and tokens in their order; of `json.dumps([text, tokens])`, sentence after sentence.
    """

    num_sentences: int
    num_tokens: int
    token_counts: NDArray[np.int64]
    num_cut_tokens: int
    longest: int
    blank_lines: tuple[int, ...]
    has_nul: bool
    sha256: str


def scan(source: SentenceSource, progress: Progress | None = None) -> InputSummary:
    """Read a source once and tell what is in it.

    Args:
        source: the sentences.
        progress: hears sentences read.

    Raises:
        TextError: the input cannot be read, or has blank lines and must not; the message has their numbers.
    """
    listener = progress or SilentProgress()
    counts, blank = array("q"), array("q")
    num_cut_tokens, has_nul, digest = 0, False, hashlib.sha256()
    listener.start(total=None, unit="sentences", label=f"reading {source.description}")
    for line in source:
        counts.append(len(line.tokens))
        if not line.tokens:
            blank.append(line.number)
        num_cut_tokens += sum(map(is_cut, line.tokens))
        has_nul = has_nul or "\0" in line.text
        digest.update(json.dumps([line.text, line.tokens]).encode("ascii"))
        listener.advance(1)
    listener.finish()
    if blank and source.blank_lines == "error":
        raise blank_lines_error(
            source, blank, "remove them, or keep them as empty sentences with --blank-lines empty"
        )
    token_counts = np.array(counts, dtype=np.int64)
    return InputSummary(
        num_sentences=len(token_counts),
        num_tokens=int(token_counts.sum()),
        token_counts=token_counts,
        num_cut_tokens=num_cut_tokens,
        longest=int(token_counts.max(initial=0)),
        blank_lines=tuple(blank),
        has_nul=has_nul,
        sha256=digest.hexdigest(),
    )


def blank_lines_error(source: SentenceSource, blank: Sequence[int], advice: str) -> TextError:
    """What to raise where lines without a sentence are not wanted: their numbers, from 1, and what to do."""
    numbers = ", ".join(map(str, blank[:_MOST_BLANK_NAMED]))
    more = f" and {len(blank) - _MOST_BLANK_NAMED} more" if len(blank) > _MOST_BLANK_NAMED else ""
    return TextError(
        f"{source.description}: a {source.unit} must hold a sentence, {source.unit}(s) {numbers}{more} are blank; "
        f"{advice}"
    )
