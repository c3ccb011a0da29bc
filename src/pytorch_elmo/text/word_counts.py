"""Word frequencies of a text with any number of distinct words, in bounded memory."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file, writing_to
from pytorch_elmo.text.vocabulary import SPECIALS

WordCount = tuple[str, int]

WORDS_IN_MEMORY = 1_000_000  # about 250 bytes each while they are sorted
_MOST_RUNS = 64  # files open at a time
_SENTENCES_PER_UPDATE = 1024


class WordCounter:
    """Counts words; when too many distinct ones are held, they go to the disk as a sorted run, to be merged later.

    A context: the runs are removed at its end. Words hold no white space.
    """

    def __init__(self, folder: Path, *, words_in_memory: int = WORDS_IN_MEMORY) -> None:
        self._in_memory = words_in_memory
        self._counts: Counter[str] = Counter()
        self._temporary = TemporaryDirectory(prefix=".word-counts-", dir=folder)
        self._folder = Path(self._temporary.name)
        self._runs = _Runs(self._folder, "words", key=itemgetter(0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def count(self, sentences: Iterable[list[str]]) -> None:
        """Count the words of tokenised sentences."""
        remaining = iter(sentences)
        while some := list(islice(remaining, _SENTENCES_PER_UPDATE)):
            self._counts.update(chain.from_iterable(some))
            if len(self._counts) > self._in_memory:
                self._spill()

    def ranked(self, *, min_count: int = 1) -> Iterator[WordCount]:
        """Words and their counts, the most frequent first, equal counts in alphabetical order.

        Args:
            min_count: occurrences that a word needs.
        """
        frequent = ((word, count) for word, count in self._merged() if count >= min_count)
        ranked = _Runs(self._folder, "rank", key=lambda word_count: (-word_count[1], word_count[0]))
        while some := list(islice(frequent, self._in_memory)):
            ranked.write(some)
        yield from ranked.merged()

    def _merged(self) -> Iterator[WordCount]:
        """Every word once, in alphabetical order."""
        self._spill()
        for word, counts in groupby(self._runs.merged(), key=itemgetter(0)):
            yield word, sum(count for _, count in counts)

    def _spill(self) -> None:
        self._runs.write(self._counts.items())
        self._counts.clear()


class _Runs:
    """Sorted runs of words and counts on the disk, `word count` a line."""

    def __init__(self, folder: Path, name: str, key: Callable[[WordCount], Any]) -> None:
        self._folder, self._name, self._key = folder, name, key
        self._paths: list[Path] = []
        self._written = 0

    def write(self, counts: Iterable[WordCount]) -> None:
        """Sort a run in memory and write it."""
        self._write(sorted(counts, key=self._key))
        if len(self._paths) == _MOST_RUNS:
            merged, self._paths = self._paths, []
            self._write(self._merge(merged))
            for path in merged:
                path.unlink()

    def merged(self) -> Iterator[WordCount]:
        """All runs as one."""
        return self._merge(self._paths)

    def _write(self, counts: Iterable[WordCount]) -> None:
        path = self._folder / f"{self._name}-{self._written}"
        with writing_to(path), path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{word} {count}\n" for word, count in counts)
        self._paths.append(path)
        self._written += 1

    def _merge(self, paths: Iterable[Path]) -> Iterator[WordCount]:
        return heapq.merge(*map(_read, paths), key=self._key)


def _read(path: Path) -> Iterator[WordCount]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            word, count = line.split(" ")
            yield word, int(count)


def write_vocabulary(
    sentences: Iterable[list[str]],
    path: Path,
    *,
    max_size: int | None = None,
    min_count: int = 1,
    words_in_memory: int = WORDS_IN_MEMORY,
) -> int:
    """Write the vocabulary of a text in bilm-tf's format, whole or not at all, in bounded memory.

    `<S>`, `</S>` and `<UNK>` come first, then the words, the most frequent first, equal counts in alphabetical order:
    what `Vocabulary.from_counts` makes.

    Args:
        sentences: lists of tokens without white space.
        path: of the file; the words that are too many for memory are kept in its folder meanwhile.
        max_size: entries at most, the three special ones counted.
        min_count: occurrences that a word needs.
        words_in_memory: distinct words held at a time.

    Returns:
        How many entries there are.

    Raises:
        TextError: there is no word that is frequent enough.
        OSError: the folder cannot be written.
    """
    with WordCounter(path.absolute().parent, words_in_memory=words_in_memory) as counter:
        counter.count(sentences)
        words = (word for word, _ in counter.ranked(min_count=min_count) if word not in SPECIALS)
        num_words = 0
        with whole_file(path) as partial, writing_to(path), partial.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{special}\n" for special in SPECIALS)
            for word in islice(words, None if max_size is None else max_size - len(SPECIALS)):
                file.write(f"{word}\n")
                num_words += 1
            if not num_words:
                raise TextError(
                    f"a vocabulary needs words, the text has none that stands {min_count} time(s) or more; "
                    "give other text, or a lower --min-count"
                )
    return num_words + len(SPECIALS)
