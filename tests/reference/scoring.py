"""Log-probabilities of a text's tokens, with the three ways to begin a sentence; row by row, token by token."""

import numpy as np

from .bilm import read
from .characters import batch_ids
from .lstm import State, row_of, zero_state
from .model import BACKWARD, FORWARD, Array, Model
from .softmax import inputs_and_targets, log_softmax, predict

Sentences = list[list[str]]
Scores = list[tuple[Array, Array]]  # of w1 ... wn </S>, and of <S> w1 ... wn: (n + 1,) each


def scores_from_zeros(model: Model, sentences: Sentences, vocabulary: list[str]) -> Scores:
    """Every sentence on its own."""
    return scores_in_rows(model, sentences, vocabulary, [[index] for index in range(len(sentences))])


def scores_in_rows(model: Model, sentences: Sentences, vocabulary: list[str], rows: list[list[int]]) -> Scores:
    """Each row reads its sentences one after the other and keeps its state; closing marks are not read."""
    found: dict[int, list[Array]] = {index: [] for index in range(len(sentences))}
    for direction in (FORWARD, BACKWARD):
        for row in rows:
            state: State = row_of(zero_state(model, 1), 0, direction)
            for index in row:
                inputs, targets = inputs_and_targets(sentences[index], vocabulary, direction)
                predictions = predict(model, direction, inputs, state)
                state = predictions.state
                scores = predictions.log_softmax[np.arange(len(targets)), targets]
                found[index].append(scores if direction == FORWARD else scores[::-1])
    return [(forward, backward) for forward, backward in (found[index] for index in range(len(sentences)))]


def rows_of_streams(sentences: Sentences, num_rows: int) -> list[list[int]]:
    """bilm-tf's rows: at every step each row, in turn, takes the next sentence if it has nothing left to read."""
    rows: list[list[int]] = [[] for _ in range(num_rows)]
    left = [0] * num_rows
    following = 0
    while following < len(sentences):
        for row in range(num_rows):
            if left[row] == 0 and following < len(sentences):
                rows[row].append(following)
                left[row] = len(sentences[following]) + 1
                following += 1
            left[row] = max(left[row] - 1, 0)
    return rows


def scores_in_batches(model: Model, sentences: Sentences, vocabulary: list[str], batch_size: int) -> Scores:
    """AllenNLP's carried state: row r of a batch goes on from row r of the one before, both marks are read."""
    P, state, scores = model.options["lstm"]["projection_dim"], None, []
    W, b = model.weights["softmax/W"], model.weights["softmax/b"]
    for start in range(0, len(sentences), batch_size):
        batch = sentences[start : start + batch_size]
        reading = read(model, batch_ids(batch), state)
        state = reading.state
        for row, sentence in enumerate(batch):
            n = len(sentence)
            _, forward_targets = inputs_and_targets(sentence, vocabulary, FORWARD)
            _, backward_targets = inputs_and_targets(sentence, vocabulary, BACKWARD)
            top = reading.layer_activations[-1, row]
            forward = log_softmax(top[: n + 1, :P] @ W.T + b)
            backward = log_softmax(top[1 : n + 2, P:] @ W.T + b)
            places = np.arange(n + 1)
            scores.append((forward[places, forward_targets], backward[places, backward_targets[::-1]]))
    return scores
