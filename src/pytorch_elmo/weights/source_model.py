"""A language model from whatever somebody has: files of any origin to a biLM and, where there is one, its softmax."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open

from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.formats.torch_file import read_tensors
from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax
from pytorch_elmo.pretrained import ModelFiles, resolve
from pytorch_elmo.pretrained.model_files import OPTIONS_FILE
from pytorch_elmo.progress import Progress
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.archived import is_archive, read_archive
from pytorch_elmo.weights.bilm_tf import BilmTfCheckpoint, find_checkpoint, is_checkpoint
from pytorch_elmo.weights.fine_tuned import Tensors, bilm_from_state_dict, cached_words, find_bilm, first_difference
from pytorch_elmo.weights.load import load_bilm, load_model_files
from pytorch_elmo.weights.many_langs import is_many_langs, refusal_of_many_langs
from pytorch_elmo.weights.options import read_options
from pytorch_elmo.weights.own_format import BILM_FORMAT, read_softmax
from pytorch_elmo.weights.softmax_hdf5 import read_softmax_hdf5

OWN: Final = "own"
ALLENNLP: Final = "allennlp"
BILM_TF, ARCHIVE, STATE_DICT = "bilm-tf", "archive", "state dict"
_HDF5, _SAFETENSORS, _TORCH = (".hdf5", ".h5"), ".safetensors", (".th", ".pt", ".pth", ".bin")
_CHECKPOINT_FORMAT = "pytorch_elmo.checkpoint"


@dataclass(frozen=True, kw_only=True)
class SourceModel:
    """What was read.

    Attributes:
        kind: `own`, `allennlp`, `bilm-tf`, `archive` or `state dict`.
        bilm: frozen, in evaluation mode.
        softmax: the output layer, if there is one and its words are known.
        vocabulary: those words.
        notes: what the source has and the model has not, a line each.
    """

    kind: str
    bilm: BiLM
    softmax: Softmax | AdaptiveSoftmax | None = None
    vocabulary: Vocabulary | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """What a source may need to be told: each is refused where it has no meaning."""

    options_file: Path | None = None
    vocabulary_file: Path | None = None
    prefix: str | None = None


def read_source(source: str | Path, told: SourceOptions, progress: Progress) -> SourceModel:
    """The model in a folder, a file, or of a name.

    Args:
        source: a named model; a folder of this package, of AllenNLP or of bilm-tf; an archive of a task model; a
            state dict in safetensors or in PyTorch's format; a weight file.
        told: what it does not say itself.
        progress: hears bytes.

    Raises:
        PytorchElmoError: nothing of this kind, damaged, or more than one model; what does not fit is named.
    """
    path = Path(source)
    if is_many_langs(path):
        raise refusal_of_many_langs(path)
    if is_checkpoint(path):
        return _read_bilm_tf(path, told, progress)
    if is_archive(path):
        return _read_archive(path, told)
    if path.is_file():
        return _read_file(path, told)
    _refuse(told, f"{source} is a model with its own options", options_file=True, prefix=True)
    return _read_model(resolve(source, progress=progress), told)


def _read_model(files: ModelFiles, told: SourceOptions) -> SourceModel:
    bilm = load_model_files(files)
    kind = ALLENNLP if files.bilm is None else OWN
    if files.softmax is not None:
        _refuse(told, f"{files.softmax} has its own vocabulary", vocabulary_file=True)
        softmax, vocabulary = read_softmax(files.softmax)
        return SourceModel(kind=kind, bilm=bilm, softmax=softmax, vocabulary=vocabulary)
    if files.softmax_weights is None:
        _refuse(told, f"{files.folder} has no softmax", vocabulary_file=True)
        return SourceModel(kind=kind, bilm=bilm)
    words = told.vocabulary_file or files.vocabulary
    if words is None:
        note = f"left out: {files.softmax_weights.name}, whose words are not known; name them with --vocabulary"
        return SourceModel(kind=kind, bilm=bilm, notes=[note])
    softmax = read_softmax_hdf5(files.softmax_weights)
    vocabulary = _vocabulary(words, len(softmax.weight), files.softmax_weights)
    return SourceModel(kind=kind, bilm=bilm, softmax=softmax, vocabulary=vocabulary)


def _read_bilm_tf(path: Path, told: SourceOptions, progress: Progress) -> SourceModel:
    _refuse(told, f"{path} is a checkpoint of a biLM alone", prefix=True)
    prefix = find_checkpoint(path)
    checkpoint = BilmTfCheckpoint(prefix, read_options(told.options_file or prefix.with_name(OPTIONS_FILE)))
    notes, size = list(checkpoint.notes), checkpoint.vocabulary_size
    if size is None:
        _refuse(told, f"{prefix} has no softmax", vocabulary_file=True)
    vocabulary = None
    if size is not None and told.vocabulary_file is not None:
        vocabulary = _vocabulary(told.vocabulary_file, size, prefix)
    elif size is not None:
        notes.append(f"left out: the softmax over {size:,} words; name them with --vocabulary to keep it")
    bilm, softmax = checkpoint.read(progress, with_softmax=vocabulary is not None)
    return SourceModel(kind=BILM_TF, bilm=bilm, softmax=softmax, vocabulary=vocabulary, notes=notes)


def _read_archive(path: Path, told: SourceOptions) -> SourceModel:
    _refuse(told, f"{path} has no softmax", vocabulary_file=True)
    archived = read_archive(path, with_options=told.options_file is None)
    prefix, tensors = find_bilm(archived.tensors, str(path), told.prefix)
    if told.options_file is not None:
        config = read_options(told.options_file)
    else:
        config = _fitting(archived.options, archived.absent, tensors, path)
    return _from_state_dict(ARCHIVE, archived.tensors, prefix, tensors, config, path)


def _fitting(options: dict[str, BiLMConfig], absent: dict[str, str], tensors: Tensors, path: Path) -> BiLMConfig:
    """The one architecture that the parameters have, of those that the configuration names."""
    if not options:
        named = "; ".join(f"{place} is {file}" for place, file in absent.items()) or "its configuration names none"
        raise ConfigurationError(
            f"the options file of the biLM in {path} is not here ({named}); give it with --options-file"
        )
    fitting = [config for config in options.values() if first_difference(tensors, config) is None]
    if not fitting:
        place, config = next(iter(options.items()))
        raise WeightsError(
            f"{path}: {first_difference(tensors, config)} ({place}); name the options file with --options-file"
        )
    if any(config != fitting[0] for config in fitting):
        raise ConfigurationError(
            f"{path} names options files that differ, {', '.join(options)}; say which with --options-file"
        )
    return fitting[0]


def _read_file(path: Path, told: SourceOptions) -> SourceModel:
    _refuse(told, f"{path} has no softmax", vocabulary_file=True)
    if path.suffix in _HDF5:
        _refuse(told, f"{path} is a biLM alone", prefix=True)
        options_file = told.options_file or path.with_name(OPTIONS_FILE)
        return SourceModel(kind=ALLENNLP, bilm=load_bilm(options_file, path))
    if path.suffix == _SAFETENSORS:
        tensors, kind = _read_safetensors(path)
        if kind == BILM_FORMAT:
            _refuse(told, f"{path} is a model with its own options", options_file=True, prefix=True)
            return SourceModel(
                kind=OWN, bilm=load_model_files(ModelFiles(name=path.name, folder=path.parent, bilm=path))
            )
        if kind == _CHECKPOINT_FORMAT:
            raise WeightsError(f"{path} is a run's checkpoint; elmo pretrain writes the model of it to OUTPUT/model")
    elif path.suffix in _TORCH:
        tensors = read_tensors(path)
    else:
        known = ", ".join((*_HDF5, _SAFETENSORS, *_TORCH, ".index", ".tar.gz"))
        raise ConfigurationError(f"a model's file ends in {known}, {path} does not; name a folder or another file")
    prefix, found = find_bilm(tensors, str(path), told.prefix)
    if told.options_file is None:
        raise ConfigurationError(
            f"{path} holds parameters alone; clips, activation and skip connections are in the options file of the "
            "model that was fine-tuned: name it with --options-file"
        )
    return _from_state_dict(STATE_DICT, tensors, prefix, found, read_options(told.options_file), path)


def _read_safetensors(path: Path) -> tuple[Tensors, str | None]:
    """All tensors of a file, and which of this package's formats it is in, if any."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, (file.metadata() or {}).get("format")
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no whole safetensors file: {error}; fetch it anew") from error


