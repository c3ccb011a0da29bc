"""Fitting vectors to counts: one submatrix a step, Adagrad, resumable at every step."""

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, WeightsError
from pytorch_elmo.static_training.config import SwivelConfig
from pytorch_elmo.static_training.objective import Objective
from pytorch_elmo.static_training.submatrices import Submatrices
from pytorch_elmo.training.checkpoint import Checkpoint, list_checkpoints, load_checkpoint, save_checkpoint

CHECKPOINTS = "checkpoints"
FIRST_ACCUMULATOR = 0.1  # as TensorFlow's Adagrad; from zero, the first step would be one of full length everywhere


class Reports(Protocol):
    """A listener of a training run."""

    def step_done(self) -> None:
        """A submatrix was trained on."""

    def epoch_done(self, epoch: int, loss: float) -> None:
        """A pass over all submatrices is finished; `loss` is the mean over all cells, each at its step."""


class _Table(NamedTuple):
    """Vectors and Adagrad's sums of squared gradients, (num_words, dim) float32 each."""

    vectors: Tensor
    squares: Tensor

    def update(self, words: slice, gradient: Tensor, rate: float) -> None:
        """Adagrad (Duchi et al. 2011) on the rows of some words."""
        self.squares[words] += gradient**2
        self.vectors[words] -= rate * gradient / self.squares[words].sqrt()


