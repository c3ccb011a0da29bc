"""Tagged sentences: a folder of train.tsv, dev.tsv and test.tsv, and the padded batches that a tagger reads.

A file holds one token a line, a tab, and its tag (`O`, `B-type` or `I-type`); blank lines stand between sentences.
"""

import random
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from pytorch_elmo.errors import TextError

SPLITS = ("train", "dev", "test")
IGNORED_TAG_ID = -100  # what cross entropy leaves out
_LINE = re.compile(r"(?P<token>[^\t]+)\t(?P<tag>O|[BI]-[^\t]+)")


class TaggedSentence(NamedTuple):
    """Tokens and as many tags."""

    tokens: list[str]
    tags: list[str]


class NumberedSentence(NamedTuple):
    """Word ids and tag ids, (num_tokens,) int64, and ELMo's layers, (num_layers, num_tokens, dim) float16, if any."""

    word_ids: Tensor
    tag_ids: Tensor
    layers: Tensor | None


class Batch(NamedTuple):
    """Sentences padded to the longest.

    word_ids: (batch_size, num_tokens) int64, padded with 0.
    tag_ids: (batch_size, num_tokens) int64, padded with `IGNORED_TAG_ID`.
    lengths: (batch_size,) int64.
    layers: (num_layers, batch_size, num_tokens, dim) float32, padded with 0; None without ELMo.
    """

    word_ids: Tensor
    tag_ids: Tensor
    lengths: Tensor
    layers: Tensor | None


def read_tagged(path: Path) -> list[TaggedSentence]:
    """The sentences of a file.

    Raises:
        TextError: the file cannot be read, is not UTF-8, holds no sentence, or a line is not a token and a tag.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise TextError(f"cannot read the tagged sentences {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: tagged sentences must be UTF-8, got {error.reason}; convert it") from error
    sentences = []
    for blank, numbered in groupby(enumerate(lines, 1), key=lambda line: not line[1].strip()):
        if not blank:
            pairs = [_parse(line, path, number) for number, line in numbered]
            sentences.append(TaggedSentence([token for token, _ in pairs], [tag for _, tag in pairs]))
    if not sentences:
        raise TextError(f"{path}: a split must hold at least one sentence, got none; give another folder")
    return sentences


def read_splits(folder: Path) -> dict[str, list[TaggedSentence]]:
    """The three files of a folder, by `SPLITS`.

    Raises:
        TextError: as `read_tagged`.
    """
    return {split: read_tagged(folder / f"{split}.tsv") for split in SPLITS}


def batches(sentences: Sequence[NumberedSentence], batch_size: int, order: random.Random) -> Iterator[Batch]:
    """Batches of sentences of about one length, in a random order; equal lengths are dealt anew each time."""
    by_length = sorted(sentences, key=lambda sentence: (len(sentence.word_ids), order.random()))
    groups = [by_length[start : start + batch_size] for start in range(0, len(by_length), batch_size)]
    order.shuffle(groups)
    return map(pad, groups)


def pad(sentences: Sequence[NumberedSentence]) -> Batch:
    """One batch of some sentences, in their order; all have layers or none has."""
    layers = [sentence.layers.transpose(0, 1).float() for sentence in sentences if sentence.layers is not None]
    return Batch(
        word_ids=pad_sequence([sentence.word_ids for sentence in sentences], batch_first=True),
        tag_ids=pad_sequence(
            [sentence.tag_ids for sentence in sentences], batch_first=True, padding_value=IGNORED_TAG_ID
        ),
        lengths=torch.tensor([len(sentence.word_ids) for sentence in sentences]),
        layers=pad_sequence(layers, batch_first=True).permute(2, 0, 1, 3) if layers else None,
    )


def _parse(line: str, path: Path, number: int) -> tuple[str, str]:
    match = _LINE.fullmatch(line.rstrip("\r"))
    if match is None:
        raise TextError(
            f"{path}, line {number}: a line must be a token, a tab and a tag (O, B-type or I-type), "
            f"got {line[:40]!r}; mend it or leave a blank line"
        )
    return match["token"], match["tag"]
