"""Steps of biLM training without dropout: a stream of sentences, the loss, its gradients, Adagrad.

Gradients need no rule of differentiation: f(x + ih) = f(x) + ih f'(x) + O(h^2), so the imaginary part of the loss
at a weight moved by ih, divided by h, is the derivative; nothing is subtracted, and so h can be so small that the
result is exact to rounding (Squire and Trapp 1998, "Using complex variables to estimate derivatives").
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .lstm import State, join_directions, row_of
from .model import BACKWARD, FORWARD, Array, Ids, Model
from .softmax import inputs_and_targets, predict

COMPLEX_STEP = 1e-30
Index = tuple[int, ...]


class Batch(NamedTuple):
    """A window of both streams, forward first; positions are in the order in which a direction reads.

    character_ids: (2, batch_size, unroll_steps, 50); targets: (2, batch_size, unroll_steps).
    """

    character_ids: Ids
    targets: Ids


class Training(NamedTuple):
    """A run between two steps."""

    model: Model
    accumulators: dict[str, Array]
    state: State


class Step(NamedTuple):
    """What one step computed: losses (2,), gradients of loss * unroll_steps before clipping, their global norm."""

    losses: Array
    gradients: dict[str, Array]
    norm: float


def stream(
    sentences: list[list[str]], vocabulary: list[str], direction: int, batch_size: int, unroll_steps: int
) -> Iterator[tuple[Ids, Ids]]:
    """Windows of one direction; a row that has too little left takes the next sentence of the one shared list.

    Yields (batch_size, unroll_steps, 50) and (batch_size, unroll_steps); what cannot fill a window is dropped.
    """
    supply = iter(sentences)
    waiting: list[list[tuple[Ids, np.int64]]] = [[] for _ in range(batch_size)]
    while True:
        for row in waiting:
            while len(row) < unroll_steps:
                sentence = next(supply, None)
                if sentence is None:
                    return
                inputs, targets = inputs_and_targets(sentence, vocabulary, direction)
                row.extend(zip(inputs, targets, strict=True))
        windows = [[row.pop(0) for _ in range(unroll_steps)] for row in waiting]
        ids = np.array([[ids for ids, _ in window] for window in windows])
        yield ids, np.array([[target for _, target in window] for window in windows])


def losses(model: Model, batch: Batch, state: State) -> tuple[Array, State]:
    """Mean -log p(target) of the forward and of the backward direction (2,), and the state after the window."""
    means, states = [], []
    for direction in (FORWARD, BACKWARD):
        negative_logs, hidden, cell = [], [], []
        for row, (ids, targets) in enumerate(
            zip(batch.character_ids[direction], batch.targets[direction], strict=True)
        ):
            predictions = predict(model, direction, ids, row_of(state, row, direction))
            negative_logs += [-log_p[k] for log_p, k in zip(predictions.log_softmax, targets, strict=True)]
            hidden.append(predictions.state.hidden)
            cell.append(predictions.state.cell)
        means.append(np.mean(negative_logs))
        states.append(State(np.stack(hidden, axis=1), np.stack(cell, axis=1)))
    return np.array(means), join_directions(*states)


def indexes(model: Model, batch: Batch, name: str) -> Iterator[Index]:
    """The entries of a weight that the loss can depend on: of the character table, the rows that are read."""
    rows = set(batch.character_ids.ravel() - 1)
    for index in np.ndindex(*model.weights[name].shape):
        if name != "char_embed" or index[0] in rows:
            yield index


def derivative(model: Model, batch: Batch, state: State, name: str, index: Index) -> float:
    """Derivative of 0.5 * (forward loss + backward loss) * unroll_steps by one weight; earlier windows are fixed."""
    moved = model.weights[name].astype(np.complex128)
    moved[index] += 1j * COMPLEX_STEP
    means, _ = losses(Model(model.options, {**model.weights, name: moved}), batch, state)
    unroll_steps = batch.targets.shape[-1]
    return float(means.mean().imag / COMPLEX_STEP * unroll_steps)


def gradients(model: Model, batch: Batch, state: State) -> dict[str, Array]:
    """All derivatives, by the name of the weight."""
    result = {}
    for name, weight in model.weights.items():
        result[name] = np.zeros_like(weight)
        for index in indexes(model, batch, name):
            result[name][index] = derivative(model, batch, state, name, index)
    return result


def begin(model: Model, state: State) -> Training:
    """Adagrad's accumulators begin at 1."""
    return Training(model, {name: np.ones_like(weight) for name, weight in model.weights.items()}, state)


def train_step(training: Training, batch: Batch) -> tuple[Step, Training]:
    """One step: clip by the global norm, accumulate squares, move by rate * gradient / root (no epsilon)."""
    options = training.model.options
    means, state = losses(training.model, batch, training.state)
    gradient = gradients(training.model, batch, training.state)
    norm = float(np.sqrt(sum((g**2).sum() for g in gradient.values())))
    scale = min(1.0, options["all_clip_norm_val"] / norm)
    weights, accumulators = {}, {}
    for name, weight in training.model.weights.items():
        g = scale * gradient[name]
        accumulators[name] = training.accumulators[name] + g**2
        weights[name] = weight - options["learning_rate"] * g / np.sqrt(accumulators[name])
    return Step(means, gradient, norm), Training(Model(options, weights), accumulators, state)
