"""Checkpoints that a training leaves behind whole, so that `--recover` goes on after Ctrl-C at any moment."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from pytorch_elmo.files import whole_file


def mend_checkpointer(module: ModuleType) -> None:
    """A checkpoint is two files; `--recover` failed for good where the last one was half written, or alone."""
    import torch

    def save(content: Any, path: str) -> None:
        with whole_file(Path(path)) as partial:
            torch.save(content, partial)

    module.torch = SimpleNamespace(save=save, load=torch.load)  # type: ignore[attr-defined]
    checkpointer: Any = module.Checkpointer
    find_all, load = checkpointer._find_all_checkpoints, checkpointer.load_checkpoint

    @functools.wraps(find_all)
    def find_whole(self: Any) -> set[tuple[int, int]]:
        return {point for point in find_all(self) if Path(self._training_state_path(*point)).exists()}

    @functools.wraps(load)
    def load_checkpoint(self: Any) -> Any:
        if self._is_primary:  # AllenNLP would leave the half, and add the other to it, of another run
            for point in find_all(self) - find_whole(self):
                self._remove_checkpoint(*point)
        return load(self)

    checkpointer._find_all_checkpoints, checkpointer.load_checkpoint = find_whole, load_checkpoint


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {"allennlp.training.checkpointer": (mend_checkpointer,)}
