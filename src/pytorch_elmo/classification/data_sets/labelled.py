"""Labelled texts as tables of `datasets`, and as examples for `fit`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pytorch_elmo.classification.examples import Examples, Inputs
from pytorch_elmo.errors import TextError
from pytorch_elmo.text.data_sets import read_data_set

if TYPE_CHECKING:
    from datasets import Dataset

LabelledText = tuple[str, int]


def make_dataset(rows: Iterable[LabelledText], classes: Sequence[str], **columns: list[str] | list[int]) -> "Dataset":
    """A table with `text`, `label` (a `ClassLabel` that knows the classes' names) and perhaps other columns."""
    from datasets import ClassLabel, Dataset, Features, Value

    texts: list[str] = []
    labels: list[int] = []
    for text, label in rows:
        texts.append(text)
        labels.append(label)
    kinds = {name: Value("string" if isinstance(values[0], str) else "int64") for name, values in columns.items()}
    features = Features({"text": Value("string"), "label": ClassLabel(names=list(classes)), **kinds})
    return Dataset.from_dict({"text": texts, "label": labels, **columns}, features=features)


def read_labelled_texts(line: str, classes: Sequence[str], *, text: str = "text", label: str = "label") -> "Dataset":
    """Any table of texts and class names: `.jsonl`, `.csv`, `.tsv`, `.parquet`, or what `datasets` loads by its name.

    Args:
        line: `WHERE[:CONFIG][#SPLIT]`, as configurations name a data set.
        classes: the names that labels may have, in the order of their numbers.
        text: the column of the texts.
        label: the column of the class names, or of numbers of a `ClassLabel`.

    Raises:
        TextError: the table cannot be read, or a row has no such columns, no text, or another class.
    """
    rows = []
    for where, row in read_data_set(line, [text, label]):
        rows.append((checked_text(row[text], where, text), class_number(row[label], classes, where)))
    return make_dataset(rows, classes)


def checked_text(value: object, where: str, key: str) -> str:
    """A value that must be a text.

    Raises:
        TextError: it is something else.
    """
    if not isinstance(value, str):
        raise TextError(f"{where}: {key!r} must be a text, got {value!r:.40}; mend the line or leave it out")
    return value


def class_number(name: object, classes: Sequence[str], where: str) -> int:
    """The number of a class by its name.

    Raises:
        TextError: there is no such class.
    """
    if not isinstance(name, str) or name not in classes:
        raise TextError(f"{where}: a label is one of {', '.join(classes)}, got {name!r:.40}; mend it or leave it out")
    return list(classes).index(name)


def labels_of(dataset: "Dataset") -> Tensor:
    """The classes of a table, (num_examples,) int64."""
    return torch.tensor(list(dataset["label"]), dtype=torch.int64)


def examples_of(dataset: "Dataset", inputs: Inputs | None = None) -> Examples:
    """A table's texts, or what stands for them (ids, vectors), with its labels."""
    return Examples(list(dataset["text"]) if inputs is None else inputs, labels_of(dataset))
