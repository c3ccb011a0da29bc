"""An embedding matrix for another vocabulary, in which the words that were known keep their rows."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.errors import ArgumentTypeError, ArgumentValueError, ConfigurationError, NotAMatrixError
from pytorch_elmo.static_embeddings.initial_rows import Initializer, as_tensor, initial_rows
from pytorch_elmo.text.vocabulary import Vocabulary

Words = Sequence[Hashable] | NDArray[Any] | Tensor | Vocabulary | str
Matrix = TypeVar("Matrix", Tensor, NDArray[Any])

_KINDS = "a list, a tuple, an array or tensor of one axis, a Vocabulary, or the path of a file as a string"


def warmstart_embedding_matrix(
    base_vocabulary: Words,
    new_vocabulary: Words,
    base_embeddings: Matrix,
    new_embeddings_initializer: Initializer = "uniform",
) -> Matrix:
    """A matrix for a new vocabulary, as Keras makes it: words of the base keep their rows, others get initial ones.

    Words are equal as they are in Python: case, spaces and the form of Unicode matter, 1 is 1.0, and bytes are never
    a string. `''` and `[UNK]` are words as any other. Of a word that stands twice in the base the last row counts; in
    the new vocabulary each gets the row. Rows beyond the base vocabulary are ignored, and rows may be missing as long
    as no word asks for them (Keras 2.15, `keras.utils.warmstart_embedding_matrix`).

    Args:
        base_vocabulary: the words of the rows: a list, a tuple, an array or tensor of one axis, a `Vocabulary`, or
            the path (a string) of a UTF-8 file with a word a line, whose lines end as for `str.splitlines`.
        new_vocabulary: the words of the new matrix, likewise.
        base_embeddings: (num_rows, dim) array or tensor.
        new_embeddings_initializer: what the rows of other words hold: a name (`uniform` within 0.05, `zeros`, ...), a
            configuration of Keras's, a function of a shape and a `dtype=`, or a matrix (number of new words, dim),
            as `initial_rows` takes them.

    Returns:
        (number of new words, dim), of the kind, dtype and device of `base_embeddings`, without gradient.

    Raises:
        ArgumentValueError: a vocabulary is of another kind, empty, or a file that cannot be read; or the initializer
            is not known. Also a `ValueError`.
        ArgumentTypeError: the initializer is None or does not fit the matrix; or the embeddings are no matrix of
            numbers. Also a `TypeError`.
        ConfigurationError: a word's row is missing, or rows have no columns.
    """
    base_words, new_words = words_of(base_vocabulary), words_of(new_vocabulary)
    base = _matrix(base_embeddings)
    matrix = initial_rows(new_embeddings_initializer, (len(new_words), base.shape[1]), base.dtype).to(base.device)
    old_rows, new_rows = kept_rows(base_words, new_words)
    if len(old_rows) and int(old_rows.max()) >= len(base):
        word = base_words[int(old_rows.max())]
        raise ConfigurationError(
            f"the embeddings must have a row for {word!r}, word {int(old_rows.max())} of the base vocabulary, got "
            f"{len(base)} rows; give the vocabulary that belongs to them"
        )
    matrix[new_rows.to(base.device)] = base[old_rows.to(base.device)]
    return matrix if isinstance(base_embeddings, Tensor) else matrix.numpy()


def words_of(vocabulary: Words) -> list[Hashable]:
    """The words of a vocabulary of any kind.

    Raises:
        ArgumentValueError: it is of no known kind, empty, or a file that cannot be read.
        ArgumentTypeError: a word cannot be looked up, as a list cannot.
    """
    if isinstance(vocabulary, str):
        words: list[Hashable] = list(_read_words(Path(vocabulary)))
    elif isinstance(vocabulary, Vocabulary):
        words = list(vocabulary.tokens)
    elif isinstance(vocabulary, list | tuple):
        words = list(vocabulary)
    elif isinstance(vocabulary, np.ndarray | Tensor) and vocabulary.ndim == 1:
        words = vocabulary.tolist()
    else:
        given = f"{vocabulary.ndim} axes" if isinstance(vocabulary, np.ndarray | Tensor) else type(vocabulary)
        raise ArgumentValueError(f"a vocabulary must be {_KINDS}, got {given}; convert it, e.g. with list() or str()")
    if not words:
        raise ArgumentValueError("a vocabulary must have at least one word, got 0; give the one of the embeddings")
    if strange := [word for word in words if not isinstance(word, Hashable)]:
        raise ArgumentTypeError(f"words must be strings, got {strange[0]!r:.40}; flatten the vocabulary")
    return words


def kept_rows(old_words: Sequence[Hashable], new_words: Sequence[Hashable]) -> tuple[Tensor, Tensor]:
    """For each new word that is an old one too, its old row and its new one, two (number of such words,) int64."""
    rows = {word: row for row, word in enumerate(old_words)}
    kept = [(rows[word], row) for row, word in enumerate(new_words) if word in rows]
    old_rows, new_rows = torch.tensor(kept, dtype=torch.int64).reshape(-1, 2).unbind(1)
    return old_rows, new_rows


def _matrix(embeddings: object) -> Tensor:
    if not isinstance(embeddings, np.ndarray | Tensor):
        raise NotAMatrixError(
            f"embeddings must be an array or a tensor, got {type(embeddings)}; convert them, e.g. with torch.tensor"
        )
    matrix = as_tensor(embeddings, "embeddings")
    if matrix.dim() != 2:
        raise NotAMatrixError(
            f"embeddings must be (num_rows, dim), got the shape {tuple(matrix.shape)}; reshape them"
        )
    if not matrix.shape[1]:
        raise ConfigurationError(f"rows of embeddings must have columns, got the shape {tuple(matrix.shape)}")
    return matrix


def _read_words(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode().splitlines()
    except FileNotFoundError as error:
        raise ArgumentValueError(f"the vocabulary file {path} does not exist; name one with a word a line") from error
    except OSError as error:
        raise ArgumentValueError(
            f"cannot read the vocabulary file {path}: {error.strerror}; name one with a word a line"
        ) from error
    except UnicodeDecodeError as error:
        raise ArgumentValueError(f"the vocabulary {path} is not UTF-8 at byte {error.start}; convert it") from error
