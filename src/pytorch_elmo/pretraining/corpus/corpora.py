"""Text as word numbers on disk: tokenised once, then read at memory speed in any order, whatever its size."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import writing_to
from pytorch_elmo.pretraining.config import CorpusConfig
from pytorch_elmo.pretraining.corpus.description import (
    CorpusDescription,
    read_description,
    record_files,
    refuse_changes,
    remove_description,
)
from pytorch_elmo.pretraining.corpus.overlap import count_overlap
from pytorch_elmo.pretraining.corpus.reading import CHARACTERS, TRAIN, VALIDATION, WORDS, write_corpora
from pytorch_elmo.pretraining.corpus.sentence_file import BEGIN_WORD, END_WORD, map_numbers
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.characters import (
    BEGIN_OF_SENTENCE,
    CHARACTERS_PER_TOKEN,
    END_OF_SENTENCE,
    words_to_ids,
)
from pytorch_elmo.text.documents import refuse_field_without_table
from pytorch_elmo.text.inputs import find_inputs


class Corpus(NamedTuple):
    """Sentences as numbers of distinct words; all but `words` and `counts` stays on the disk until it is used.

    words: the distinct words, `<S>` and `</S>` first. characters: (num_words, num_characters) uint16, each word's
    character ids. counts: (num_words,) int64. tokens: (num_tokens,) int32 word numbers of all sentences in a
    row. offsets: (num_sentences + 1,) int64, where each sentence begins in `tokens`.
    """

    words: list[str]
    characters: NDArray[np.uint16]
    counts: NDArray[np.int64]
    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def from_sentences(cls, sentences: Sequence[Sequence[str]]) -> "Corpus":
        """A corpus in memory, with words numbered as they appear."""
        numbers = {BEGIN_OF_SENTENCE: BEGIN_WORD, END_OF_SENTENCE: END_WORD}
        tokens = [numbers.setdefault(word, len(numbers)) for sentence in sentences for word in sentence]
        return cls(
            words=list(numbers),
            characters=words_to_ids(numbers).astype(np.uint16),
            counts=np.bincount(tokens, minlength=len(numbers)).astype(np.int64),
            tokens=np.array(tokens, dtype=np.int32),
            offsets=np.cumsum([0, *map(len, sentences)]).astype(np.int64),
        )

    @property
    def num_sentences(self) -> int:
        """Sentences in the corpus."""
        return len(self.offsets) - 1

    def tokens_of(self, index: int) -> list[str]:
        """The tokens of one sentence."""
        return [self.words[number] for number in self.tokens[self.offsets[index] : self.offsets[index + 1]]]

    def sentence(self, index: int) -> NDArray[np.int32]:
        """Word numbers of one sentence with its boundaries: `<S>`, tokens, `</S>`."""
        tokens = self.tokens[self.offsets[index] : self.offsets[index + 1]]
        bounded = np.empty(len(tokens) + 2, dtype=np.int32)
        bounded[0], bounded[1:-1], bounded[-1] = BEGIN_WORD, tokens, END_WORD
        return bounded


class Corpora(NamedTuple):
    """Training and validation text with one numbering of words; both have the words of both.

    num_shared_sentences: of the validation text, those that stand in the training text word for word.
    """

    train: Corpus
    validation: Corpus | None
    num_shared_sentences: int


def prepare_corpora(
    config: CorpusConfig, folder: Path, progress: Progress | None = None, *, num_processes: int | None = None
) -> Corpora:
    """Tokenise the text that `config` names into `folder`, or take what an earlier run with the same text left there.

    Memory grows with the number of distinct words alone: by about 150 bytes each while the text is read, and 80
    afterwards.

    Args:
        config: which text, and how it is read and split.
        folder: where the numbers are kept; the description is written last, so half a corpus is never taken.
        progress: hears the bytes read.
        num_processes: that tokenise prose; None: one a processor, if there is enough text.

    Raises:
        TextError: text is missing, cannot be read, or is written to meanwhile, or a part has no sentence.
        OSError: `folder` cannot be written.
    """
    listener = progress or SilentProgress()
    train, validation = find_inputs(config.train), find_inputs(config.validation)
    refuse_field_without_table([*train, *validation], config.field)
    old = read_description(folder)
    known = old.records if old else []
    new = CorpusDescription(
        settings=config.reading,
        train=record_files(train, known, listener),
        validation=record_files(validation, known, listener),
    )
    if old is not None and old.makes_the_same(new) and old.is_whole(folder):
        new.sizes, new.num_shared_sentences = old.sizes, old.num_shared_sentences
        if old.records != new.records:
            new.save(folder)  # with the times of change, so that contents need not be compared next time
        return load_corpora(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with writing_to(folder):
        remove_description(folder)
        names = write_corpora(config, (train, validation), folder, listener, num_processes)
        refuse_changes(new.records)
        new.add_files(folder, names)
        corpora = _load(folder)
        if corpora.validation is not None:
            new.num_shared_sentences = count_overlap(corpora.validation, corpora.train)
        new.save(folder)
    return corpora._replace(num_shared_sentences=new.num_shared_sentences)


def load_corpora(folder: Path) -> Corpora:
    """What `prepare_corpora` left in `folder`.

    Raises:
        TextError: there is no whole corpus.
    """
    description = read_description(folder)
    if description is None or not description.is_whole(folder):
        raise TextError(f"there is no whole corpus in {folder}; prepare it again")
    return _load(folder, description.num_shared_sentences)


def _load(folder: Path, num_shared_sentences: int = 0) -> Corpora:
    words = (folder / WORDS).read_text(encoding="utf-8").split("\n")[:-1]
    characters = map_numbers(folder / CHARACTERS, np.uint16, CHARACTERS_PER_TOKEN)
    train, validation = (
        Corpus(
            words=words,
            characters=characters,
            counts=np.load(folder / f"{name}.counts.npy"),
            tokens=map_numbers(folder / f"{name}.tokens", np.int32),
            offsets=map_numbers(folder / f"{name}.offsets", np.int64),
        )
        for name in (TRAIN, VALIDATION)
    )
    return Corpora(train, validation if validation.num_sentences else None, num_shared_sentences)
