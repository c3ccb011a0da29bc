"""The files of trained vectors: GloVe's text, and a text embedding as TensorFlow's hub has them."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pytorch_elmo.files import whole_file, writing_to
from pytorch_elmo.static_embeddings.text_embedding import TextEmbedding
from pytorch_elmo.static_embeddings.vector_file import glove_lines

VECTORS, TEXT_EMBEDDING = "vectors.txt.gz", "text_embedding"
_RAREST_SHARE = 0.025


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
        packed.writelines(line.encode() for line in glove_lines(words, vectors.tolist()))


def write_text_embedding(
    words: Sequence[str], vectors: Tensor, folder: Path, *, remove_punctuation: bool, dtype: torch.dtype
) -> None:
    """Write what `TextEmbedding.load` reads: sqrtn, and one bucket for all other tokens.

    The bucket's vector is the mean of the rarest 2.5 % of the words, at least one: the hub's embeddings "with oov"
    train theirs on the least frequent words of the text, about 2.5 % of its vocabulary.

    Args:
        words: in descending order of frequency.
        vectors: (number of words, dim) float32.
        folder: made if it is not there.
        remove_punctuation: as the words were counted.
        dtype: of the stored numbers.
    """
    rarest = vectors[-max(round(_RAREST_SHARE * len(vectors)), 1) :].mean(dim=0, keepdim=True)
    matrix = torch.cat([vectors, rarest])
    TextEmbedding(words, matrix, remove_punctuation=remove_punctuation).save(folder, dtype=dtype)
