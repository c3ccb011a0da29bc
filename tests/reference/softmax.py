"""What the biLM is trained on: the next token forward, the former token backward, by one shared softmax."""

from typing import NamedTuple

import numpy as np

from .character_encoder import encode
from .characters import token_ids
from .lstm import State, read_on
from .model import FORWARD, Array, Ids, Model


class Predictions(NamedTuple):
    """One row in the order in which it is read: top layer (n, P), log-probabilities (n, V), the state after it."""

    top: Array
    log_softmax: Array
    state: State


def inputs_and_targets(sentence: list[str], vocabulary: list[str], direction: int) -> tuple[Ids, Ids]:
    """(n + 1, 50) character ids and (n + 1,) target ids of a sentence of n tokens, as a direction reads them.

    Forward <S> w1 ... wn predicts w1 ... wn </S>; backward </S> wn ... w1 predicts wn ... w1 <S>. The last boundary
    is never an input. Targets outside the vocabulary are <UNK>; inputs keep their own characters.
    """
    tokens = ["<S>", *sentence, "</S>"]
    tokens = tokens if direction == FORWARD else tokens[::-1]
    inputs = np.array([token_ids(token) for token in tokens[:-1]], dtype=np.int64)
    targets = [vocabulary.index(token if token in vocabulary else "<UNK>") for token in tokens[1:]]
    return inputs, np.array(targets, dtype=np.int64)


def log_softmax(logits: Array) -> Array:
    """Natural logarithms of the probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def predict(model: Model, direction: int, inputs: Ids, state: State) -> Predictions:
    """Full softmax after every input; inputs (n, 50), state hidden (L, P) and cell (L, C) of this direction."""
    layers, state = read_on(model, direction, encode(model, inputs), state)
    h = layers[-1]
    return Predictions(h, log_softmax(h @ model.weights["softmax/W"].T + model.weights["softmax/b"]), state)


def log_expected_count(ids: Ids, vocabulary_size: int, num_tries: int) -> Array:
    """Log of the chance that a token is among the negatives after `num_tries` draws.

    One draw is log-uniform, P(k) = ln((k + 2) / (k + 1)) / ln(V + 1): tokens are numbered by falling frequency.
    """
    P = np.log((ids + 2) / (ids + 1)) / np.log(vocabulary_size + 1)
    return np.asarray(np.log(-np.expm1(num_tries * np.log1p(-P))))


def sampled_softmax_losses(model: Model, h: Array, targets: Ids, negatives: Ids, num_tries: int) -> Array:
    """Loss of each position against its target and the same few negatives (Jean et al. 2015, section 3.1).

    h: (n, P); targets: (n,); negatives: (num_negatives,), distinct, drawn in `num_tries` draws. Every logit is
    lowered by its log expected count; a negative that is the target counts only as the target. Returns (n,).
    """
    W, b = model.weights["softmax/W"], model.weights["softmax/b"]
    losses = []
    for h_t, target in zip(h, targets, strict=True):
        candidates = np.array([target, *(k for k in negatives if k != target)], dtype=np.int64)
        logits = W[candidates] @ h_t + b[candidates] - log_expected_count(candidates, len(b), num_tries)
        losses.append(-log_softmax(logits)[0])
    return np.stack(losses)
