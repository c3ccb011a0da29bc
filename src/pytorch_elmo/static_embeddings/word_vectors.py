"""Static vectors of words as a module, beside ELMo's contextual ones."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.static_embeddings.vector_file import read_vector_file
from pytorch_elmo.text.characters import PADDING_ID, refuse_string

UNKNOWN_ID = 1
FIRST_WORD_ID = 2


class WordVectors(nn.Module):
    """A table of word vectors and the words that they belong to.

    Row 0 of `embedding_matrix` (2 + number of words, dim) is padding and always zero. Row 1 stands for every other
    word: zeros at first, which say nothing, and learned where the table is trained. The words follow in their
    order. `state_dict` holds the matrix without the words, so it fits only a table of the same words.

    Args:
        words: the words, each once.
        vectors: (number of words, dim), copied as float32.
        trainable: whether the table learns with the task; frozen otherwise.
        lowercase: look up each token in lower case, as GloVe's 6B files need; the words stay as they are.

    Raises:
        ConfigurationError: a word stands twice, or the vectors are not one finite row for each word.
    """

    def __init__(
        self, words: Sequence[str], vectors: Tensor, *, trainable: bool = False, lowercase: bool = False
    ) -> None:
        super().__init__()
        table = vectors.detach().to(torch.float32)
        _check_table(words, table)
        self.words = list(words)
        self.dim = table.shape[1]
        self.lowercase = lowercase
        self.num_duplicates = 0
        specials = table.new_zeros(FIRST_WORD_ID, self.dim)
        self.embedding_matrix = nn.Parameter(torch.cat([specials, table]), requires_grad=trainable)
        self._ids = {word: index for index, word in enumerate(self.words, FIRST_WORD_ID)}

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        vocabulary: Collection[str] | None = None,
        trainable: bool = False,
        lowercase: bool = False,
        dim: int | None = None,
        member: str | None = None,
    ) -> "WordVectors":
        """Read a text file of vectors, with or without a first line "count dim", plain or .gz, .xz or .zip.

        The file is streamed, and only the rows kept are held. Numbers are counted from the right, since some words of
        GloVe's files hold spaces. Of a word that stands twice the first row is kept; `num_duplicates` counts the
        others. Lines of words that are not kept are held to their number of fields alone.

        Args:
            path: the file.
            vocabulary: keep the rows of these words alone; None keeps all. Words without a row count as unknown.
            trainable: as for the class.
            lowercase: as for the class; `vocabulary` is lower-cased too.
            dim: numbers a line; None takes them from the header, else from the first line, whose word is then taken
                to hold no space.
            member: which file of a .zip archive that holds several.

        Raises:
            TextError: the file cannot be read, breaks off, or holds no row to keep; or a line is not a word and
                `dim` finite numbers in UTF-8: its number is named, from 1.
            ConfigurationError: `vocabulary` is a string, or `member` names no file of a .zip.
        """
        if isinstance(vocabulary, str):
            raise ConfigurationError(f"vocabulary is a collection of words, got the string {vocabulary[:40]!r}")
        wanted = None if vocabulary is None else frozenset(map(str.lower, vocabulary) if lowercase else vocabulary)
        rows = read_vector_file(Path(path), wanted=wanted, dim=dim, member=member)
        vectors = torch.frombuffer(rows.numbers, dtype=torch.float32).view(len(rows.words), -1)
        table = cls(list(rows.words), vectors, trainable=trainable, lowercase=lowercase)
        table.num_duplicates = rows.num_duplicates
        return table

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, token: str) -> bool:
        return self._id_of(token) != UNKNOWN_ID

    def words_to_ids(self, sentences: Sequence[Sequence[str]]) -> Tensor:
        """Row numbers of a batch of tokenised sentences.

        Args:
            sentences: lists of tokens; sentences may be empty, and so may the batch.

        Returns:
            (batch_size, num_tokens) int64 on the CPU, padded on the right with 0; 1 for words without a row.

        Raises:
            TextError: a sentence is a string, or a token is not a string.
        """
        refuse_string(sentences)
        num_tokens = max((len(sentence) for sentence in sentences), default=0)
        ids = np.full((len(sentences), num_tokens), PADDING_ID, dtype=np.int64)
        for row, sentence in enumerate(sentences):
            refuse_string(sentence)
            for position, token in enumerate(sentence):
                if not isinstance(token, str):
                    raise TextError(f"a token is a string, got {token!r} in sentence {row}; convert it with str()")
                ids[row, position] = self._id_of(token)
        return torch.from_numpy(ids)

    def forward(self, ids: Tensor) -> Tensor:
        """Look up vectors.

        Args:
            ids: (batch_size, num_tokens) int64, as `words_to_ids` gives them, on the table's device.

        Returns:
            (batch_size, num_tokens, dim) float32; zeros where `ids` is padding.
        """
        return F.embedding(ids, self.embedding_matrix, padding_idx=PADDING_ID)

    def extra_repr(self) -> str:
        """Words, dim, and what `from_file` or the caller chose."""
        parts = [f"{len(self):,} words", f"dim {self.dim}"]
        parts.append("trainable" if self.embedding_matrix.requires_grad else "frozen")
        parts += ["lower-cased"] if self.lowercase else []
        parts += [f"{self.num_duplicates:,} duplicates left out"] if self.num_duplicates else []
        return ", ".join(parts)

    def _id_of(self, token: str) -> int:
        return self._ids.get(token.lower() if self.lowercase else token, UNKNOWN_ID)


def _check_table(words: Sequence[str], vectors: Tensor) -> None:
    if vectors.dim() != 2 or len(vectors) != len(words):
        raise ConfigurationError(f"vectors must be ({len(words)}, dim), a row a word, got {tuple(vectors.shape)}")
    if len(set(words)) != len(words):
        twice = Counter(words).most_common(1)[0][0]
        raise ConfigurationError(f"words must be distinct, got {twice!r} twice; keep one of its rows")
    if not torch.isfinite(vectors).all():
        raise ConfigurationError("vectors must be finite numbers, got NaN or infinity; clean them first")
