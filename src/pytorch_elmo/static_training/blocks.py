"""How the square matrix of all pairs of words is cut into submatrices (Shazeer et al. 2016, section 3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Blocks:
    """Word i belongs to block i mod num_blocks, so that each has its share of frequent and of rare words.

    A pair of words is one number, its key: submatrix · size² + row · size + column, submatrices counted by rows.
    Pairs are counted once for both orders, under the smaller of the two keys, so row block ≤ column block.

    Attributes:
        num_words: words, in descending order of frequency.
        num_blocks: blocks of rows, and of columns.
    """

    num_words: int
    num_blocks: int

    @classmethod
    def of_size(cls, num_words: int, submatrix_size: int) -> "Blocks":
        """As few blocks as give submatrices of at most `submatrix_size` rows."""
        return cls(num_words, -(-num_words // submatrix_size))

    @property
    def size(self) -> int:
        """Rows of the largest block; others have one less."""
        return -(-self.num_words // self.num_blocks)

    def words_of(self, block: int) -> slice:
        """The words of a block."""
        return slice(block, None, self.num_blocks)

    def shape(self, row_block: int, column_block: int) -> tuple[int, int]:
        """Rows and columns of a submatrix."""
        rows, columns = (len(range(block, self.num_words, self.num_blocks)) for block in (row_block, column_block))
        return rows, columns

    def stored_pairs(self) -> Iterator[tuple[int, int]]:
        """Row and column block of the submatrices that keys can lie in, in the order of the keys."""
        return combinations_with_replacement(range(self.num_blocks), 2)

    def key_parts(self, words: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What words add to a key as its row and as its column: the key of (a, b) is a's first + b's second part."""
        local, block = np.divmod(words.astype(np.int64), self.num_blocks)
        return (block * (self.num_blocks * self.size) + local) * self.size, block * self.size**2 + local
