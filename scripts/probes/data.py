"""Tokens, part-of-speech tags and predicate senses from CoNLL-2012's columns, and a model's layers of the tokens."""

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from prepare_srl import ENDING, place, read_source
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import TextError

SPLITS = ("train", "dev", "test")
_WORD, _TAG, _LEMMA, _SENSE, _FEWEST_COLUMNS = 3, 4, 6, 7, 8
_NONE = "-"


class Predicate(NamedTuple):
    """A token with a sense; `position` counts through all tokens of its split."""

    position: int
    lemma: str
    sense: str


class Split(NamedTuple):
    """One part of the data: sentences, the tag of every token in their order, and the predicates among them."""

    sentences: list[list[str]]
    tags: list[str]
    predicates: list[Predicate]

    @property
    def words(self) -> list[str]:
        """All tokens, as `tags`."""
        return [word for sentence in self.sentences for word in sentence]


def read_splits(source: Path) -> dict[str, Split]:
    """The parts train, dev and test of a folder or tar file with `*gold_conll` files, as prepare_srl.py reads it.

    A sense is `LEMMA.NUMBER`; where the column holds the number alone, the lemma is put before it.

    Raises:
        TextError: a part is missing or empty, or a row has too few columns.
    """
    splits = {name: Split([], [], []) for name in SPLITS}
    for file in read_source(source):
        if (where := place(file.path)) is not None:
            _add(splits[where.parts[0]], file.text, str(file.path))
    for name, split in splits.items():
        if not split.predicates:
            raise TextError(
                f"{source}: {name} must have a sentence with a predicate in its *{ENDING} files, got "
                f"{len(split.sentences)} sentences; name the folder that holds {', '.join(SPLITS)}"
            )
    return splits


def _add(split: Split, text: str, name: str) -> None:
    numbered = enumerate(text.splitlines(), 1)
    for is_row, lines in groupby(numbered, key=lambda line: bool(line[1].strip()) and not line[1].startswith("#")):
        if is_row:
            split.sentences.append(
                [_add_row(split, line.split(), f"{name}, line {number}") for number, line in lines]
            )


def _add_row(split: Split, row: list[str], where: str) -> str:
    """Note a token's tag and sense; returns its word."""
    if len(row) < _FEWEST_COLUMNS:
        raise TextError(f"{where}: a row needs {_FEWEST_COLUMNS} columns or more, got {len(row)}; mend the file")
    lemma, sense = row[_LEMMA], row[_SENSE]
    if sense != _NONE:
        full = sense if "." in sense else f"{lemma}.{sense}"
        split.predicates.append(Predicate(len(split.tags), lemma, full))
    split.tags.append(row[_TAG])
    return row[_WORD]


def embed(embedder: ElmoEmbedder, split: Split, label: str) -> Tensor:
    """Every layer of every token, (num_layers, num_tokens, dim) float16 to halve the memory."""
    layers = torch.empty(embedder.num_layers, len(split.tags), embedder.dim, dtype=torch.float16)
    done = 0
    with tqdm(total=len(split.tags), desc=f"embedding {label}", unit=" token", unit_scale=True) as bar:
        for vectors in embedder.embed_sentences(split.sentences):
            layers[:, done : done + vectors.shape[1]] = torch.from_numpy(vectors)
            done += vectors.shape[1]
            bar.update(vectors.shape[1])
    return layers


def half_width(share: float, count: int) -> float:
    """Half of the 95 % interval of a share of `count` independent answers; tokens of one text are less than that."""
    return float(1.96 * np.sqrt(share * (1 - share) / count))


Answers = NDArray[np.bool_]  # right or wrong, one a token or predicate
