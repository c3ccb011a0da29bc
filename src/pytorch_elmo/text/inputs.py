"""From the paths, patterns and folders that a user names to the files of text behind them."""

from collections.abc import Callable, Sequence
from glob import glob
from pathlib import Path

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.lines import InputFile
from pytorch_elmo.text.tables import SAVED_DATASET_MARK


def find_inputs(patterns: Sequence[str]) -> list[InputFile]:
    """The files that paths, folders and patterns name, in the order given, sorted within each.

    A folder stands for all files below it, hidden ones left out, unless `datasets` saved it: then it is one table.
    A pattern (`*`, `?`, `[…]`, and `**` for folders) finds files and saved tables. What is named twice is read twice.

    Raises:
        TextError: a pattern names no file.
    """
    found: list[InputFile] = []
    for pattern in patterns:
        paths = [pattern] if Path(pattern).exists() else sorted(glob(pattern, recursive=True))
        inputs = [InputFile(Path(path), path) for path in paths if _is_text(Path(path))]
        if not inputs and Path(pattern).is_dir():
            inputs = [InputFile(path, str(path)) for path in _files_below(Path(pattern))]
        if not inputs:
            raise TextError(
                f"no text file matches {pattern!r}; give a path, a folder or a glob, relative to this folder"
            )
        found.extend(inputs)
    return found


def files_of(file: InputFile) -> list[Path]:
    """What lies on the disk for an input: the file itself, or the files of a saved table."""
    return _files_below(file.path) if file.path.is_dir() else [file.path]


def size_of(inputs: Sequence[InputFile]) -> int:
    """Bytes on the disk of all inputs."""
    return sum(path.stat().st_size for file in inputs for path in files_of(file))


def heard(inputs: Sequence[InputFile], advance: Callable[[int], None]) -> list[InputFile]:
    """The same inputs; `advance` hears the bytes that are read of them."""
    return [InputFile(file.path, file.name, advance=advance) for file in inputs]


def _is_text(path: Path) -> bool:
    return path.is_file() or (path / SAVED_DATASET_MARK).is_file()


def _files_below(folder: Path) -> list[Path]:
    below = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in below if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
