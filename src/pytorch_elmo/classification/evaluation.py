"""A model's loss and metrics over examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pytorch_elmo.classification.examples import Examples
from pytorch_elmo.classification.losses import Loss
from pytorch_elmo.classification.metrics import Metric
from pytorch_elmo.classification.orders import InOrder


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is learned, and how it is measured.

    Attributes:
        loss: from `losses`.
        metrics: from `metrics`, by the names that they have in a history.
        batch_size: examples that are evaluated together.
        mean_of_batches: take the loss of an evaluation as the mean of its batches' losses, however small the last
            one is, as `tf.estimator` does; else as the mean over examples, as Keras does.
    """

    loss: Loss
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    batch_size: int = 512
    mean_of_batches: bool = False


class Figures:
    """Collects the batches of a round, and says their loss and metrics."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._losses: list[float] = []
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, loss: float, logits: Tensor, labels: Tensor) -> None:
        """One batch."""
        self._losses.append(loss)
        self._logits.append(logits.detach())
        self._labels.append(labels)

    def result(self, *, mean_of_batches: bool = False) -> dict[str, float]:
        """`loss`, a mean of the batches' losses weighted by their sizes or unweighted, and the metrics."""
        sizes = [1 if mean_of_batches else len(labels) for labels in self._labels]
        weighted = sum(loss * size for loss, size in zip(self._losses, sizes, strict=True))
        logits, labels = torch.cat(self._logits), torch.cat(self._labels)
        metrics = {name: metric(logits, labels) for name, metric in self._task.metrics.items()}
        return {"loss": weighted / sum(sizes), **metrics}


@torch.no_grad()
def evaluate(model: nn.Module, examples: Examples, task: Task) -> dict[str, float]:
    """`loss` and the metrics of a model, in evaluation mode, over examples.

    Args:
        model: inputs -> logits (batch_size, 1) or (batch_size, num_classes) float.
        examples: what it is measured on.
        task: how.
    """
    model.eval()
    figures, device = Figures(task), device_of(model)
    for indexes in InOrder(batch_size=task.batch_size).batches(len(examples), 0):
        batch = examples.batch(indexes)
        logits, labels = run(model, batch, device)
        figures.add(task.loss(logits, labels).item(), logits, labels)
    return figures.result(mean_of_batches=task.mean_of_batches)


def run(model: nn.Module, batch: Examples, device: torch.device) -> tuple[Tensor, Tensor]:
    """Logits of a batch, and its labels beside them."""
    inputs = batch.inputs.to(device) if isinstance(batch.inputs, Tensor) else batch.inputs
    return model(inputs), batch.labels.to(device)


def device_of(model: nn.Module) -> torch.device:
    """Where the model's parameters are."""
    return next(model.parameters()).device