def _from_state_dict(
    kind: str, everything: Tensors, prefix: str, tensors: Tensors, config: BiLMConfig, path: Path
) -> SourceModel:
    notes = []
    if others := len(everything) - len(tensors):
        notes.append(f"left out: {others} tensors of the task model around {prefix.rstrip('.') or 'the biLM'}")
    if (cache := cached_words(everything, prefix)) is not None:
        notes.append(f"left out: {cache}, which is computed from the biLM")
    if rounded := [name for name, tensor in tensors.items() if tensor.dtype == torch.float64]:
        notes.append(f"left out: digits beyond float32 of {len(rounded)} tensors")
    return SourceModel(kind=kind, bilm=bilm_from_state_dict(tensors, config, str(path)), notes=notes)


def _vocabulary(path: Path, size: int, softmax: Path) -> Vocabulary:
    vocabulary = Vocabulary.from_file(path)
    if len(vocabulary) != size:
        raise ConfigurationError(
            f"{softmax} predicts {size:,} words, the vocabulary {path} has {len(vocabulary):,}; name the one that it "
            "was trained with"
        )
    return vocabulary


def _refuse(told: SourceOptions, reason: str, **refused: bool) -> None:
    """Options that the source has no use for.

    Raises:
        ConfigurationError: one was given.
    """
    flags = {"options_file": "--options-file", "vocabulary_file": "--vocabulary", "prefix": "--prefix"}
    for name in refused:
        if getattr(told, name) is not None:
            raise ConfigurationError(f"{reason}, {flags[name]} {getattr(told, name)} was given; leave it out")
