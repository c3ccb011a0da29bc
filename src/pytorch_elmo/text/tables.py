"""Columns of a table: JSON lines, CSV, TSV, Parquet, or a folder that `datasets` saved.

Files are read without `datasets`, which changes the text of JSON lines and CSV on the way (a column of dates becomes
dates, `007` becomes 7.0, `NA` becomes nothing), cannot tell the line of an error, and writes into the user's cache.
"""

import csv
import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.json_lines import read_json_lines
from pytorch_elmo.text.lines import InputFile, read_lines

Content = str | list[str]  # raw text, or tokens
Row = Mapping[str, object]
Classes = Mapping[str, list[str]]  # column -> the names of the classes that its whole numbers stand for

SAVED_DATASET_MARK = "state.json"  # in a folder that `save_to_disk` made of one split
_ROWS_PER_BATCH = 1024
_ADVICE_ON_FIELDS = {
    ".csv": 'put text with a comma between "quotation marks"',
    ".tsv": "text must not have a tab or a line break in it",
}
_LONGEST_CSV_FIELD = 1 << 30  # characters; the csv module's own limit, 128 thousand, is less than a long document
# What Arrow and `datasets` raise on a damaged file depends on where the damage is.
_SIGNS_OF_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError)


class _Format(NamedTuple):
    columns: Callable[[InputFile], list[str]]
    rows: Callable[[InputFile, Sequence[str]], Iterator[Row]]
    classes: Callable[[InputFile], Classes] = lambda _: {}


def is_table(file: InputFile, field: str | None = None) -> bool:
    """Whether `file` has named columns; a `.tsv` file is plain text as long as no `field` is asked for.

    Raises:
        TextError: it is a folder, and not of a saved dataset; or a dataset of several splits.
    """
    return _format_of(file) is not None and (file.format != ".tsv" or field is not None)


def check_field(file: InputFile, field: str | None) -> str:
    """The column to read, which must be in the table; a table without rows has every column.

    Raises:
        TextError: no column is named, or one that the table does not have, or the table cannot be read.
    """
    columns = _known_format(file).columns(file)
    if field is None:
        rule = "is a table, name its column with --field (or field in a configuration)"
        raise TextError(f"{file.name} {rule}; {_there_are(columns)}")
    check_columns(file.name, columns, [field])
    return field


def check_columns(name: str, columns: list[str], fields: Sequence[str]) -> None:
    """Check that a table has some columns; a table without any has no rows either.

    Raises:
        TextError: it does not.
    """
    for field in fields:
        if columns and field not in columns:
            raise _no_field(name, field, columns)


def column_names(file: InputFile) -> list[str]:
    """The columns of a table in their order; of JSON lines those of the first row.

    Raises:
        TextError: the table cannot be read.
    """
    return _known_format(file).columns(file)


def read_classes(file: InputFile) -> Classes:
    """The columns of `datasets`' type `ClassLabel`, or of lists of it.

    Raises:
        TextError: the table cannot be read.
    """
    return _known_format(file).classes(file)


def read_column(file: InputFile, field: str) -> Iterator[Content]:
    """The text or the tokens in column `field` of each row.

    Raises:
        TextError: the table cannot be read, or a row has no such field or something else in it.
    """
    for number, row in enumerate(read_rows(file, [field]), start=1):
        yield checked_content(row[field], f"{file.name}, row {number}", field)


def read_rows(file: InputFile, fields: Sequence[str]) -> Iterator[Row]:
    """Each row with the columns `fields` and perhaps others, its values as they are.

    Raises:
        TextError: the table cannot be read, or a row has no such field.
    """
    for number, row in enumerate(_known_format(file).rows(file, fields), start=1):
        for field in fields:
            if field not in row:
                raise _no_field(f"{file.name}, row {number}", field, list(row))
        yield row


def checked_content(value: Any, where: str, field: str) -> Content:
    """The value of a field, which must be text or tokens.

    Raises:
        TextError: it is something else.
    """
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
        raise TextError(f"{file.name} is not a table; name a .jsonl, .csv, .tsv or .parquet file or a saved dataset")
    return table_format


def _format_of(file: InputFile) -> _Format | None:
    if not file.path.is_dir():
        return _FORMATS.get(file.format)
    if (splits := file.path / "dataset_dict.json").is_file():
        with _arrow_errors(file, "a saved dataset"):
            names = json.loads(splits.read_text(encoding="utf-8"))["splits"]
        raise TextError(f"{file.name} holds the splits {', '.join(names)}; name the folder of one")
    if (file.path / SAVED_DATASET_MARK).is_file():
        return _SAVED_DATASET
    raise TextError(f"{file.name} is a folder; name a file of text, or a folder written by datasets' save_to_disk")


