"""Texts as their words, many texts at once: standardised, split, and joined to n-grams, as Keras's layer does it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.text.standardization import STANDARDIZERS, encoded
from pytorch_elmo.text.token_index import SPACE, Ids, bounds_at_spaces, tokens_between

_WHITE_SPACE = b"\t\n\v\f\r"  # what bytes are split at besides the space
_TO_SPACE = bytes.maketrans(_WHITE_SPACE, SPACE * len(_WHITE_SPACE))


class SplitTexts(NamedTuple):
    """The words of some texts, end to end.

    Attributes:
        tokens: as of `tokens_between`, in UTF-8; words, and what is between two spaces that follow each other.
        are_words: (num_tokens,): which of these are words that are kept.
        lengths: (num_texts,) int64: how many words are kept of each text.
    """

    tokens: Any
    are_words: NDArray[np.bool_]
    lengths: Ids


class WordSplitter:
    """What is looked up of texts; arguments as of `TextVectorizer`, ngrams as lengths."""

    def __init__(
        self,
        standardize: str | Callable[[str], str] | None,
        split: str | Callable[[str], Iterable[str]] | None,
        ngrams: tuple[int, ...] | None,
    ) -> None:
        self._standardize, self._split, self._ngrams = standardize, split, ngrams

    def __call__(self, texts: Iterable[str], limit: int | None = None) -> SplitTexts:
        """Split texts, of whose words the first `limit` are kept.

        Raises:
            TextError: a text, or a word of a function, is not a string, or holds half of a surrogate pair.
        """
        standard = list(map(self._standardized, texts))
        if self._split == "whitespace" and self._ngrams is None:
            return _split_at_white_space(standard, limit)
        rows = [self._words(text)[:limit] for text in standard]
        words = list(chain.from_iterable(rows))
        bounds = np.cumsum([0, *(len(SPACE) + len(word) for word in words)])
        tokens = tokens_between(SPACE.join([b"", *words, b""]), bounds)
        return SplitTexts(tokens, np.ones(len(words), np.bool_), np.fromiter(map(len, rows), np.int64, len(rows)))

    def _standardized(self, text: str) -> bytes:
        if callable(self._standardize):
            return encoded(self._standardize(text))
        standard = encoded(text)
        return standard if self._standardize is None else STANDARDIZERS[self._standardize](standard)

    def _words(self, text: bytes) -> list[bytes]:
        """One by one; they may hold spaces, or be empty."""
        if self._split is None:
            return [text]
        if self._split == "whitespace":
            words = text.split()  # of bytes: at ASCII white space alone
        else:
            decoded = text.decode()
            words = list(map(encoded, self._split(decoded) if callable(self._split) else decoded))
        return words if self._ngrams is None else list(_ngrams(words, self._ngrams))


def _split_at_white_space(texts: list[bytes], limit: int | None) -> SplitTexts:
    text = SPACE.join([b"", *texts, b""]).translate(_TO_SPACE)
    bounds = bounds_at_spaces(text)
    are_words = np.diff(bounds) > len(SPACE)
    starts = np.searchsorted(bounds, np.cumsum([0, *(len(text) + 1 for text in texts)]))
    words_before = np.concatenate([[0], np.cumsum(are_words)])
    lengths = np.diff(words_before[starts])
    if limit is not None:
        are_words &= words_before[:-1] < np.repeat(words_before[starts[:-1]] + limit, np.diff(starts))
        lengths = np.minimum(lengths, limit)
    return SplitTexts(tokens_between(text, bounds), are_words, lengths)


def _ngrams(words: list[bytes], lengths: tuple[int, ...]) -> Iterator[bytes]:
    for length in lengths:
        for start in range(len(words) - length + 1):
            yield b" ".join(words[start : start + length])
