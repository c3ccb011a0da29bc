"""Models from one kind of files to another: a whole folder or nothing, read back before it is there."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError

from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.files import sync_folder
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax
from pytorch_elmo.pretrained import resolve
from pytorch_elmo.pretrained.model_files import BILM_FILE, OPTIONS_FILE, SOFTMAX_FILE, VOCABULARY_FILE, WEIGHT_FILE
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.characters import words_to_ids
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.hdf5 import write_hdf5, write_softmax_hdf5
from pytorch_elmo.weights.load import load_model_files, model_hash, save_pretrained
from pytorch_elmo.weights.options import format_options
from pytorch_elmo.weights.own_format import save_softmax
from pytorch_elmo.weights.source_model import ALLENNLP, OWN, SourceModel, SourceOptions, read_source

SOFTMAX_WEIGHT_FILE = "softmax_weights.hdf5"
_FILES_OF_MODELS = {BILM_FILE, SOFTMAX_FILE, OPTIONS_FILE, WEIGHT_FILE, SOFTMAX_WEIGHT_FILE, VOCABULARY_FILE}

_PROBE = "The boat left the harbour at noon , and nobody saw it again before the storm ."

Layout = Literal["own", "allennlp"]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What was done.

    Attributes:
        kind: of the source, see `SourceModel`.
        layout: of the destination.
        sizes: bytes of the files that were written, by their names.
        num_parameters: of the biLM.
        model_hash: as `weights.load.model_hash`; equal before and after.
        notes: what the source has and the destination has not, a line each.
    """

    kind: str
    layout: Layout
    sizes: dict[str, int]
    num_parameters: int
    model_hash: str
    notes: list[str]


