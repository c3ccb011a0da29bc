"""Large collections of text as a stream of tokenised sentences, in documents."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.archives import is_archive, read_members
from pytorch_elmo.text.lines import InputFile, read_lines
from pytorch_elmo.text.prose import ContentOrEnd, tokenized_prose
from pytorch_elmo.text.tables import check_field, is_table, read_column

DocumentEnd = Literal["file", "blank_line", "line"]
Sentence = list[str]


def read_sentences(
    inputs: Sequence[InputFile],
    *,
    tokenizer: str,
    field: str | None = None,
    documents: DocumentEnd = "file",
    num_processes: int = 1,
) -> Iterator[Sentence | None]:
    r"""The sentences of all inputs with at least one token, and None after the last one of each document.

    With `whitespace` a line is a sentence, with `moses` a paragraph of prose; blank lines hold none. Lines end
    at `\n`, `\r\n` and `\r` alone; a byte order mark is left out. The text of a table's row is read as lines too; a
    list of strings in a row is one sentence, and white space inside of its tokens separates.

    Args:
        inputs: UTF-8 text, tables, and tar archives of both; all but Parquet may be compressed.
        tokenizer: one of `TOKENIZERS`.
        field: the column of tables that holds the text.
        documents: what ends a document: a file (or member of an archive), a blank line or a file, or each line. A
            row of a table is always a document.
        num_processes: that tokenise prose; the result does not depend on it.

    Raises:
        TextError: an input cannot be read; the message names file, member and line.
        ConfigurationError: no such tokenizer.
    """
    contents = chain.from_iterable(_contents(file, field, documents) for file in inputs)
    if tokenizer == "whitespace":
        return _split(contents)
    return tokenized_prose(contents, tokenizer, num_processes)


def refuse_field_without_table(inputs: Sequence[InputFile], field: str | None) -> None:
    """Refuse a column to read where there can be no table.

    Raises:
        TextError: all inputs are plain text.
    """
    if field is not None and not any(is_archive(file) or is_table(file, field) for file in inputs):
        raise TextError(
            f"{inputs[0].name} is plain text and has no fields, got the field {field!r}; leave it out, or name a "
            ".jsonl, .csv or .parquet file or a saved dataset"
        )


def _split(contents: Iterator[ContentOrEnd]) -> Iterator[Sentence | None]:
    for content in contents:
        if content is None:
            yield None
        elif tokens := (content if isinstance(content, str) else " ".join(content)).split():
            yield tokens


def _contents(file: InputFile, field: str | None, documents: DocumentEnd) -> Iterator[ContentOrEnd]:
    if is_archive(file):
        for member in read_members(file):
            yield from _contents(member, field, documents)
    elif is_table(file, field):
        yield from _rows(file, field)
    else:
        yield from _lines(file, documents)
        yield None


def _rows(file: InputFile, field: str | None) -> Iterator[ContentOrEnd]:
    if file.stream is not None and file.format == ".parquet":
        raise TextError(f"{file.name}: Parquet inside an archive cannot be read as it comes; unpack the archive")
    # A member of an archive is read once, so its rows tell whether they have the field.
    column = field if field is not None and file.stream is not None else check_field(file, field)
    for content in read_column(file, column):
        if isinstance(content, list):
            yield [_without_surrogates(token) for token in content]
        else:
            yield from _without_surrogates(content).split("\n")
        yield None


def _without_surrogates(text: str) -> str:
    """JSON can hold halves of characters, which UTF-8 cannot; a model drops them too."""
    return text if text.isascii() else text.encode("utf-8", "ignore").decode("utf-8")


def _lines(file: InputFile, documents: DocumentEnd) -> Iterator[ContentOrEnd]:
    lines = read_lines(file, encoding="utf-8-sig")
    if documents == "file":
        yield from lines
        return
    for line in lines:
        yield line
        if documents == "line" or line.isspace():
            yield None