class SwivelTrainer:
    """A run: the vectors of all words as rows and as columns, and its place among the submatrices.

    The order of the submatrices comes from the seed and the epoch, so that nothing else has to be kept.

    Attributes:
        step: submatrices trained on so far.
        losses: mean loss of a cell in each finished epoch.

    Args:
        submatrices: the counts.
        config: the settings.
        device: where it is computed; a run on the CPU is the same every time.
    """

    def __init__(self, submatrices: Submatrices, config: SwivelConfig, *, device: torch.device | str = "cpu") -> None:
        self.config, self._submatrices, self._device = config, submatrices, torch.device(device)
        sums = torch.from_numpy(submatrices.sums).float().to(self._device)
        self._objective = Objective(sums, config)
        generator = torch.Generator().manual_seed(config.seed)
        self._rows, self._columns = self._fresh(generator), self._fresh(generator)
        self.step = 0
        self.losses: list[float] = []
        self._loss_so_far = 0.0
        self._drawn = -1, np.empty(0, np.int64)

    @property
    def steps_per_epoch(self) -> int:
        """Submatrices."""
        return self._submatrices.blocks.num_blocks**2

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""
        return self.config.num_epochs * self.steps_per_epoch

    def vectors(self) -> Tensor:
        """The result, each word's row plus its column vector; (num_words, dim) float32 on the CPU."""
        return (self._rows.vectors + self._columns.vectors).cpu()

    def run(self, folder: Path, reports: Reports, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train to the last epoch, saving a checkpoint in `folder` after each.

        Args:
            folder: of the run.
            reports: hears of steps and epochs.
            stop: asked after each step; True saves a checkpoint and ends the run.

        Returns:
            Whether the run is finished.

        Raises:
            PytorchElmoError: the loss is no longer a number.
            WeightsError: a checkpoint cannot be written.
        """
        stopped = False
        while self.step < self.num_steps and not stopped:
            self.train_step()
            reports.step_done()
            stopped = stop()
            finished_epoch = self.step % self.steps_per_epoch == 0
            if finished_epoch:
                reports.epoch_done(len(self.losses), self.losses[-1])
            if stopped or finished_epoch:
                save_checkpoint(folder / CHECKPOINTS, self._snapshot(), keep=1)
        return self.step == self.num_steps

    def train_step(self) -> None:
        """Train on one submatrix; one below the diagonal is the transpose of one above, with the tables swapped.

        Raises:
            PytorchElmoError: the loss is no longer a number.
        """
        epoch, place = divmod(self.step, self.steps_per_epoch)
        row_block, column_block = divmod(int(self._order_of(epoch)[place]), self._submatrices.blocks.num_blocks)
        first, second = self._rows, self._columns
        if row_block > column_block:
            row_block, column_block, first, second = column_block, row_block, second, first
        rows, columns = map(self._submatrices.blocks.words_of, (row_block, column_block))
        cells = self._submatrices.read(row_block, column_block)
        positions = torch.from_numpy(cells.positions).to(self._device, torch.int64)
        counts = torch.from_numpy(cells.counts).to(self._device)
        result = self._objective.evaluate(
            first.vectors[rows], second.vectors[columns], (rows, columns), positions, counts
        )
        if not math.isfinite(result.loss):
            raise PytorchElmoError(
                f"the loss is {result.loss} at step {self.step + 1}; lower --learning-rate, in another output folder"
            )
        first.update(rows, result.rows, self.config.learning_rate)
        second.update(columns, result.columns, self.config.learning_rate)
        self._advance(result.loss)

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint in `folder`, if there is one.

        Raises:
            ConfigurationError: the run was started with other settings, of which more epochs are none; or it has
                gone on for more epochs than are asked for.
            WeightsError: the checkpoint is damaged, or of other words.
        """
        saved = list_checkpoints(folder / CHECKPOINTS)
        if not saved:
            return
        checkpoint = load_checkpoint(saved[-1])
        tensors, document = checkpoint.tensors, checkpoint.document
        _refuse_other_settings(document, self.config)
        if checkpoint.step > self.num_steps:
            raise ConfigurationError(
                f"the run has {checkpoint.step / self.steps_per_epoch:.4g} epochs behind it, now num_epochs is "
                f"{self.config.num_epochs}; ask for as many or more, or choose another output folder"
            )
        for name, tensor in self._tensors().items():
            if name not in tensors or tensors[name].shape != tensor.shape:
                raise WeightsError(
                    f"{saved[-1]} is of other words or dimensions: {name}; choose another output folder"
                )
            tensor.copy_(tensors[name])
        self.step, self.losses, self._loss_so_far = checkpoint.step, document["losses"], document["loss_so_far"]

    def _order_of(self, epoch: int) -> NDArray[np.int64]:
        """The submatrices in the epoch's order, drawn at its first step only."""
        if self._drawn[0] != epoch:
            generator = np.random.default_rng([self.config.seed, epoch])
            self._drawn = epoch, generator.permutation(self.steps_per_epoch)
        return self._drawn[1]

    def _fresh(self, generator: torch.Generator) -> _Table:
        shape = (self._submatrices.blocks.num_words, self.config.dim)
        vectors = torch.randn(shape, generator=generator) / math.sqrt(self.config.dim)
        return _Table(vectors.to(self._device), torch.full(shape, FIRST_ACCUMULATOR, device=self._device))

    def _advance(self, loss: float) -> None:
        self.step += 1
        self._loss_so_far += loss
        if self.step % self.steps_per_epoch == 0:
            self.losses.append(self._loss_so_far / self._submatrices.blocks.num_words**2)
            self._loss_so_far = 0.0

    def _tensors(self) -> dict[str, Tensor]:
        tables = {"rows": self._rows, "columns": self._columns}
        return {f"{name}.{part}": t for name, table in tables.items() for part, t in table._asdict().items()}

    def _snapshot(self) -> Checkpoint:
        document = {"config": asdict(self.config), "losses": self.losses, "loss_so_far": self._loss_so_far}
        return Checkpoint(self.step, self._tensors(), document)


def _refuse_other_settings(document: dict[str, object], config: SwivelConfig) -> None:
    before, now = document.get("config"), asdict(config)
    if not isinstance(before, dict) or before.keys() != now.keys():
        raise WeightsError("the checkpoint is not of a Swivel run of this release; choose another output folder")
    for name in sorted(now.keys() - {"num_epochs"}):
        if before[name] != now[name]:
            raise ConfigurationError(
                f"the run was started with {name} {before[name]}, now it is {now[name]}; restore the setting, or "
                "choose another output folder"
            )