def convert(
    source: str | Path,
    destination: Path,
    to: Layout | None = None,
    *,
    told: SourceOptions | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Conversion:
    """Write a model of any kind as this package's files or as AllenNLP's.

    Parameters keep every bit, and so does a start state where the destination has a place for it. The folder appears
    when it is complete and has been read back.

    Args:
        source: see `read_source`.
        destination: a folder to make.
        to: `own`, or `allennlp` for options.json and weights.hdf5; the other one than the source's if None.
        told: what the source does not say itself.
        force: replace a folder that holds a model's files and nothing else.
        progress: hears stages, and of a checkpoint bytes.

    Raises:
        PytorchElmoError: the source cannot be read, does not fit, or the destination is not free.
    """
    progress = progress or SilentProgress()
    _check_destination(destination, force)
    progress.start(total=3, unit="stage", label="reading")
    model = read_source(source, told or SourceOptions(), progress)
    layout: Layout = to or (ALLENNLP if model.kind == OWN else OWN)
    notes = [*model.notes, *(_prepare_for_allennlp(model) if layout == ALLENNLP else ())]
    expected = model_hash(model.bilm)
    with _whole_folder(destination) as folder:
        progress.start(total=3, unit="stage", done=1, label="writing")
        _write(model, layout, folder, destination)
        progress.start(total=3, unit="stage", done=2, label="reading back")
        if model_hash(load_model_files(resolve(folder))) != expected:
            raise WeightsError(
                f"{destination} came out another model than {source}; nothing was written, report this"
            )
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    progress.finish()
    return Conversion(
        kind=model.kind,
        layout=layout,
        sizes=sizes,
        num_parameters=sum(parameter.numel() for parameter in model.bilm.parameters()),
        model_hash=expected,
        notes=notes,
    )


def _prepare_for_allennlp(model: SourceModel) -> list[str]:
    """Refuse or remove what AllenNLP's files have no place for; notes on it."""
    notes = []
    if not model.bilm.config.lstm.use_skip_connections:
        notes.append("AllenNLP itself runs no biLM without skip connections; this package does")
    if model.bilm.lstm.start is not None:
        notes.append(_drop_start_state(model.bilm))
    padding = model.bilm.character_encoder.get_parameter("_char_embedding_weights").detach()[0]
    if padding.any():
        padding.zero_()
        notes.append("left out: the characters' row for padded positions, which no vector depends on")
    if isinstance(model.softmax, AdaptiveSoftmax):
        notes.append("left out: the adaptive softmax, for the authors' file holds a full one")
    elif model.vocabulary is not None:
        _check_vocabulary(model.vocabulary)
    return notes


def _drop_start_state(bilm: BiLM) -> str:
    """Let sentences begin from zeros; a note on how much that changes the vectors of a sentence."""
    ids = torch.from_numpy(words_to_ids(_PROBE.split()))[None]
    before = torch.stack(bilm(ids).layer_activations[1:])
    bilm.lstm.start = None
    after = torch.stack(bilm(ids).layer_activations[1:])
    moved = ((after - before).square().mean() / before.square().mean()).sqrt().item()
    return (
        "left out: the start state, for AllenNLP's sentences begin from zeros; on a sentence of "
        f"{ids.shape[1]} words that changes the LSTM layers' vectors by {moved:.1%} (root mean square)"
    )


def _write(model: SourceModel, layout: Layout, folder: Path, destination: Path) -> None:
    try:
        (_write_own if layout == OWN else _write_allennlp)(model, folder)
    except (SafetensorError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(
            f"{destination} cannot be written: {reason}; nothing was left there, make room or name another folder"
        ) from error


def _write_own(model: SourceModel, folder: Path) -> None:
    save_pretrained(model.bilm, folder)
    if model.softmax is not None and model.vocabulary is not None:
        save_softmax(model.softmax, model.vocabulary, folder / SOFTMAX_FILE)


def _write_allennlp(model: SourceModel, folder: Path) -> None:
    """AllenNLP's two files, and beside them the softmax as the authors published theirs."""
    options = json.dumps(format_options(model.bilm.config), indent=2)
    (folder / OPTIONS_FILE).write_text(options + "\n", encoding="utf-8")
    write_hdf5(model.bilm, folder / WEIGHT_FILE)
    if isinstance(model.softmax, Softmax) and model.vocabulary is not None:
        write_softmax_hdf5(model.softmax, folder / SOFTMAX_WEIGHT_FILE)
        model.vocabulary.save(folder / VOCABULARY_FILE)


def _check_vocabulary(vocabulary: Vocabulary) -> None:
    """Words that a line of a vocabulary file cannot hold would shift all later ids."""
    read = Vocabulary.from_lines("\n".join(vocabulary.tokens).replace("\r", "\n").split("\n")).tokens
    for number, (token, again) in enumerate(zip_longest(vocabulary.tokens, read)):
        if token != again:
            raise WeightsError(
                f"a vocabulary file has a word a line, word {number} of this one is {token!r}; convert with --to own"
            )


def _check_destination(destination: Path, force: bool) -> None:
    """Raise ConfigurationError unless the folder can be made, or replaced with leave and without loss."""
    if not destination.absolute().parent.is_dir():
        raise ConfigurationError(
            f"the folder of DESTINATION must exist, {destination.absolute().parent} does not; make it first"
        )
    if not os.path.lexists(destination):
        return
    if not force:
        raise ConfigurationError(f"{destination} exists; name another folder, or replace it with --force")
    if destination.is_symlink() or not destination.is_dir():
        raise ConfigurationError(f"DESTINATION is a folder to make, {destination} is a file or a link; name another")
    if others := sorted(path.name for path in destination.iterdir() if path.name not in _FILES_OF_MODELS):
        raise ConfigurationError(
            f"--force replaces a folder of model files alone, {destination} holds {others[0]}; name another folder"
        )


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target` that takes its place if the block ends without an error."""
    target = target.absolute()
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        partial.mkdir()
        yield partial
        if target.exists():
            os.replace(target, old)
        os.replace(partial, target)
        sync_folder(target.parent)
    finally:
        for folder in (partial, old):
            if folder.exists():
                shutil.rmtree(folder)
