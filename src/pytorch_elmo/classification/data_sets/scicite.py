"""SciCite: why a paper cites another one (Cohan et al. 2019)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytorch_elmo.classification.data_sets.labelled import checked_text, class_number, make_dataset
from pytorch_elmo.errors import TextError
from pytorch_elmo.text.json_lines import read_json_lines
from pytorch_elmo.text.lines import InputFile

if TYPE_CHECKING:
    from datasets import Dataset

SCICITE_CLASSES = ("method", "background", "result")
_TEXT_KEYS = ("string", "text")  # of the published files, and of SciBERT's form of them


def read_scicite(path: str | Path) -> "Dataset":
    """One part of SciCite, in the order of its file, with the class order of TensorFlow Datasets.

    Args:
        path: `.jsonl`, with the keys `string` and `label` as published, or `text` and `label`. Where lines have a
            `unique_id`, those that repeat one are left out, as TensorFlow Datasets does.

    Returns:
        A table with the columns `text` and `label`: method 0, background 1, result 2.

    Raises:
        TextError: the file cannot be read, or a line is no object with these keys and one of these classes.
    """
    file = InputFile(Path(path), str(path))
    rows, seen = [], set()
    for number, row in read_json_lines(file):
        where = f"{file.name}, line {number}"
        text_key = _text_key(row, where)
        text = checked_text(row[text_key], where, text_key)
        label = class_number(row["label"], SCICITE_CLASSES, where)
        unique_id = str(row.get("unique_id", number))
        if unique_id not in seen:
            rows.append((text, label))
        seen.add(unique_id)
    return make_dataset(rows, SCICITE_CLASSES)


def _text_key(row: dict[str, Any], where: str) -> str:
    found = [key for key in _TEXT_KEYS if key in row]
    if len(found) != 1 or "label" not in row:
        raise TextError(
            f"{where}: the keys label and one of {', '.join(_TEXT_KEYS)} are needed, got "
            f"{', '.join(row) or 'none'}; name a file of SciCite"
        )
    return found[0]
