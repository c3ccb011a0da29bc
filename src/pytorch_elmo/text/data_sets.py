"""Data sets as a configuration names them, in one line of text: `WHERE[:CONFIG][#SPLIT]`.

WHERE is a table that `tables` reads (`.jsonl`, `.csv`, `.tsv`, `.parquet`, a folder that `datasets` saved), or what
`datasets.load_dataset` takes: a folder with files of data, or the name of a data set of the hub. What exists under
the whole line is that, whatever signs are in its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.lines import InputFile
from pytorch_elmo.text.tables import (
    Classes,
    Row,
    check_columns,
    class_names,
    column_names,
    dataset_rows,
    is_table,
    read_classes,
    read_rows,
)

_NO_CLASS = -1  # what data sets of the hub hold where a label is kept secret


def read_data_set(line: str, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each row where it stands, for messages, and its values in some columns.

    Numbers of classes become the classes' names, also in lists, and -1 becomes None.

    Args:
        line: `WHERE[:CONFIG][#SPLIT]`.
        columns: the names of at least one.

    Raises:
        TextError: the data set cannot be read, or has no such split, columns or classes.
    """
    name, classes, rows = _open(line, columns)
    for number, row in enumerate(rows, start=1):
        where = f"{name}, row {number}"
        yield where, {column: _named(row[column], classes.get(column), f"{where}: {column}") for column in columns}


def _named(value: Any, names: Sequence[str] | None, where: str) -> Any:
    if names is None or value is None or value == _NO_CLASS:
        return value if names is None else None
    if isinstance(value, list):
        return [_named(inner, names, where) for inner in value]
    if value not in range(len(names)):
        raise TextError(f"{where} must be one of the classes 0 to {len(names) - 1}, got {value}; mend the data set")
    return names[value]


def _open(line: str, columns: Sequence[str]) -> tuple[str, Classes, Iterator[Row]]:
    """The name of the data set for people, its classes, and its rows with these columns."""
    where, config, split = _parts(line)
    file = _table(where, split)
    if file is not None:
        check_columns(file.name, column_names(file), columns)
        return file.name, read_classes(file), read_rows(file, columns)
    dataset = _loaded(line, where, config, split)
    check_columns(line, list(dataset.column_names), columns)
    return line, class_names(dataset.features), dataset_rows(dataset, columns)


def _parts(line: str) -> tuple[str, str, str]:
    """The data set, its configuration and its split; what is not said is empty."""
    where, split = line, ""
    if "#" in where and not Path(where).exists():
        where, _, split = where.rpartition("#")
    if ":" not in where or Path(where).exists():
        return where, "", split
    where, _, config = where.rpartition(":")
    return where, config, split


def _table(where: str, split: str) -> InputFile | None:
    """What `tables` reads, be it there or not; None if `datasets` is to load it."""
    path, file = Path(where), InputFile(Path(where), where)
    if path.is_dir():
        if split and (path / "dataset_dict.json").is_file():
            return _saved_split(path, split)
        if not any((path / name).is_file() for name in ("dataset_dict.json", "state.json")):
            return None
    elif not is_table(file, field=""):
        return None
    if split:
        raise TextError(f"{where} is one table without splits, got #{split}; leave it out")
    return file


def _saved_split(folder: Path, split: str) -> InputFile:
    splits = sorted(path.parent.name for path in folder.glob("*/state.json"))
    if split not in splits:
        raise TextError(f"{folder} has no split {split!r}; there are {', '.join(splits)}")
    return InputFile(folder / split, f"{folder}#{split}")


def _loaded(line: str, where: str, config: str, split: str) -> Any:
    """The `datasets.Dataset` of one split.

    Raises:
        TextError: `datasets` cannot load it, or no split is named.
    """
    from datasets import load_dataset

    try:
        loaded = load_dataset(where, config or None, split=split or None)
    except (OSError, ValueError, RuntimeError) as error:  # its own errors are among them
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TextError(
            f"{line} cannot be loaded ({reason}); name a table, a folder with data, or NAME:CONFIG#SPLIT of the hub"
        ) from error
    if isinstance(loaded, Mapping):
        raise TextError(f"{line} must end in #SPLIT; the splits are {', '.join(loaded)}")
    return loaded
