"""From sentences to the rows of a table, as TensorFlow's text embeddings find them, for many sentences at once."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.static_embeddings.text_settings import TextSettings
from pytorch_elmo.text.fingerprint64 import hash_buckets
from pytorch_elmo.text.punctuation import without_punctuation
from pytorch_elmo.text.token_file import check_tokens
from pytorch_elmo.text.token_index import SPACE, UNKNOWN, Ids, TokenIndex, bounds_at_spaces, spellings, tokens_between

_SENTENCES_AT_ONCE = 1024  # more would only take more memory


class TokenRows:
    """The tokens of sentences as numbers of rows: the vocabulary's in its order, then those of the buckets.

    Args:
        vocabulary: tokens, each once, none blank.
        settings: how tokens are made.

    Raises:
        TextError: the vocabulary cannot be one.
    """

    def __init__(self, vocabulary: Sequence[str], settings: TextSettings) -> None:
        self._settings = settings
        try:
            self._index = TokenIndex(vocabulary)
            check_tokens(vocabulary, distinct=self._index.rows.keys())
            "\n".join(vocabulary).encode("utf-8", "surrogateescape")
        except TypeError as error:
            other = next(token for token in vocabulary if not isinstance(token, str))
            raise TextError(f"a token must be a string, got {other!r:.40}; convert it, e.g. with decode()") from error
        except UnicodeEncodeError as error:
            token = vocabulary[error.object.count("\n", 0, error.start)]
            raise TextError(f"a token must be text, {token!r} holds a lone surrogate; mend it") from error

    def find(self, sentences: Sequence[str]) -> tuple[Ids, Ids]:
        """The rows of a batch's tokens.

        Args:
            sentences: strings.

        Returns:
            ids (num_tokens,): of all sentences, end to end; offsets (batch_size,): where each begins. Both int64.

        Raises:
            TypeError: something else than a sequence of strings.
            TextError: a string holds a lone surrogate.
        """
        checked = _checked(sentences)
        firsts = range(0, len(checked), _SENTENCES_AT_ONCE) or [0]  # of no sentence there is one part too
        parts = [self._find_part(self._encoded(checked, first)) for first in firsts]
        if len(parts) == 1:
            return parts[0]
        before = np.cumsum([0, *(len(ids) for ids, _ in parts)])
        offsets = [first_tokens + count for (_, first_tokens), count in zip(parts, before[:-1], strict=True)]
        return np.concatenate([ids for ids, _ in parts]), np.concatenate(offsets)

    def _encoded(self, sentences: list[str], first: int) -> list[bytes]:
        part = sentences[first : first + _SENTENCES_AT_ONCE]
        try:
            encoded = [sentence.encode() for sentence in part]
        except UnicodeEncodeError as error:
            raise TextError(
                f"a sentence must be text, number {first + part.index(error.object)} holds the lone surrogate "
                f"{error.object[error.start]!r}; read its file as UTF-8"
            ) from error
        return without_punctuation(encoded) if self._settings.remove_punctuation else encoded

    def _find_part(self, encoded: list[bytes]) -> tuple[Ids, Ids]:
        text = SPACE.join([b"", *encoded, b""])
        starts = np.cumsum([0, *(len(sentence) + 1 for sentence in encoded)])
        bounds = bounds_at_spaces(text) if self._settings.split else starts
        first_tokens = np.searchsorted(bounds, starts[:-1])
        ids = self._rows_of(tokens_between(text, bounds))
        if self._settings.num_oov_buckets and self._settings.keep_empty_tokens:
            return ids, first_tokens
        kept = ids != UNKNOWN
        if not self._settings.keep_empty_tokens:
            kept &= _not_empty(np.diff(bounds) > len(SPACE), first_tokens)
        return ids[kept], np.concatenate([[0], np.cumsum(kept)])[first_tokens]

    def _rows_of(self, tokens: Any) -> Ids:
        """-1 for those that have none."""
        rows, count = self._index.find(tokens), self._settings.num_oov_buckets
        if count:
            unknown = np.flatnonzero(rows == UNKNOWN)
            rows[unknown] = len(self._index) + _buckets(tokens, unknown, count)
        return rows


def _buckets(tokens: Any, places: Ids, count: int) -> Ids | int:
    """Of the tokens at these places; those that are spelt alike are hashed once."""
    if count == 1:
        return 0
    encoded = tokens.take(places).dictionary_encode()
    buckets: Ids = hash_buckets(spellings(encoded.dictionary), count)[encoded.indices.to_numpy()]
    return buckets


def _checked(sentences: Iterable[Any]) -> list[str]:
    is_one = isinstance(sentences, str | bytes) or not hasattr(sentences, "__len__")
    rank = getattr(sentences, "ndim", 0 if is_one else 1)
    if rank != 1:
        raise TypeError(
            f"sentences must be a sequence of strings, got {type(sentences).__name__} of rank {rank}; put one into a "
            "list, or flatten it"
        )
    checked = list(sentences)
    for number, sentence in enumerate(checked):
        if not isinstance(sentence, str):
            raise TypeError(f"a sentence must be a string, number {number} is {type(sentence).__name__}; join tokens")
    return checked


def _not_empty(filled: NDArray[np.bool_], first_tokens: Ids) -> NDArray[np.bool_]:
    """Tokens that are `filled`; the first one of a sentence that has none of these."""
    counts = np.add.reduceat(filled.astype(np.int64), first_tokens)
    filled[first_tokens[counts == 0]] = True
    return filled
