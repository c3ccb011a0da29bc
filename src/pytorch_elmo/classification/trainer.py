"""One loop for all classifiers: rounds of steps, an evaluation after each."""

import math
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pytorch_elmo.classification.evaluation import Figures, Task, device_of, evaluate, run
from pytorch_elmo.classification.examples import Examples
from pytorch_elmo.classification.history import History, Row
from pytorch_elmo.classification.orders import Order
from pytorch_elmo.classification.tensorboard_log import TensorBoardLog
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.progress import Progress, SilentProgress


def fit(
    model: nn.Module,
    training: Examples,
    *,
    task: Task,
    optimizer: Optimizer,
    order: Order,
    rounds: int,
    validation: Examples | None = None,
    patience: int | None = None,
    log_folder: str | Path | None = None,
    progress: Progress | None = None,
) -> History:
    """Train a model in place.

    A round is an epoch or a number of steps, as `order` says; the figures of its training examples are those of their
    batches before each step, as Keras tells them, those of the validation examples come after it.

    Args:
        model: inputs -> logits (batch_size, 1) or (batch_size, num_classes) float.
        training: what it learns from.
        task: loss and metrics.
        optimizer: of the parameters to be moved.
        order: the batches.
        rounds: how many.
        validation: what is evaluated after each round, if anything.
        patience: stop after so many rounds without a lower validation loss; the parameters of the best round are
            put back at the end. None: run all rounds, and keep the parameters of the last.
        log_folder: for TensorBoard, with Keras' tags, in `train` and `validation` inside it; nothing is written if
            None.
        progress: hears steps.

    Returns:
        The figures of the rounds that were run.

    Raises:
        ConfigurationError: the loss is not finite any more, no round is asked for, or `patience` has no validation
            examples.
    """
    if rounds < 1:
        raise ConfigurationError(f"rounds is at least 1, got {rounds}; give a positive number")
    if patience is not None and (patience < 1 or validation is None):
        raise ConfigurationError(
            f"patience is at least 1 and needs validation examples, got {patience} with "
            f"{'none' if validation is None else len(validation)}; give both or neither"
        )
    progress = progress or SilentProgress()
    history, best = History(), _Best(model)
    with ExitStack() as stack:
        log = stack.enter_context(TensorBoardLog(Path(log_folder))) if log_folder is not None else None
        progress.start(total=rounds * order.num_steps(len(training)), unit="step", label="training")
        stack.callback(progress.finish)
        for number in range(rounds):
            batches = (training.batch(indexes) for indexes in order.batches(len(training), number))
            figures = _round(model, batches, task, optimizer, history.step_losses, progress)
            if validation is not None:
                figures |= {f"val_{name}": value for name, value in evaluate(model, validation, task).items()}
            history.rows.append({"round": number + 1, "step": len(history.step_losses), **figures})
            progress.note(described(history.rows[-1]))
            if log is not None:
                log.write(number, figures)
            if patience is not None and best.is_old(figures["val_loss"], number, patience):
                break
    best.put_back()
    return history


def described(row: Row) -> str:
    """A round's figures in one line."""
    names = [name for name in row if name not in ("round", "step")]
    figures = ", ".join(f"{name} {row[name]:.4f}" for name in names)
    return f"round {row['round']:.0f}, step {row['step']:,.0f}: {figures}"


def _round(
    model: nn.Module,
    batches: Iterable[Examples],
    task: Task,
    optimizer: Optimizer,
    step_losses: list[float],
    progress: Progress,
) -> dict[str, float]:
    """One step a batch; the figures of the batches before their steps."""
    model.train()
    figures, device = Figures(task), device_of(model)
    for batch in batches:
        logits, labels = run(model, batch, device)
        loss = task.loss(logits, labels)
        value = loss.item()
        if not math.isfinite(value):
            step = len(step_losses) + 1
            raise ConfigurationError(f"the loss of step {step} is {value}; lower the learning rate")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step_losses.append(value)
        figures.add(value, logits, labels)
        progress.advance(1)
    return figures.result()


class _Best:
    """The trained parameters of the round with the lowest validation loss, as far as anybody asks for it."""

    def __init__(self, model: nn.Module) -> None:
        self._trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._loss, self._round = math.inf, -1
        self._values: list[Tensor] = []

    def is_old(self, loss: float, number: int, patience: int) -> bool:
        """Whether the best round is `patience` rounds ago, after round `number` with this loss."""
        if loss < self._loss:
            self._loss, self._round = loss, number
            self._values = [parameter.detach().clone() for parameter in self._trained]
        return number - self._round >= patience

    @torch.no_grad()
    def put_back(self) -> None:
        """Give the model the parameters of the best round."""
        if self._values:
            for parameter, value in zip(self._trained, self._values, strict=True):
                parameter.copy_(value)
