"""Everything that a training run needs to go on, in one file that appears whole or not at all."""

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.files import whole_file

FORMAT = "pytorch_elmo.checkpoint"
VERSION = "1"
BEST = "best.safetensors"
_NAME = re.compile(r"step-(\d{9})\.safetensors")


class Checkpoint(NamedTuple):
    """The run after `step` steps: tensors by name, and a JSON document of all that is no tensor."""

    step: int
    tensors: dict[str, Tensor]
    document: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, keep: int) -> Path:
    """Write `folder/step-NNNNNNNNN.safetensors`, then remove all but the newest `keep`.

    Raises:
        WeightsError: it cannot be written; what was there before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{checkpoint.step:09d}.safetensors"
    metadata = {"format": FORMAT, "version": VERSION, "document": json.dumps(checkpoint.document)}
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in checkpoint.tensors.items()}
    try:
        with whole_file(path) as partial:
            save_file(tensors, partial, metadata=metadata)
    except (SafetensorError, OSError) as error:
        before = ([None, *list_checkpoints(folder)])[-1]
        raise WeightsError(
            f"cannot save the checkpoint {path}: {error}; the one before is whole: {before}; make room and go on"
        ) from error
    for old in list_checkpoints(folder)[:-keep]:
        old.unlink()
    return path


def keep_best(path: Path) -> None:
    """Keep a checkpoint under the name `best.safetensors` too, in place of the best one before."""
    with whole_file(path.with_name(BEST)) as partial:
        partial.unlink()
        os.link(path, partial)


def list_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder, oldest first."""
    found = [path for path in folder.glob("step-*.safetensors") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        WeightsError: the file is damaged, or of another kind or version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"the checkpoint {path} is damaged ({error}); remove it to go on from the one before"
        ) from error
    if (metadata.get("format"), metadata.get("version")) != (FORMAT, VERSION):
        raise WeightsError(f"{path} is no checkpoint of format version {VERSION}; take one that this command wrote")
    try:
        document = json.loads(metadata.get("document", ""))
    except json.JSONDecodeError as error:
        raise WeightsError(
            f"the checkpoint {path} is damaged ({error}); remove it to go on from the one before"
        ) from error
    name = _NAME.fullmatch(path.name)
    return Checkpoint(int(name[1]) if name else int(document["step"]), tensors, document)
