"""The files of trained vectors: GloVe's text."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from pytorch_elmo.files import whole_file, writing_to

VECTORS = "vectors.txt.gz"
RAREST_SHARE = 0.025


def save_vectors(words: Sequence[str], vectors: Tensor, folder: Path, counting: dict[str, Any]) -> None:
    """Write `vectors.txt.gz`, as `WordVectors.from_file` reads it.

    Args:
        words: in descending order of frequency.
        vectors: (number of words, dim) float32.
        folder: where.
        counting: the settings of the counting.
    """
    write_glove_text(words, vectors, folder / VECTORS)


def write_glove_text(words: Sequence[str], vectors: Tensor, path: Path) -> None:
    """Write a word and its numbers a line, gzipped, as GloVe's files are; whole or not at all, the same every time.

    Args:
        words: without white space.
        vectors: (number of words, dim) float32, written with six significant digits.
        path: of the file.
    """
    with (
        whole_file(path) as partial,
        writing_to(path),
        partial.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
    ):
        for word, row in zip(words, vectors.tolist(), strict=True):
            packed.write(f"{word} {' '.join(f'{number:.6g}' for number in row)}\n".encode())


def rarest_mean(vectors: Tensor) -> Tensor:
    """The mean vector of the rarest 2.5 % of the words, for the words that have none; (dim,).

    TensorFlow Hub's embeddings "with oov" fill their buckets with the least frequent words, about 2.5 % of them.

    Args:
        vectors: (number of words, dim), in descending order of frequency.
    """
    return vectors[-max(round(RAREST_SHARE * len(vectors)), 1) :].mean(dim=0)
