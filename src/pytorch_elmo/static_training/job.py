"""From texts to counts and from counts to files of vectors, in one folder that a later call goes on with."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.progress import Progress
from pytorch_elmo.static_training.blocks import Blocks
from pytorch_elmo.static_training.config import CountingConfig
from pytorch_elmo.static_training.outputs import TEXT_EMBEDDING, VECTORS, write_glove_text, write_text_embedding
from pytorch_elmo.static_training.pair_counts import PairCounter
from pytorch_elmo.static_training.submatrices import Submatrices, write_submatrices
from pytorch_elmo.static_training.trainer import SwivelTrainer
from pytorch_elmo.static_training.words import choose_words, counted_tokens, read_words, write_words
from pytorch_elmo.text.documents import read_sentences, refuse_field_without_table
from pytorch_elmo.text.inputs import files_of, find_inputs, heard, size_of
from pytorch_elmo.text.lines import InputFile
from pytorch_elmo.text.prose import processes_for

WORDS, COUNTS, DESCRIPTION = "words.txt", "counts.json", "swivel.json"
_RUNS = ".runs"


def prepare_counts(texts: Sequence[str], folder: Path, config: CountingConfig, progress: Progress) -> None:
    """Write the words of texts and the counts of their pairs to `folder`, unless an earlier call did.

    Args:
        texts: files, globs and folders.
        folder: of the run; made if it is not there. No other process may count in it.
        config: what is counted.
        progress: hears of bytes, read twice.

    Raises:
        TextError: the texts cannot be read, or have no words or no pairs.
        ConfigurationError: `folder` lies in one of the texts, or holds counts of other texts, or made with other
            settings.
    """
    _refuse_folder_in_texts(folder, texts)
    inputs = find_inputs(texts)
    refuse_field_without_table(inputs, config.field)
    if (folder / COUNTS).exists():
        _refuse_other_counts(Submatrices(folder / COUNTS).description, config, inputs, folder)
        return
    with _room_for_runs(folder) as room:
        _count(inputs, folder, room, config, progress)


def _count(inputs: Sequence[InputFile], folder: Path, room: Path, config: CountingConfig, progress: Progress) -> None:
    words = choose_words(_read(inputs, config, "counting words", progress), room, config)
    write_words(words, folder / WORDS)
    progress.note(f"{len(words):,} words, the rarest stands {words[-1][1]:,} times")
    blocks = Blocks.of_size(len(words), config.submatrix_size)
    ids = {word: number for number, (word, _) in enumerate(words)}
    with PairCounter(room, blocks, window=config.window) as counter:
        num_tokens = counter.count(_read(inputs, config, "counting pairs", progress), ids)
        description = {
            "config": asdict(config),
            "texts": [_describe(file) for file in inputs],
            "num_tokens": num_tokens,
            "num_tokens_in_vocabulary": sum(count for _, count in words),
        }
        write_submatrices(folder / COUNTS, counter.runs(), blocks, description, progress)


def write_results(trainer: SwivelTrainer, submatrices: Submatrices, folder: Path, *, dtype: torch.dtype) -> None:
    """Write the vectors to `folder`, and `swivel.json`: settings, texts and their hashes, the loss of each epoch.

    Args:
        trainer: has the vectors.
        submatrices: what it was trained on.
        folder: of the run, with its words.
        dtype: of the text embedding's numbers.
    """
    words = [word for word, _ in read_words(folder / WORDS)]
    vectors = trainer.vectors()
    write_glove_text(words, vectors, folder / VECTORS)
    write_text_embedding(
        words,
        vectors,
        folder / TEXT_EMBEDDING,
        remove_punctuation=submatrices.description["config"]["remove_punctuation"],
        dtype=dtype,
    )
    document = {
        "counting": submatrices.description,
        "num_words": len(words),
        "num_pairs": submatrices.num_pairs,
        "training": asdict(trainer.config),
        "losses": trainer.losses,
    }
    with whole_file(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _room_for_runs(folder: Path) -> Iterator[Path]:
    """A folder for what memory does not hold; what a call that was killed has left there would fill the disk."""
    room = folder / _RUNS
    if room.exists():
        shutil.rmtree(room)
    room.mkdir(parents=True)
    try:
        yield room
    finally:
        shutil.rmtree(room)


def _read(inputs: Sequence[InputFile], config: CountingConfig, label: str, progress: Progress) -> Iterator[list[str]]:
    size = size_of(inputs)
    progress.start(total=size, unit="B", label=label)
    sentences = read_sentences(
        heard(inputs, progress.advance),
        tokenizer=config.tokenizer,
        field=config.field,
        num_processes=processes_for(size),
    )
    yield from counted_tokens(sentences, config)
    progress.finish()


def _refuse_folder_in_texts(folder: Path, texts: Sequence[str]) -> None:
    """The next call would take the files of this one for texts."""
    for text in map(Path, texts):
        if text.is_dir() and folder.resolve().is_relative_to(text.resolve()):
            raise ConfigurationError(
                f"the output must not lie among the texts, {folder} is in {text}; choose another"
            )


def _describe(file: InputFile) -> dict[str, Any]:
    return {"name": file.name, "bytes": size_of([file]), "sha256": [sha256_of(part) for part in files_of(file)]}


def _summary(text: dict[str, Any]) -> str:
    return f"{text['name']} ({text['bytes']} bytes, sha256 {' '.join(digest[:8] for digest in text['sha256'])})"


def _refuse_other_counts(
    description: dict[str, Any], config: CountingConfig, inputs: Sequence[InputFile], folder: Path
) -> None:
    before, now = description["config"], asdict(config)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise ConfigurationError(
                f"{folder} holds counts with {name} {before.get(name)}, now it is {now.get(name)}; restore the "
                "setting, or choose another output folder"
            )
    for was, file in zip(description["texts"], inputs, strict=False):
        if was != (text := _describe(file)):
            raise ConfigurationError(
                f"{folder} holds counts of {_summary(was)}, got {_summary(text)}; name the same texts, or choose "
                "another output folder"
            )
    if len(inputs) != len(description["texts"]):
        raise ConfigurationError(
            f"{folder} holds counts of {len(description['texts'])} text(s), got {len(inputs)}; name the same texts, "
            "or choose another output folder"
        )
