"""From characters to a context-insensitive token vector x (Peters et al. 2018, section 3.4; Kim et al. 2015)."""

import numpy as np

from .model import Array, Ids, Model, sigmoid


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.asarray(np.maximum(x, 0))


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return np.asarray(np.tanh(x))


ACTIVATIONS = {"relu": relu, "tanh": tanh}


def embed(model: Model, ids: Ids) -> Array:
    """(50,) ids to (50, d): the file has no row for id 0, which is a zero vector."""
    E = model.weights["char_embed"]
    return np.stack([E[i - 1] if i > 0 else np.zeros_like(E[0]) for i in ids])


def convolve(x: Array, W: Array, b: Array) -> Array:
    """(50, d) characters, filters W (w, d, n) to (50 - w + 1, n): one row for each place the filter fits."""
    w = len(W)
    places = len(x) - w + 1
    y = b
    for k in range(w):
        y = y + x[k : k + places] @ W[k]
    return y


def convolutions(model: Model, x: Array) -> Array:
    """(50, d) to (F,): all banks of filters, the largest value over the places, the activation."""
    char_cnn = model.options["char_cnn"]
    activation = ACTIVATIONS[char_cnn["activation"]]
    banks = []
    for i in range(len(char_cnn["filters"])):
        W, b = model.weights[f"CNN/W_cnn_{i}"][0], model.weights[f"CNN/b_cnn_{i}"]
        banks.append(activation(convolve(x, W, b).max(axis=0)))
    return np.concatenate(banks)


def highway(model: Model, k: int, x: Array) -> Array:
    """y = g * relu(x W_t + b_t) + (1 - g) * x. The file calls the gate g of the new value `carry`."""
    weights = {name: model.weights[f"CNN_high_{k}/{name}"] for name in ("W_carry", "b_carry")}
    g = sigmoid(x @ weights["W_carry"] + weights["b_carry"])
    W_t, b_t = model.weights[f"CNN_high_{k}/W_transform"], model.weights[f"CNN_high_{k}/b_transform"]
    return np.asarray(g * relu(x @ W_t + b_t) + (1 - g) * x)


def encode_token(model: Model, ids: Ids) -> Array:
    """(50,) ids to the token vector (P,)."""
    x = convolutions(model, embed(model, ids))
    for k in range(model.options["char_cnn"].get("n_highway", 0)):
        x = highway(model, k, x)
    return np.asarray(x @ model.weights["CNN_proj/W_proj"] + model.weights["CNN_proj/b_proj"])


def encode(model: Model, character_ids: Ids) -> Array:
    """(..., 50) ids to (..., P); a row of zeros is encoded like any other."""
    rows = [encode_token(model, ids) for ids in character_ids.reshape(-1, character_ids.shape[-1])]
    return np.stack(rows).reshape(*character_ids.shape[:-1], -1)
