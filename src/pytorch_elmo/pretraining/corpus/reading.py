"""From text to the files of a corpus: numbered sentences, distinct words, their characters and counts."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.pretraining.config import CorpusConfig
from pytorch_elmo.pretraining.corpus.sentence_file import TOKENS_PER_BLOCK, SentenceWriter, WordNumbers
from pytorch_elmo.progress import Progress
from pytorch_elmo.text.characters import words_to_ids
from pytorch_elmo.text.documents import Sentence, read_sentences
from pytorch_elmo.text.inputs import heard, size_of
from pytorch_elmo.text.lines import InputFile
from pytorch_elmo.text.prose import processes_for

TRAIN, VALIDATION, WORDS, CHARACTERS = "train", "validation", "words.txt", "characters"
_WORDS_PER_BLOCK = 8192


def write_corpora(
    config: CorpusConfig,
    inputs: tuple[Sequence[InputFile], Sequence[InputFile]],
    folder: Path,
    progress: Progress,
    num_processes: int | None,
) -> list[str]:
    """Write the files of both parts; see `prepare_corpora`.

    Args:
        config: how the text is read and split.
        inputs: for training and for validation.
        folder: for the files.
        progress: hears the bytes read.
        num_processes: as in `prepare_corpora`.

    Returns:
        Names of the files.

    Raises:
        TextError: text cannot be read, or a part has no sentence.
    """
    numbers = WordNumbers()
    progress.start(total=sum(map(size_of, inputs)), unit="B", label="reading text")
    with SentenceWriter(folder, TRAIN) as train, SentenceWriter(folder, VALIDATION) as validation:
        for some, writer in zip(inputs, (train, validation), strict=True):
            before = train.num_sentences + validation.num_sentences
            sentences = _sentences(config, heard(some, progress.advance), num_processes)
            if writer is train and config.validation_share:
                _write_split(sentences, numbers, train, validation, config)
            else:
                _write(sentences, numbers, writer)
            if some and train.num_sentences + validation.num_sentences == before:
                raise TextError(
                    f"no sentence in {some[0].name} and {len(some) - 1} more file(s); is the text elsewhere?"
                )
    progress.finish()
    _write_words(numbers, folder)
    for name in (TRAIN, VALIDATION):
        np.save(folder / f"{name}.counts.npy", _count(folder / f"{name}.tokens", len(numbers)))
    parts = [f"{name}.{kind}" for name in (TRAIN, VALIDATION) for kind in ("tokens", "offsets", "counts.npy")]
    return [WORDS, CHARACTERS, *parts]


def _sentences(
    config: CorpusConfig, inputs: Sequence[InputFile], num_processes: int | None
) -> Iterator[Sentence | None]:
    return read_sentences(
        inputs,
        tokenizer=config.tokenizer,
        field=config.field,
        documents=config.documents,
        num_processes=num_processes or processes_for(size_of(inputs)),
    )


def _write(sentences: Iterator[Sentence | None], numbers: WordNumbers, writer: SentenceWriter) -> None:
    number_of = numbers.__getitem__
    for sentence in sentences:
        if sentence is not None:
            writer.add(map(number_of, sentence))


def _write_split(
    sentences: Iterator[Sentence | None],
    numbers: WordNumbers,
    train: SentenceWriter,
    validation: SentenceWriter,
    config: CorpusConfig,
) -> None:
    """Write documents to `train`, and move those to `validation` whose content says so.

    A document falls to validation when the seeded hash of its tokens is below the share, so order and neighbours do
    not matter, and equal documents stay together.
    """
    number_of = numbers.__getitem__
    key = str(config.validation_seed).encode()
    bound = int(config.validation_share * 2**64)
    num_documents = num_sentences = num_tokens = 0
    digest = blake2b(digest_size=8, key=key)
    for sentence in sentences:
        if sentence is not None:
            train.add(map(number_of, sentence))
            digest.update(f"{' '.join(sentence)}\n".encode())
        elif train.num_sentences > num_sentences:
            if int.from_bytes(digest.digest(), "big") < bound:
                train.move_last(train.num_sentences - num_sentences, train.num_tokens - num_tokens, validation)
            num_documents, num_sentences, num_tokens = num_documents + 1, train.num_sentences, train.num_tokens
            digest = blake2b(digest_size=8, key=key)
    if num_documents and not (train.num_sentences and validation.num_sentences):
        raise TextError(
            f"a validation_share of {config.validation_share} of {num_documents} document(s) leaves none for "
            f"{VALIDATION if train.num_sentences else TRAIN}; change it, or what ends a document (documents is "
            f"{config.documents!r})"
        )


def _write_words(numbers: WordNumbers, folder: Path) -> None:
    with (folder / WORDS).open("w", encoding="utf-8") as words, (folder / CHARACTERS).open("wb") as characters:
        remaining = iter(numbers)
        while block := list(islice(remaining, _WORDS_PER_BLOCK)):
            words.writelines(f"{word}\n" for word in block)
            characters.write(words_to_ids(block).astype(np.uint16).data)


def _count(path: Path, num_words: int) -> NDArray[np.int64]:
    counts = np.zeros(num_words, dtype=np.int64)
    with path.open("rb") as file:
        while len(block := np.fromfile(file, dtype=np.int32, count=TOKENS_PER_BLOCK)):
            counts += np.bincount(block, minlength=num_words)
    return counts
