"""Classifiers with the golden parameters, runs of them, and how these are compared."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from checks.ledger import Array, GoldenFile
from pytorch_elmo.classification.classifier import MeanEmbedding, TextClassifier, dense_head
from pytorch_elmo.classification.evaluation import Task
from pytorch_elmo.classification.examples import Examples
from pytorch_elmo.classification.history import History
from pytorch_elmo.classification.initialization import initialize_as_keras
from pytorch_elmo.classification.losses import binary_cross_entropy, softmax_cross_entropy
from pytorch_elmo.classification.metrics import (
    accuracy,
    accuracy_of_logits_above_half,
    accuracy_of_probabilities,
    binarised_precision,
    binarised_recall,
)
from pytorch_elmo.classification.optimizers import KerasAdam
from pytorch_elmo.classification.orders import InOrder
from pytorch_elmo.classification.trainer import fit

ESTIMATOR_TOLERANCE = 1e-6
LOGIT_TOLERANCE = 3e-5  # logits up to 7, the sum of many products of weights that are within 1e-5
RATE = 0.001  # Keras' own
OF_PROBABILITIES = Task(loss=binary_cross_entropy, metrics={"accuracy": accuracy_of_probabilities}, batch_size=8)
OF_LOGITS = Task(loss=binary_cross_entropy, metrics={"accuracy": accuracy_of_logits_above_half}, batch_size=32)
OF_CLASSES = Task(
    loss=softmax_cross_entropy,
    metrics={"accuracy": accuracy, "precision": binarised_precision, "recall": binarised_recall},
    batch_size=10,
    mean_of_batches=True,
)


def compare_steps(
    arrays: GoldenFile, name: str, model: TextClassifier, examples: Examples, batch_size: int, task: Task
) -> None:
    """Ten steps, a round each, and the parameters after them."""
    optimizer = KerasAdam(model.parameters(), lr=RATE)
    losses, accuracies = [], []
    for indexes in InOrder(batch_size=batch_size, steps=10).batches(len(examples), 0):
        batch = examples.batch(indexes)
        history = fit(model, batch, task=task, optimizer=optimizer, order=InOrder(batch_size=batch_size), rounds=1)
        losses += history.step_losses
        accuracies += history.column("accuracy")
    arrays.compare(f"{name}/loss", np.array(losses))
    arrays.compare(f"{name}/accuracy", np.array(accuracies))
    compare_parameters(arrays, f"{name}/final", model)


def compare_history(facts: GoldenFile, prefix: str, history: History) -> None:
    """The four curves of a run."""
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        facts.compare(f"{prefix}/{name}", np.array(history.column(name)))


def compare_parameters(arrays: GoldenFile, prefix: str, model: TextClassifier) -> None:
    """The table and the two dense layers; Keras' kernels are transposed."""
    for name, ours in named_parameters(model):
        arrays.compare(f"{prefix}/{name}", ours)


def named_parameters(model: TextClassifier) -> Iterator[tuple[str, Tensor]]:
    """Parameters as the goldens name and turn them."""
    yield "embeddings", next(model.encoder.parameters())
    for number, layer in enumerate((0, 2), start=1):
        yield f"w{number}", model.head.get_parameter(f"{layer}.weight").T
        yield f"b{number}", model.head.get_parameter(f"{layer}.bias")


def compare_linear(arrays: GoldenFile, model: nn.Module) -> None:
    """The one dense layer of the classifier on frozen embeddings."""
    arrays.compare("kernel_end", model.get_parameter("head.0.weight").T, ESTIMATOR_TOLERANCE)
    arrays.compare("bias_end", model.get_parameter("head.0.bias"), ESTIMATOR_TOLERANCE)


def linear_run(
    arrays: GoldenFile,
    training: Examples,
    order: InOrder,
    rate: float,
    rounds: int,
    validation: Examples | None = None,
) -> tuple[TextClassifier, History]:
    """A linear classifier from the golden start, trained by plain gradient descent."""
    kernel = torch.from_numpy(arrays.take("kernel_start"))
    model = TextClassifier(nn.Identity(), dense_head(*kernel.shape))
    model.load_state_dict({"head.0.weight": kernel.T, "head.0.bias": torch.zeros(kernel.shape[1])})
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    history = fit(
        model, training, task=OF_CLASSES, optimizer=optimizer, order=order, rounds=rounds, validation=validation
    )
    return model, history


def mean_model(arrays: GoldenFile, prefix: str) -> TextClassifier:
    """The model of the tutorial on warm starts with the golden's parameters."""
    return TextClassifier(embedding_of(arrays.take(f"{prefix}/embeddings")), head_of(arrays, prefix))


def embedding_of(table: Array) -> MeanEmbedding:
    """A mean of rows of this table."""
    encoder = MeanEmbedding(*table.shape)
    encoder.load_state_dict({"embedding.weight": torch.from_numpy(table)})
    return encoder


def head_of(arrays: GoldenFile, prefix: str) -> nn.Sequential:
    """Two dense layers with the golden's parameters."""
    kernels = [torch.from_numpy(arrays.take(f"{prefix}/w{number}")) for number in (1, 2)]
    biases = [torch.from_numpy(arrays.take(f"{prefix}/b{number}")) for number in (1, 2)]
    head = dense_head(len(kernels[0]), *(kernel.shape[1] for kernel in kernels))
    state = {f"{layer}.weight": kernel.T for layer, kernel in zip((0, 2), kernels, strict=True)}
    head.load_state_dict(state | {f"{layer}.bias": bias for layer, bias in zip((0, 2), biases, strict=True)})
    return head


def compare_by_chance(facts: GoldenFile, name: str, drawn: Tensor, tolerance: float) -> None:
    """Hold the largest and the spread of random numbers to those of others; no measure of exactness."""
    for kind, ours in (("absmax", drawn.abs().max().item()), ("std", drawn.double().std().item())):
        facts.compared += 1
        if abs(ours - facts.take(f"{name}/{kind}")) > tolerance:
            facts.fault(f"{name}/{kind} is {ours}, which chance does not explain")


def first_parameters(layer: nn.Linear | nn.Embedding, seed: int) -> Tensor:
    """The weights that Keras' initialiser draws, in one row."""
    initialize_as_keras(layer, seed)
    return layer.weight.detach().flatten()


def compare_table(facts: GoldenFile, predictions: list[int]) -> None:
    """The tutorial's second table: text, label and prediction of the first ten examples."""
    classes = facts.take("class_names")
    texts, labels = facts.take("eval_texts"), facts.take("eval_labels")
    rows = list(zip(texts, labels, predictions, strict=True))[:10]
    facts.equal("first_10", [[text, classes[label], classes[predicted]] for text, label, predicted in rows])
    facts.equal("variables", ["dense/bias", "dense/kernel", "global_step", "module/embeddings"])
