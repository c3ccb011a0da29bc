"""Figures of a run for TensorBoard, under the names that Keras gives them."""

from pathlib import Path
from typing import Any

from pytorch_elmo.errors import ConfigurationError


class TensorBoardLog:
    """Writes `epoch_<figure>` in the folders `train` and `validation` of a folder; rounds count from 0.

    Raises:
        ConfigurationError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigurationError(
                f"log_folder needs TensorBoard, which is not there ({error}); pip install 'pytorch-elmo[train]'"
            ) from error
        self._open = SummaryWriter
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> "TensorBoardLog":
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def write(self, number: int, figures: dict[str, float]) -> None:
        """The figures of one round."""
        for name, value in figures.items():
            part = "validation" if name.startswith("val_") else "train"
            if part not in self._writers:
                self._writers[part] = self._open(str(self._folder / part))
            self._writers[part].add_scalar(f"epoch_{name.removeprefix('val_')}", value, number)
