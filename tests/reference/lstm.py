"""Two stacks of projected LSTM layers, one reading on, one reading back (Sak et al. 2014; Peters et al. 2018)."""

from typing import NamedTuple

import numpy as np

from .model import BACKWARD, FORWARD, Array, Mask, Model, sigmoid


class State(NamedTuple):
    """What every row of a batch carries to the next call, forward half first in the last axis.

    hidden: (L, batch_size, 2 P), before the skip connection; cell: (L, batch_size, 2 C).
    """

    hidden: Array
    cell: Array


def zero_state(model: Model, batch_size: int) -> State:
    """The state before anything was read."""
    lstm = model.options["lstm"]
    shape = (lstm["n_layers"], batch_size)
    return State(np.zeros((*shape, 2 * lstm["projection_dim"])), np.zeros((*shape, 2 * lstm["dim"])))


def clip(x: Array, bound: float | None) -> Array:
    """Values between -bound and bound; None and 0 mean that nothing is clipped."""
    return np.asarray(np.minimum(np.maximum(x, -bound), bound)) if bound else x


def lstm_cell(model: Model, direction: int, layer: int, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """One token: input x (P,), state h (P,) and c (C,) to the new h and c."""
    options = model.options["lstm"]
    name = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
    z = np.concatenate([x, h]) @ model.weights[f"{name}/W_0"] + model.weights[f"{name}/B"]
    i, j, f, o = np.split(z, 4)
    c = clip(sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j), options["cell_clip"])
    h = clip((sigmoid(o) * np.tanh(c)) @ model.weights[f"{name}/W_P_0"], options["proj_clip"])
    return h, c


def read_on(model: Model, direction: int, x: Array, state: State) -> tuple[Array, State]:
    """One row, one direction, in the order in which it is read.

    x: (n, P) token vectors; state: hidden (L, P), cell (L, C).
    Returns the outputs of all layers (L, n, P) and the new state.
    """
    layers, hidden, cell = [], [], []
    for layer in range(model.options["lstm"]["n_layers"]):
        h, c = state.hidden[layer], state.cell[layer]
        outputs = []
        for x_t in x:
            h, c = lstm_cell(model, direction, layer, x_t, h, c)
            skips = layer > 0 and model.options["lstm"]["use_skip_connections"]
            outputs.append(h + x_t if skips else h)
        x = np.stack(outputs)
        layers.append(x)
        hidden.append(h)
        cell.append(c)
    return np.stack(layers), State(np.stack(hidden), np.stack(cell))


def row_of(state: State, row: int, direction: int) -> State:
    """One row's state of one direction: hidden (L, P), cell (L, C)."""
    return State(
        np.split(state.hidden[:, row], 2, axis=-1)[direction],
        np.split(state.cell[:, row], 2, axis=-1)[direction],
    )


def join_directions(forward: State, backward: State) -> State:
    """Both directions side by side in the last axis."""
    return State(
        np.concatenate([forward.hidden, backward.hidden], axis=-1),
        np.concatenate([forward.cell, backward.cell], axis=-1),
    )


def grown(model: Model, state: State | None, batch_size: int) -> State:
    """The state with zeros in the rows that it did not have so far; rows above the batch stay."""
    if state is None:
        return zero_state(model, batch_size)
    missing = zero_state(model, max(0, batch_size - state.hidden.shape[1]))
    return State(
        np.concatenate([state.hidden, missing.hidden], axis=1),
        np.concatenate([state.cell, missing.cell], axis=1),
    )


def bilstm(model: Model, x: Array, mask: Mask, state: State | None = None) -> tuple[Array, State]:
    """Both stacks over a batch, row by row.

    x: (batch_size, num_tokens, P); mask: (batch_size, num_tokens), the tokens of a row first.
    Returns the outputs in reading order (L, batch_size, num_tokens, 2 P), zero where the mask is False, and the
    new state: row r goes on from row r of `state` (None: zeros), a row without any token keeps its own.
    """
    batch_size, num_tokens, P = x.shape
    state = grown(model, state, batch_size)
    hidden, cell = state.hidden.copy(), state.cell.copy()
    outputs = np.zeros((len(hidden), batch_size, num_tokens, 2 * P))
    for row in range(batch_size):
        n = int(mask[row].sum())
        if n == 0:
            continue
        forward, last = read_on(model, FORWARD, x[row, :n], row_of(state, row, FORWARD))
        backward, first = read_on(model, BACKWARD, x[row, :n][::-1], row_of(state, row, BACKWARD))
        outputs[:, row, :n] = np.concatenate([forward, backward[:, ::-1]], axis=-1)
        hidden[:, row], cell[:, row] = join_directions(last, first)
    return outputs, State(hidden, cell)
