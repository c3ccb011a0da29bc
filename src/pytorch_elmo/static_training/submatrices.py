"""The counts of all pairs of words in one file, submatrix after submatrix, ready to be trained on."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file, writing_to
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.static_training.blocks import Blocks

FORMAT = "pytorch_elmo.pair_counts"
VERSION = 1
_CELLS_PER_CHUNK = 1 << 14

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

    One submatrix is in memory at a time.

    Args:
        path: of the file, which appears whole or not at all.
        runs: keys, ascending, and counts.
        blocks: say what the keys mean.
        description: what was counted, for `Submatrices.description`.
        progress: hears of submatrices.

    Raises:
        TextError: no word stands beside another one.
    """
    import h5py

    if not runs:
        raise TextError("word vectors need words that stand beside others, the text has none; give longer lines")
    listener = progress or SilentProgress()
    sums = np.zeros(blocks.num_words)
    ends = [0]
    with whole_file(path) as partial, writing_to(path), h5py.File(partial, "w") as file:
        positions = file.create_dataset("positions", (0,), np.int32, maxshape=(None,), chunks=(_CELLS_PER_CHUNK,))
        counts = file.create_dataset("counts", (0,), np.float32, maxshape=(None,), chunks=(_CELLS_PER_CHUNK,))
        listener.start(total=blocks.num_blocks**2, unit="submatrices", label="adding up pairs")
        for (row_block, column_block), parts in _parts_of_submatrices(runs, blocks):
            matrix = _added_up(parts, blocks, row_block, column_block)
            sums[blocks.words_of(row_block)] += matrix.sum(axis=1)
            if row_block != column_block:
                sums[blocks.words_of(column_block)] += matrix.sum(axis=0)
            filled = np.flatnonzero(matrix)
            ends.append(ends[-1] + len(filled))
            for stored, values in ((positions, filled), (counts, matrix.ravel()[filled])):
                stored.resize(ends[-1], axis=0)
                stored[ends[-2] :] = values
            listener.advance(1 if row_block == column_block else 2)
        listener.finish()
        file["ends"], file["sums"] = np.array(ends), sums
        file.attrs.update(format=FORMAT, version=VERSION, description=json.dumps(description))
        file.attrs.update(num_words=blocks.num_words, num_blocks=blocks.num_blocks)


def _parts_of_submatrices(runs: Sequence[Run], blocks: Blocks) -> Iterator[tuple[tuple[int, int], list[Run]]]:
    """Row and column block of each submatrix that is written, and what each run has of it, keys from 0."""
    num_cells = blocks.size**2
    starts = np.arange(blocks.num_blocks**2 + 1) * num_cells
    bounds = [np.searchsorted(keys, starts) for keys, _ in runs]
    for pair in blocks.stored_pairs():
        index = blocks.num_blocks * pair[0] + pair[1]
        slices = [slice(bound[index], bound[index + 1]) for bound in bounds]
        yield pair, [(keys[s] - starts[index], counts[s]) for (keys, counts), s in zip(runs, slices, strict=True)]


def _added_up(parts: Sequence[Run], blocks: Blocks, row_block: int, column_block: int) -> NDArray[np.float64]:
    """A submatrix with the counts of its keys; on the diagonal both orders of a pair are in it."""
    keys, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    num_rows, num_columns = blocks.shape(row_block, column_block)
    square = np.bincount(keys, counts, blocks.size**2).reshape(blocks.size, blocks.size)
    matrix = square[:num_rows, :num_columns]
    return np.ascontiguousarray(matrix + matrix.T if row_block == column_block else matrix)


class Submatrices:
    """The counts that `write_submatrices` wrote, read one submatrix at a time. A context: closes the file.

    Attributes:
        blocks: how the matrix is cut.
        sums: the sum of each word's row of counts, (num_words,) float64.
        description: what was counted.

    Raises:
        TextError: the file cannot be read, or is of another kind or version.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        try:
            self._file = h5py.File(path, "r")
            found = (self._file.attrs.get("format"), self._file.attrs.get("version"))
            if found != (FORMAT, VERSION):
                raise TextError(f"{path} must hold counts of pairs, version {VERSION}, got {found}; count anew")
            self.blocks = Blocks(int(self._file.attrs["num_words"]), int(self._file.attrs["num_blocks"]))
            self.description: dict[str, Any] = json.loads(self._file.attrs["description"])
            self.sums: NDArray[np.float64] = self._file["sums"][:]
            self._ends: list[int] = self._file["ends"][:].tolist()
            self._places = {pair: index for index, pair in enumerate(self.blocks.stored_pairs())}
        except (OSError, KeyError, ValueError) as error:
            raise TextError(f"the counts {path} cannot be read ({error}); remove the file to count anew") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def num_cells(self) -> int:
        """Pairs of words that stand beside one another, each in one order, but in both on the diagonal blocks."""
        return self._ends[-1]

    def read(self, row_block: int, column_block: int) -> Cells:
        """The cells of a submatrix with row block ≤ column block."""
        index = self._places[row_block, column_block]
        part = slice(self._ends[index], self._ends[index + 1])
        return Cells(self._file["positions"][part], self._file["counts"][part])