def _json_columns(file: InputFile) -> list[str]:
    return list(next(_json_rows(file), {}))


def _json_rows(file: InputFile, _: Sequence[str] = ()) -> Iterator[Row]:
    return (row for _, row in read_json_lines(file))


def _csv_columns(file: InputFile) -> list[str]:
    with _csv_errors(file) as reader:
        return next(reader, [])


def _csv_rows(file: InputFile, _: Sequence[str]) -> Iterator[Row]:
    with _csv_errors(file) as reader:
        header: list[str] = next(reader, [])
        for row in reader:
            if row and len(row) != len(header):
                raise TextError(
                    f"{file.name}, line {reader.line_num}: {len(row)} fields, the first line names {len(header)}; "
                    f"{_ADVICE_ON_FIELDS[file.format]}"
                )
            if row:
                yield dict(zip(header, row, strict=True))


@contextmanager
def _csv_errors(file: InputFile) -> Iterator[Any]:
    """A reader of the file's rows, and its errors in one line."""
    csv.field_size_limit(_LONGEST_CSV_FIELD)
    form: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if file.format == ".tsv" else {}
    reader = csv.reader(read_lines(file, encoding="utf-8-sig", newline=""), strict=True, **form)
    try:
        yield reader
    except csv.Error as error:
        where = f"{file.name}, line {reader.line_num}"
        raise TextError(f"{where}: not CSV ({error}); mend its quotation marks") from error


def _parquet_columns(file: InputFile) -> list[str]:
    with _parquet_file(file) as table:
        return list(table.schema_arrow.names)


def _parquet_rows(file: InputFile, fields: Sequence[str]) -> Iterator[Row]:
    with _parquet_file(file) as table:
        for batch in table.iter_batches(batch_size=_ROWS_PER_BATCH, columns=list(fields)):
            yield from batch.to_pylist()
            file.advance(file.path.stat().st_size * batch.num_rows // table.metadata.num_rows)


def _parquet_classes(file: InputFile) -> Classes:
    from datasets import Features

    with _parquet_file(file) as table:
        schema = table.schema_arrow
        return class_names(Features.from_arrow_schema(schema)) if b"huggingface" in (schema.metadata or {}) else {}


@contextmanager
def _parquet_file(file: InputFile) -> Iterator[Any]:
    from pyarrow import parquet  # type: ignore[import-untyped]  # comes with datasets

    with _arrow_errors(file, "Parquet"), parquet.ParquetFile(file.path) as table:
        yield table


def _saved_columns(file: InputFile) -> list[str]:
    with _saved_dataset(file) as dataset:
        return list(dataset.column_names)


def _saved_rows(file: InputFile, fields: Sequence[str]) -> Iterator[Row]:
    with _saved_dataset(file) as dataset:
        size = sum(path.stat().st_size for path in file.path.rglob("*"))
        yield from dataset_rows(dataset, fields, lambda rows: file.advance(size * rows // len(dataset)))


def dataset_rows(
    dataset: Any, fields: Sequence[str], advance: Callable[[int], None] = lambda _: None
) -> Iterator[Row]:
    """Rows of a `datasets.Dataset`, the columns `fields` alone, values as stored; `advance` hears how many."""
    for batch in dataset.select_columns(list(fields)).with_format("arrow").iter(batch_size=_ROWS_PER_BATCH):
        # The file is mapped into memory as it is: without this, a flipped bit can end the process.
        batch.validate(full=True)
        yield from batch.to_pylist()
        advance(batch.num_rows)


def _saved_classes(file: InputFile) -> Classes:
    with _saved_dataset(file) as dataset:
        return class_names(dataset.features)


def class_names(features: Mapping[str, Any]) -> Classes:
    """The classes of `datasets`' features: each a feature, or a list of one, which it writes in two ways."""
    inner = {
        column: feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
        for column, feature in features.items()
    }
    return {column: list(feature.names) for column, feature in inner.items() if hasattr(feature, "names")}


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
_SAVED_DATASET = _Format(_saved_columns, _saved_rows, _saved_classes)
_SEPARATED = _Format(_csv_columns, _csv_rows)
_FORMATS = {
    ".jsonl": _JSON_LINES,
    ".json": _JSON_LINES,
    ".csv": _SEPARATED,
    ".tsv": _SEPARATED,
    ".parquet": _Format(_parquet_columns, _parquet_rows, _parquet_classes),
}
