"""Sentences as word numbers on disk: written one after the other, read through mapped memory."""

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.text.characters import BEGIN_OF_SENTENCE, END_OF_SENTENCE

BEGIN_WORD, END_WORD = 0, 1
TOKENS_PER_BLOCK = 1 << 18


class WordNumbers(dict[str, int]):
    """Distinct words and their numbers, in the order in which they are first asked for; the boundaries come first."""

    def __init__(self) -> None:
        super().__init__({BEGIN_OF_SENTENCE: BEGIN_WORD, END_OF_SENTENCE: END_WORD})

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


class SentenceWriter:
    """Writes `NAME.tokens`, int32 word numbers of all sentences in a row, and `NAME.offsets`, int64.

    Offsets say where each sentence begins in the tokens, and at their end how many tokens there are.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._tokens_file: BinaryIO = (folder / f"{name}.tokens").open("w+b")
        self._offsets_file: BinaryIO = (folder / f"{name}.offsets").open("w+b")
        self._tokens, self._offsets = array("i"), array("q", [0])
        self.num_sentences = self.num_tokens = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Write what is left."""
        self._flush()
        for file in (self._tokens_file, self._offsets_file):
            file.close()

    def add(self, numbers: Iterable[int]) -> None:
        """Append a sentence."""
        before = len(self._tokens)
        self._tokens.extend(numbers)
        self.num_tokens += len(self._tokens) - before
        self.num_sentences += 1
        self._offsets.append(self.num_tokens)
        if len(self._tokens) >= TOKENS_PER_BLOCK:
            self._flush()

    def move_last(self, num_sentences: int, num_tokens: int, other: "SentenceWriter") -> None:
        """Move the last sentences, which have so many tokens together, to the end of `other`."""
        self._flush()
        other._flush()
        first_token, first_sentence = self.num_tokens - num_tokens, self.num_sentences - num_sentences
        for tokens in _cut_off(self._tokens_file, 4 * first_token, np.int32):
            other._tokens_file.write(tokens.data)
        for offsets in _cut_off(self._offsets_file, 8 * (first_sentence + 1), np.int64):
            other._offsets_file.write((offsets + (other.num_tokens - first_token)).data)
        self.num_sentences, self.num_tokens = first_sentence, first_token
        other.num_sentences += num_sentences
        other.num_tokens += num_tokens

    def _flush(self) -> None:
        for file, numbers in ((self._tokens_file, self._tokens), (self._offsets_file, self._offsets)):
            file.write(numbers)
            file.flush()
            del numbers[:]


def _cut_off(file: BinaryIO, begin: int, dtype: type[np.generic]) -> Iterator[NDArray[Any]]:
    """What stands from byte `begin` on, in blocks; then the file ends there."""
    file.seek(begin)
    while block := file.read(8 * TOKENS_PER_BLOCK):
        yield np.frombuffer(block, dtype=dtype)
    file.truncate(begin)
    file.seek(begin)


def map_numbers(path: Path, dtype: type[np.generic], num_columns: int | None = None) -> NDArray[Any]:
    """The numbers in a file, in memory only while they are used; (num_rows,) or (num_rows, num_columns)."""
    shape = (-1,) if num_columns is None else (-1, num_columns)
    if not path.stat().st_size:  # which cannot be mapped
        return np.empty((0, *shape[1:]), dtype=dtype)
    mapped = np.memmap(path, dtype=dtype, mode="r")
    return np.asarray(mapped).reshape(shape)  # a plain array is read several times faster than a memmap
