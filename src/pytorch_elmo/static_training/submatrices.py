"""The counts of all pairs of words in one file, submatrix after submatrix, ready to be trained on."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import sha256_of, whole_file, writing_to
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.static_training.blocks import Blocks

FORMAT = "pytorch_elmo.pair_counts"
VERSION = 1
_CELLS = ".bin"
_BYTES_PER_CELL = 8

Run = tuple[NDArray[np.int64], NDArray[np.float64]]


class Cells(NamedTuple):
    """The cells of a submatrix that are not zero.

    Attributes:
        positions: row · number of columns + column, ascending; (num_cells,) int32.
        counts: (num_cells,) float32.
    """

    positions: NDArray[np.int32]
    counts: NDArray[np.float32]


def write_submatrices(
    path: Path,
    runs: Sequence[Run],
    blocks: Blocks,
    description: dict[str, Any],
    progress: Progress | None = None,
) -> None:
    """Add up sorted runs and write all submatrices with row block ≤ column block; the others are their transposes.

    The cells lie in a file with the ending `.bin`, submatrix after submatrix, positions (little-endian int32) before
    counts (float32); what they are stands in `path`, which is written last. One submatrix is in memory at a time.

    Args:
        path: of the JSON file; both appear whole or not at all.
        runs: keys, ascending, and counts.
        blocks: say what the keys mean.
        description: what was counted, for `Submatrices.description`.
        progress: hears of submatrices.

    Raises:
        TextError: no word stands beside another one.
        OSError: the files cannot be written.
    """
    if not runs:
        raise TextError("word vectors need words that stand beside others, the text has none; give longer lines")
    listener = progress or SilentProgress()
    sums = np.zeros(blocks.num_words)
    ends = [0]
    cells_path = path.with_suffix(_CELLS)
    with whole_file(cells_path) as partial, writing_to(cells_path), partial.open("wb") as file:
        listener.start(total=blocks.num_blocks**2, unit="submatrices", label="adding up pairs")
        for (row_block, column_block), parts in _parts_of_submatrices(runs, blocks):
            matrix = _added_up(parts, blocks, row_block, column_block)
            sums[blocks.words_of(row_block)] += matrix.sum(axis=1)
            if row_block != column_block:
                sums[blocks.words_of(column_block)] += matrix.sum(axis=0)
            filled = np.flatnonzero(matrix)
            file.write(filled.astype("<i4").tobytes())
            file.write(matrix.ravel()[filled].astype("<f4").tobytes())
            ends.append(ends[-1] + len(filled))
            listener.advance(1 if row_block == column_block else 2)
        listener.finish()
    document = {"format": FORMAT, "version": VERSION, "sha256": sha256_of(cells_path), "description": description}
    document |= {"num_words": blocks.num_words, "num_blocks": blocks.num_blocks, "ends": ends, "sums": sums.tolist()}
    with whole_file(path) as partial, writing_to(path):
        partial.write_text(json.dumps(document), encoding="utf-8")


def _parts_of_submatrices(runs: Sequence[Run], blocks: Blocks) -> Iterator[tuple[tuple[int, int], Iterator[Run]]]:
    """Row and column block of each submatrix that is written, and what each run has of it, keys from 0."""
    starts = np.arange(blocks.num_blocks**2 + 1) * blocks.size**2
    bounds = [np.searchsorted(keys, starts) for keys, _ in runs]
    for row_block, column_block in blocks.stored_pairs():
        index = blocks.num_blocks * row_block + column_block
        parts = ((run, slice(bound[index], bound[index + 1])) for run, bound in zip(runs, bounds, strict=True))
        yield (row_block, column_block), ((keys[s] - starts[index], counts[s]) for (keys, counts), s in parts)


def _added_up(parts: Iterator[Run], blocks: Blocks, row_block: int, column_block: int) -> NDArray[np.float64]:
    """A submatrix with the counts of its keys; on the diagonal both orders of a pair are in it."""
    cells = np.zeros(blocks.size**2)
    for keys, counts in parts:
        cells[keys] += counts  # a run has a key once
    num_rows, num_columns = blocks.shape(row_block, column_block)
    matrix = cells.reshape(blocks.size, blocks.size)[:num_rows, :num_columns]
    return np.ascontiguousarray(matrix + matrix.T if row_block == column_block else matrix)


class Submatrices:
    """The counts that `write_submatrices` wrote, read one submatrix at a time.

    Attributes:
        blocks: how the matrix is cut.
        sums: the sum of each word's row of counts, (num_words,) float64.
        description: what was counted.

    Raises:
        TextError: a file is missing, damaged, or of another kind or version.
    """

    def __init__(self, path: Path) -> None:
        cells_path = path.with_suffix(_CELLS)
        try:
            document = json.loads(path.read_text("utf-8"))
            found = (document["format"], document["version"], document["sha256"])
            if found != (FORMAT, VERSION, sha256_of(cells_path)):
                raise ValueError(f"not the counts, version {VERSION}, that were written together")
            self.blocks = Blocks(document["num_words"], document["num_blocks"])
            self.description: dict[str, Any] = document["description"]
            self.sums: NDArray[np.float64] = np.array(document["sums"])
            self._ends: list[int] = document["ends"]
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise TextError(
                f"{path} and {cells_path.name} must hold counts of pairs, got: {error!r}; remove them to count anew"
            ) from error
        self._places = {pair: index for index, pair in enumerate(self.blocks.stored_pairs())}
        self._cells: NDArray[np.uint8] = np.memmap(cells_path, np.uint8, "r")

    @property
    def num_pairs(self) -> int:
        """Ordered pairs of words that stand beside one another: cells of the whole matrix that are not zero."""
        cells = (self._ends[place + 1] - self._ends[place] for place in self._places.values())
        return sum(
            number if row_block == column_block else 2 * number
            for number, (row_block, column_block) in zip(cells, self._places, strict=True)
        )

    def read(self, row_block: int, column_block: int) -> Cells:
        """The cells of a submatrix with row block ≤ column block."""
        index = self._places[row_block, column_block]
        begin, end = (_BYTES_PER_CELL * place for place in self._ends[index : index + 2])
        middle = (begin + end) // 2
        positions, counts = self._cells[begin:middle].view("<i4"), self._cells[middle:end].view("<f4")
        return Cells(positions.astype(np.int32), counts.astype(np.float32))
