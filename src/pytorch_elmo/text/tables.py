"""One column of a table: JSON lines, CSV, Parquet, or a folder that `datasets` saved.

Files are read without `datasets`, which changes the text of JSON lines and CSV on the way (a column of dates becomes
dates, `007` becomes 7.0, `NA` becomes nothing), cannot tell the line of an error, and writes into the user's cache.
"""

import csv
import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.lines import InputFile, read_lines

Content = str | list[str]  # raw text, or tokens
Row = Mapping[str, object]

_ROWS_PER_BATCH = 1024
_LONGEST_CSV_FIELD = 1 << 30  # characters; the csv module's own limit, 128 thousand, is less than a long document
# What Arrow and `datasets` raise on a damaged file depends on where the damage is.
_SIGNS_OF_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError)


class _Format(NamedTuple):
    columns: Callable[[InputFile], list[str]]
    rows: Callable[[InputFile, str], Iterator[Row]]


def is_table(file: InputFile) -> bool:
    """Whether `file` has named columns.

    Raises:
        TextError: it is a folder, and not of a saved dataset; or a dataset of several splits.
    """
    return _format_of(file) is not None


def check_field(file: InputFile, field: str | None) -> str:
    """The column to read, which must be in the table; a table without rows has every column.

    Raises:
        TextError: no column is named, or one that the table does not have, or the table cannot be read.
    """
    columns = _known_format(file).columns(file)
    if field is None:
        raise TextError(f"{file.name} is a table, name its column with --field; {_there_are(columns)}")
    if columns and field not in columns:
        raise _no_field(file.name, field, columns)
    return field


def read_column(file: InputFile, field: str) -> Iterator[Content]:
    """The text or the tokens in column `field` of each row.

    Raises:
        TextError: the table cannot be read, or a row has no such field or something else in it.
    """
    for number, row in enumerate(_known_format(file).rows(file, field), start=1):
        where = f"{file.name}, row {number}"
        if field not in row:
            raise _no_field(where, field, list(row))
        yield _content(row[field], where, field)


def _content(value: Any, where: str, field: str) -> Content:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(token, str) for token in value)):
        content: Content = value
        return content
    met = "nothing" if value is None else f"{value!r:.40}"
    raise TextError(f"{where}: field {field!r} must hold a string or a list of strings, got {met}; leave the row out")


def _no_field(where: str, field: str, columns: list[str]) -> TextError:
    near = difflib.get_close_matches(field, columns, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return TextError(f"{where}: no field {field!r}; {hint}{_there_are(columns)}")


def _there_are(columns: list[str]) -> str:
    return f"there are {', '.join(columns)}" if columns else "there are none"


def _known_format(file: InputFile) -> _Format:
    table_format = _format_of(file)
    if table_format is None:
        raise TextError(f"{file.name} is not a table; name a .jsonl, .csv or .parquet file or a saved dataset")
    return table_format


def _format_of(file: InputFile) -> _Format | None:
    if not file.path.is_dir():
        return _FORMATS.get(file.format)
    if (splits := file.path / "dataset_dict.json").is_file():
        with _arrow_errors(file, "a saved dataset"):
            names = json.loads(splits.read_text(encoding="utf-8"))["splits"]
        raise TextError(f"{file.name} holds the splits {', '.join(names)}; name the folder of one")
    if (file.path / "state.json").is_file():
        return _SAVED_DATASET
    raise TextError(f"{file.name} is a folder; name a file of text, or a folder written by datasets' save_to_disk")


def _json_columns(file: InputFile) -> list[str]:
    return list(next(_json_rows(file, ""), {}))


def _json_rows(file: InputFile, _: str) -> Iterator[Row]:
    for number, line in enumerate(read_lines(file, encoding="utf-8-sig"), start=1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", str(error))
            raise TextError(f"{file.name}, line {number}: not JSON ({reason}); write one object a line") from error
        if not isinstance(row, dict):
            raise TextError(f"{file.name}, line {number}: a JSON object is needed, got {line[:40].rstrip()}")
        yield row


def _csv_columns(file: InputFile) -> list[str]:
    with _csv_errors(file) as reader:
        return next(reader, [])


def _csv_rows(file: InputFile, _: str) -> Iterator[Row]:
    with _csv_errors(file) as reader:
        header: list[str] = next(reader, [])
        for row in reader:
            if row and len(row) != len(header):
                raise TextError(
                    f"{file.name}, line {reader.line_num}: {len(row)} fields, the first line names {len(header)}; "
                    'put text with a comma between "quotation marks"'
                )
            if row:
                yield dict(zip(header, row, strict=True))


@contextmanager
def _csv_errors(file: InputFile) -> Iterator[Any]:
    """A reader of the file's rows, and its errors in one line."""
    csv.field_size_limit(_LONGEST_CSV_FIELD)
    reader = csv.reader(read_lines(file, encoding="utf-8-sig", newline=""), strict=True)
    try:
        yield reader
    except csv.Error as error:
        where = f"{file.name}, line {reader.line_num}"
        raise TextError(f"{where}: not CSV ({error}); mend its quotation marks") from error


def _parquet_columns(file: InputFile) -> list[str]:
    with _parquet_file(file) as table:
        return list(table.schema_arrow.names)


def _parquet_rows(file: InputFile, field: str) -> Iterator[Row]:
    with _parquet_file(file) as table:
        for batch in table.iter_batches(batch_size=_ROWS_PER_BATCH, columns=[field]):
            yield from batch.to_pylist()


@contextmanager
def _parquet_file(file: InputFile) -> Iterator[Any]:
    from pyarrow import parquet  # type: ignore[import-untyped]  # comes with datasets

    with _arrow_errors(file, "Parquet"), parquet.ParquetFile(file.path) as table:
        yield table


def _saved_columns(file: InputFile) -> list[str]:
    with _saved_dataset(file) as dataset:
        return list(dataset.column_names)


def _saved_rows(file: InputFile, field: str) -> Iterator[Row]:
    with _saved_dataset(file) as dataset:
        for batch in dataset.select_columns([field]).with_format("arrow").iter(batch_size=_ROWS_PER_BATCH):
            # The file is mapped into memory as it is: without this, a flipped bit can end the process.
            batch.validate(full=True)
            yield from batch.to_pylist()


@contextmanager
def _saved_dataset(file: InputFile) -> Iterator[Any]:
    from datasets import load_from_disk

    with _arrow_errors(file, "a saved dataset"):
        yield load_from_disk(str(file.path))


@contextmanager
def _arrow_errors(file: InputFile, kind: str) -> Iterator[None]:
    """Turn what is raised on a damaged file into one line.

    Raises:
        TextError: the file cannot be read.
    """
    try:
        yield
    except _SIGNS_OF_DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TextError(f"{file.name} cannot be read as {kind} ({reason}); make or copy it again") from error


_JSON_LINES = _Format(_json_columns, _json_rows)
_SAVED_DATASET = _Format(_saved_columns, _saved_rows)
_FORMATS = {
    ".jsonl": _JSON_LINES,
    ".json": _JSON_LINES,
    ".csv": _Format(_csv_columns, _csv_rows),
    ".parquet": _Format(_parquet_columns, _parquet_rows),
}
