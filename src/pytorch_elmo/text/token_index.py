"""Tokens of one long text, cut and looked up in a vocabulary by the million.

No step takes them one by one in Python: NumPy finds the spaces, and Arrow looks up what lies from one to the next, so
that nothing is copied.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPACE = b" "
UNKNOWN = -1
WORDS_PER_TOKEN = 3  # where the vocabulary has more, Python's table of it is faster than a new one of Arrow

Ids = NDArray[np.int64]


def bounds_at_spaces(text: bytes) -> Ids:
    """(num_tokens + 1,): where the spaces of a text are, which begins with one and ends with one."""
    return np.flatnonzero(np.frombuffer(text, np.uint8) == ord(SPACE))


def tokens_between(text: bytes, bounds: Ids) -> Any:
    """Arrow's array of what lies from each bound to the next: a space, and the token behind it."""
    import pyarrow as pa  # type: ignore[import-untyped]

    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.large_binary(), len(bounds) - 1, buffers)


def spellings(tokens: Any) -> list[bytes]:
    """What the tokens of `tokens_between` are, without their spaces."""
    return [token[len(SPACE) :] for token in tokens.to_pylist()]


class TokenIndex:
    """The places of tokens in a vocabulary.

    Args:
        vocabulary: tokens, each once; lone surrogates stand for bytes that are no UTF-8.

    Attributes:
        rows: the place of each token.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.rows = dict(zip(vocabulary, range(len(vocabulary)), strict=True))

    def __len__(self) -> int:
        """How many tokens the vocabulary has."""
        return len(self.rows)

    def find(self, tokens: Any) -> Ids:
        """(num_tokens,): their places in the vocabulary, -1 of others; `tokens` as of `tokens_between`, in UTF-8."""
        import pyarrow.compute as pc  # type: ignore[import-untyped]

        if WORDS_PER_TOKEN * len(tokens) < len(self):
            return self._find_distinct(tokens)
        rows: Ids = pc.index_in(tokens, self._vocabulary).fill_null(UNKNOWN).to_numpy().astype(np.int64)
        return rows

    def _find_distinct(self, tokens: Any) -> Ids:
        """By one look-up for each token that is not as one before it."""
        encoded = tokens.dictionary_encode()
        words = [spelling.decode() for spelling in spellings(encoded.dictionary)]
        rows = np.fromiter(map(self.rows.get, words, repeat(UNKNOWN)), np.int64, len(words))
        found: Ids = rows[encoded.indices.to_numpy()]
        return found

    @cached_property
    def _vocabulary(self) -> Any:
        import pyarrow as pa

        return pa.array([SPACE + word.encode("utf-8", "surrogateescape") for word in self.rows], pa.large_binary())
