"""How often words stand near one another, in bounded memory: sorted runs on the disk."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.files import writing_to
from pytorch_elmo.static_training.blocks import Blocks

PAIRS_IN_MEMORY = 1 << 24  # about 40 bytes each while they are counted
_UNKNOWN = -1


class PairCounter:
    """Counts pairs of words that stand at most `window` tokens apart on one line, each as 1 / distance.

    A token outside the vocabulary is in no pair but keeps its place. A context: the runs are removed at its end.

    Args:
        folder: where the runs lie.
        blocks: say what the key of a pair is.
        window: the largest distance.
        pairs_in_memory: bounds what is held at a time.
    """

    def __init__(self, folder: Path, blocks: Blocks, *, window: int, pairs_in_memory: int = PAIRS_IN_MEMORY) -> None:
        self._blocks, self._window = blocks, window
        self._most_tokens = max(pairs_in_memory // window, 1)
        self._words, self._lines = array("i"), array("i")
        self._num_carried = self._num_lines = self._num_runs = 0
        self._temporary = TemporaryDirectory(prefix=".pair-counts-", dir=folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def count(self, lines: Iterable[list[str]], ids: Mapping[str, int]) -> int:
        """Count the pairs of tokenised lines.

        Args:
            lines: lists of tokens.
            ids: the vocabulary.

        Returns:
            How many tokens there were.
        """
        num_tokens = 0
        for line in lines:
            num_tokens += len(line)
            for start in range(0, len(line), self._most_tokens):
                self._add(line[start : start + self._most_tokens], ids)
            self._num_lines += 1
        self._spill()
        return num_tokens

    def runs(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Every run's keys, ascending and distinct, and their counts; read from the disk as they are needed."""
        return [
            (
                np.memmap(self._path(number, "keys"), np.int64, "r"),
                np.memmap(self._path(number, "counts"), float, "r"),
            )
            for number in range(self._num_runs)
        ]

    def _add(self, tokens: list[str], ids: Mapping[str, int]) -> None:
        """Take tokens of the present line."""
        self._words.extend(map(ids.get, tokens, repeat(_UNKNOWN)))
        self._lines.extend(repeat(self._num_lines, len(tokens)))
        if len(self._words) - self._num_carried >= self._most_tokens:
            self._spill()

    def _spill(self) -> None:
        """Write a run of the pairs that end in the new tokens; the last tokens stay, to begin pairs."""
        # The distance stands in the lowest digit of what is sorted, so that no second array has to follow the order.
        found = np.concatenate([keys * (self._window + 1) + distance for distance, keys in self._pairs()])
        if len(found):
            found.sort()
            keys, distances = np.divmod(found, self._window + 1)
            starts = np.flatnonzero(np.diff(keys, prepend=-1))
            counts = np.add.reduceat(1.0 / distances, starts)
            for name, values in (("keys", keys[starts]), ("counts", counts)):
                path = self._path(self._num_runs, name)
                with writing_to(path), path.open("wb") as file:
                    file.write(values.data)  # numpy's own writing loses what the system says
            self._num_runs += 1
        self._words, self._lines = self._words[-self._window :], self._lines[-self._window :]
        self._num_carried = len(self._words)

    def _pairs(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        words, lines = np.frombuffer(self._words, np.int32), np.frombuffer(self._lines, np.int32)
        as_row, as_column = self._blocks.key_parts(words)
        for distance in range(1, self._window + 1):
            later = slice(max(self._num_carried, distance), None)
            earlier = slice(later.start - distance, max(len(words) - distance, 0))
            counted = (lines[later] == lines[earlier]) & (words[later] >= 0) & (words[earlier] >= 0)
            keys = np.minimum(as_row[earlier] + as_column[later], as_row[later] + as_column[earlier])
            yield distance, keys[counted]

    def _path(self, number: int, name: str) -> Path:
        return Path(self._temporary.name) / f"{number}-{name}"
