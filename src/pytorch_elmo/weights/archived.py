"""Task models in AllenNLP's archives: their parameters, and the options files that their configurations name."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.allennlp_archive import CONFIGURATION, WEIGHTS, unpack
from pytorch_elmo.formats.torch_file import read_tensors
from pytorch_elmo.model import BiLMConfig
from pytorch_elmo.pretrained import MODELS, is_cached, resolve
from pytorch_elmo.pretrained.addresses import model_of_options
from pytorch_elmo.weights.load import load_model_files
from pytorch_elmo.weights.options import read_options

_KEY, _MODEL_KEY, _EMBEDDER = "options_file", "model", "elmo_token_embedder"
_FILES, _LIST = "fta", "files_to_archive.json"  # where 0.9 keeps files that a configuration names


class ArchivedModel(NamedTuple):
    """A task model.

    Attributes:
        tensors: its state dict.
        options: what the options files say that its configuration names, by their places in it.
        absent: options files that are not on this machine, by their places.
    """

    tensors: dict[str, Tensor]
    options: dict[str, BiLMConfig]
    absent: dict[str, str]


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive."""
    return path.is_file() and path.name.endswith((".tar.gz", ".tgz"))


def read_archive(path: Path, *, with_options: bool = True) -> ArchivedModel:
    """A task model in an archive of AllenNLP 0.9 to 2.x; nothing is unpickled.

    Args:
        path: of the `.tar.gz`.
        with_options: read the options files too.

    Raises:
        WeightsError: the archive is damaged, or its members are not what they should be.
        ConfigurationError: a version of AllenNLP that is not known, or an options file that cannot be run.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            unpack(path, folder)
        except OSError as error:
            raise WeightsError(
                f"{path} cannot be unpacked into a temporary folder: {error.strerror or error}; make room, or name "
                "another one by the variable TMPDIR"
            ) from error
        options, absent = _read_options(folder, path) if with_options else ({}, {})
        return ArchivedModel(read_tensors(folder / WEIGHTS), options, absent)


def _read_options(folder: Path, archive: Path) -> tuple[dict[str, BiLMConfig], dict[str, str]]:
    found, absent = {}, {}
    archived = _read_json(folder / _LIST, archive) if (folder / _LIST).exists() else {}
    for place, named in _named_options(_read_json(folder / CONFIGURATION, archive).get("model"), "model"):
        kept = folder / _FILES / place
        config = read_options(kept) if place in archived and kept.is_file() else _options_here(named)
        if config is None:
            absent[place] = named
        else:
            found[place] = config
    return found, absent


def _options_here(named: str) -> BiLMConfig | None:
    """What an options file or a model says that a configuration names, if it is on this machine."""
    name = model_of_options(named) or named
    if name in MODELS:
        return load_model_files(resolve(name)).config if is_cached(name) else None
    if Path(named).is_dir():
        return load_model_files(resolve(Path(named))).config
    return read_options(Path(named)) if Path(named).is_file() else None


def _named_options(part: Any, place: str) -> Iterator[tuple[str, str]]:
    """Options files in a configuration, and models that stand for theirs, with their places."""
    if isinstance(part, list):
        for index, element in enumerate(part):
            yield from _named_options(element, f"{place}.{index}")
    if not isinstance(part, dict):
        return
    if isinstance(part.get(_KEY), str):
        yield f"{place}.{_KEY}", part[_KEY]
    elif part.get("type") == _EMBEDDER and isinstance(part.get(_MODEL_KEY), str):
        yield f"{place}.{_MODEL_KEY}", part[_MODEL_KEY]
    for key, value in part.items():
        yield from _named_options(value, f"{place}.{key}")


def _read_json(path: Path, archive: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise WeightsError(f"{path.name} of {archive} must be JSON: {error}; get the archive again") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path.name} of {archive} must be a JSON object; get the archive again")
    return content
