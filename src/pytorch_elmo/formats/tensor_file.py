"""This project's own files: tensors in safetensors, with their kind, a version and a JSON document in the header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.files import whole_file

VERSION = "1"


def write_tensor_file(path: Path, kind: str, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Write a file of `kind`, whole or not at all."""
    from safetensors.torch import save_file

    metadata = {"format": kind, "version": VERSION, "document": json.dumps(document)}
    with whole_file(path) as partial:
        save_file(dict(tensors), partial, metadata=metadata)


def read_tensor_file(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the document.

    Raises:
        WeightsError: the file is missing, damaged, or of another kind or version.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(f"no model file {path}; give the folder of a model")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no whole safetensors file: {error}; fetch it anew") from error
    if metadata.get("format") != kind:
        raise WeightsError(
            f"{path} is not a {kind} file, its format is {metadata.get('format')!r}; give another file"
        )
    if metadata.get("version") != VERSION:
        raise WeightsError(f"{path} has format version {metadata.get('version')!r}, this release reads {VERSION}")
    try:
        document = json.loads(metadata.get("document", ""))
    except (json.JSONDecodeError, RecursionError) as error:
        raise WeightsError(f"{path}: its description is no JSON: {error}; fetch the file anew") from error
    if not isinstance(document, dict):
        raise WeightsError(
            f"{path}: its description must be a JSON object, got {document!r:.40}; fetch the file anew"
        )
    return tensors, document
