"""How much of the validation text is training text too."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_SENTENCES_PER_BLOCK = 1 << 13
_MOST_SENTENCES_IN_MEMORY = 1 << 22
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Sentences(Protocol):
    """Sentences of word numbers: (num_tokens,) int32, and where each begins, (num_sentences + 1,) int64."""

    @property
    def tokens(self) -> NDArray[np.int32]:
        """Word numbers of all sentences in a row."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each sentence begins, and the number of tokens."""


def count_overlap(validation: Sentences, train: Sentences, *, in_memory: int = _MOST_SENTENCES_IN_MEMORY) -> int:
    """Sentences of `validation` that stand word for word in `train`, whose words have the same numbers.

    Sentences are compared by a hash of 64 bits, so the count of 10⁶ among 10⁹ is off by one with a chance of
    1 in 18,000. `in_memory` bounds the hashes held at a time; `train` is read once for each so many.
    """
    total = 0
    held: list[NDArray[np.uint64]] = []
    for block in _hashes(validation):
        held.append(block)
        if sum(map(len, held)) >= in_memory:
            total += _found(np.concatenate(held), train)
            held.clear()
    return total + (_found(np.concatenate(held), train) if held else 0)


def _found(wanted: NDArray[np.uint64], train: Sentences) -> int:
    wanted.sort()
    is_found = np.zeros(len(wanted), dtype=np.bool_)
    for block in _hashes(train):
        places = np.searchsorted(wanted, block)
        places[places == len(wanted)] = 0
        is_found[places[wanted[places] == block]] = True
    firsts = np.searchsorted(wanted, wanted)  # equal sentences share the first one's mark
    return int(is_found[firsts].sum())


def _hashes(sentences: Sentences) -> Iterator[NDArray[np.uint64]]:
    for first in range(0, len(sentences.offsets) - 1, _SENTENCES_PER_BLOCK):
        offsets = sentences.offsets[first : first + _SENTENCES_PER_BLOCK + 1]
        tokens = sentences.tokens[offsets[0] : offsets[-1]].astype(np.uint64)
        begins = (offsets[:-1] - offsets[0]).astype(np.int64)
        places = np.arange(len(tokens), dtype=np.uint64) - np.repeat(begins, np.diff(offsets)).astype(np.uint64)
        yield np.add.reduceat(_mix(tokens + (places << np.uint64(32))), begins)


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread over 64 bits (splitmix64, Steele et al. 2014)."""
    mixed = numbers * _GOLDEN + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
