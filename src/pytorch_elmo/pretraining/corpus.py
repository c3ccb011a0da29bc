"""Text as word numbers on disk: tokenised once, then read at memory speed in any order."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.characters import BEGIN_OF_SENTENCE, END_OF_SENTENCE, words_to_ids
from pytorch_elmo.text.tokenizers import make_tokenizer, sentences_of_prose

FORMAT_VERSION = 1
BEGIN_WORD, END_WORD = 0, 1
_TOKENS_PER_WRITE = 1 << 20


class Corpus(NamedTuple):
    """Sentences as numbers of distinct words.

    words: the distinct words, `<S>` and `</S>` first. characters: (num_words, num_characters) uint16, each word's
    character ids. counts: (num_words,) int64. tokens: (num_tokens,) int32 word numbers of all sentences in a
    row. offsets: (num_sentences + 1,) int64, where each sentence begins in `tokens`.
    """

    words: list[str]
    characters: NDArray[np.uint16]
    counts: NDArray[np.int64]
    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @property
    def num_sentences(self) -> int:
        """Sentences in the corpus."""
        return len(self.offsets) - 1

    def sentence(self, index: int) -> NDArray[np.int32]:
        """Word numbers of one sentence with its boundaries: `<S>`, tokens, `</S>`."""
        tokens = self.tokens[self.offsets[index] : self.offsets[index + 1]]
        bounded = np.empty(len(tokens) + 2, dtype=np.int32)
        bounded[0], bounded[1:-1], bounded[-1] = BEGIN_WORD, tokens, END_WORD
        return bounded


def find_files(patterns: Sequence[str]) -> list[Path]:
    """The files that the paths and globs name, sorted within each pattern.

    Raises:
        TextError: a pattern names no file.
    """
    found: list[Path] = []
    for pattern in patterns:
        paths = sorted(Path(path) for path in glob(pattern, recursive=True) if Path(path).is_file())
        if not paths:
            raise TextError(f"no text file matches {pattern!r}; give a path or a glob, relative to this folder")
        found.extend(paths)
    return found


def prepare_corpus(files: Sequence[Path], tokenizer: str, folder: Path, progress: Progress | None = None) -> Corpus:
    """Tokenise `files` into `folder`, or take what an earlier run with the same input left there.

    Args:
        files: UTF-8 text; tokenised sentences a line (`whitespace`) or raw paragraphs a line (`moses`).
        tokenizer: name of the tokenizer.
        folder: where the numbers are kept; the description is written last, so half a corpus is never taken.
        progress: hears bytes read.

    Raises:
        TextError: a file is not UTF-8, or no sentence is found.
    """
    description = {
        "format_version": FORMAT_VERSION,
        "tokenizer": tokenizer,
        "files": [{"name": path.name, "sha256": sha256_of(path)} for path in files],
    }
    if _read_description(folder) != description:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "corpus.json").unlink(missing_ok=True)
        _tokenise(files, tokenizer, folder, progress or SilentProgress())
        with whole_file(folder / "corpus.json") as partial:
            partial.write_text(json.dumps(description, indent=2), encoding="utf-8")
    return load_corpus(folder)


def load_corpus(folder: Path) -> Corpus:
    """A prepared corpus; its numbers stay on disk and are read as they are used."""
    offsets = np.load(folder / "offsets.npy")
    tokens: NDArray[np.int32] = np.empty(0, dtype=np.int32)
    if offsets[-1]:
        tokens = np.memmap(folder / "tokens.int32", dtype=np.int32, mode="r")
    return Corpus(
        words=(folder / "words.txt").read_text(encoding="utf-8").split("\n"),
        characters=np.load(folder / "characters.npy"),
        counts=np.load(folder / "counts.npy"),
        tokens=tokens,
        offsets=offsets,
    )


def _read_description(folder: Path) -> Any:
    path = folder / "corpus.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _tokenise(files: Sequence[Path], tokenizer: str, folder: Path, progress: Progress) -> None:
    numbers = {BEGIN_OF_SENTENCE: BEGIN_WORD, END_OF_SENTENCE: END_WORD}
    lengths: list[int] = []
    progress.start(total=sum(path.stat().st_size for path in files), unit="B", label="reading text")
    pending: list[int] = []
    with (folder / "tokens.int32").open("wb") as out:
        for sentence in _sentences(files, tokenizer, progress.advance):
            pending.extend(numbers.setdefault(word, len(numbers)) for word in sentence)
            lengths.append(len(sentence))
            if len(pending) >= _TOKENS_PER_WRITE:
                np.array(pending, dtype=np.int32).tofile(out)
                pending.clear()
        np.array(pending, dtype=np.int32).tofile(out)
    progress.finish()
    if not lengths:
        raise TextError(f"no sentence in {files[0]} and {len(files) - 1} more file(s); is the text elsewhere?")
    np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    np.save(folder / "characters.npy", words_to_ids(numbers).astype(np.uint16))
    np.save(folder / "counts.npy", _count(folder / "tokens.int32", len(numbers)))
    (folder / "words.txt").write_text("\n".join(numbers), encoding="utf-8")


def _count(path: Path, num_words: int) -> NDArray[np.int64]:
    counts = np.zeros(num_words, dtype=np.int64)
    with path.open("rb") as file:
        while len(block := np.fromfile(file, dtype=np.int32, count=_TOKENS_PER_WRITE)):
            counts += np.bincount(block, minlength=num_words)
    return counts


def _sentences(files: Iterable[Path], tokenizer: str, advance: Callable[[int], None]) -> Iterator[list[str]]:
    tokenize = make_tokenizer(tokenizer)
    for path in files:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise TextError(
                        f"{path}, line {number}: not UTF-8 at byte {error.start + 1}; convert it"
                    ) from error
                advance(len(line))
                if tokenizer == "whitespace":
                    if tokens := tokenize(text):
                        yield tokens
                else:
                    yield from sentences_of_prose(text, tokenize)
