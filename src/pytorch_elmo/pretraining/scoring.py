"""What a language model thinks of every word of a text: log-probabilities, full softmax, both directions."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.elmo.token_cache import TokenCache
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.model.lanes import choose_num_lanes
from pytorch_elmo.model.lstm import LayerState
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.model.threads import TwoThreads
from pytorch_elmo.pretraining.text_lanes import NO_TARGET, STATE_RULES, Placed, StateRule, TextLanes, Window
from pytorch_elmo.text.characters import refuse_string
from pytorch_elmo.weights.language_model import LanguageModel

_TOKENS_PER_BATCH = 16_384
_LOGITS_AT_A_TIME, _FEWEST_POSITIONS = 1 << 23, 64  # 32 MB of them: what leaves the cache is slower

Scores = NDArray[np.float64]
States = list[list[LayerState]] | None  # by direction and layer


class SentenceScores(NamedTuple):
    """Natural logarithms of the probabilities that both directions give to a sentence of n tokens.

    forward: (n + 1,) float64, of w1 … wn and `</S>`, each from what stands before it. backward: (n + 1,), of `<S>`
    and w1 … wn, each from what stands behind it. unknown: (n,) bool, tokens outside the vocabulary, whose
    probability is that of `<UNK>`.
    """

    tokens: list[str]
    forward: Scores
    backward: Scores
    unknown: NDArray[np.bool_]


class Scorer:
    """Scores sentences; memory holds a batch of them, whatever the text's length.

    Args:
        model: biLM, softmax and vocabulary, on one device.
        state: what a sentence begins with. `start`: the start state, whatever stands before or beside it. `zeros`:
            zeros, even if the biLM brings a start state. `bilm-tf`: the state in which the sentence before it in its
            row ended, closing marks unread, each row taking the next sentence when it is free: as bilm-tf's training
            and its run_test.py. `allennlp`: the state that row i modulo `batch_size` was left in, closing marks
            read, as AllenNLP's stateful modules.
        batch_size: rows side by side; without effect on `start` and `zeros` but for rounding. By default as many as
            run fastest, 256 for `bilm-tf` (run_test.py's), 64 for `allennlp` (its command's).
        start: the start state, of one row, from which a sentence (`start`) or a row (the carried ones) begins; the
            biLM's own if None, which is zeros unless it brings one.

    Raises:
        ConfigurationError: no such state, or no row.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        state: str = "start",
        batch_size: int | None = None,
        start: LstmState | None = None,
    ) -> None:
        if state not in STATE_RULES:
            raise ConfigurationError(f"state is one of {', '.join(STATE_RULES)}, got {state!r}; leave it out")
        if batch_size is not None and batch_size < 1:
            raise ConfigurationError(f"batch_size is at least 1, got {batch_size}; leave it out")
        self._rule: StateRule = STATE_RULES[state]
        self._softmax, self._vocabulary = model.softmax, model.vocabulary
        self._num_lanes = batch_size or self._rule.num_lanes
        begin = model.bilm.lstm.zero_state(1) if state == "zeros" else start
        self._engine = InferenceBiLM(model.bilm, start=begin)
        self._cache = TokenCache(self._engine)
        self._threads = TwoThreads() if self._engine.device.type == "cpu" else None

    def __call__(self, sentences: Iterable[Sequence[str]]) -> Iterator[SentenceScores]:
        """The scores of a text's sentences, lazily and in their order; each call begins anew.

        Raises:
            TextError: a sentence is a string.
        """
        return chain.from_iterable(self.batches(sentences))

    def batches(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[SentenceScores]]:
        """As a call, in lists of sentences that were finished together.

        Raises:
            TextError: a sentence is a string.
        """
        checked = map(_checked, sentences)
        if not self._rule.restarts:
            yield from self._run(checked, self._num_lanes or 1)
            return
        for batch in _batches(checked):
            order = sorted(
                range(len(batch)), key=lambda index: -len(batch[index])
            )  # the longest first: no lane idles
            lengths = np.array([len(tokens) + 1 for tokens in batch])
            run = self._run([batch[index] for index in order], self._num_lanes or choose_num_lanes(lengths))
            scores = dict(zip(order, chain.from_iterable(run), strict=True))
            yield [scores[index] for index in range(len(batch))]

    def _run(self, sentences: Iterable[list[str]], num_lanes: int) -> Iterator[list[SentenceScores]]:
        lanes, states = TextLanes(self._vocabulary, self._rule, num_lanes), None
        for window in lanes.windows(sentences):
            scores, states = self._read(window, states)
            yield [self._scores_of(placed) for placed in lanes.take(scores)]

    def _scores_of(self, placed: Placed) -> SentenceScores:
        unknown = placed.ids == self._vocabulary.unknown_id
        return SentenceScores(placed.tokens, placed.scores[0], placed.scores[1, ::-1], unknown)

    @torch.no_grad()
    def _read(self, window: Window, states: States) -> tuple[list[Scores], States]:
        """(num_steps, num_lanes) of each direction, and the states after the window."""
        vectors = self._cache.vectors(window.words)

        def direction(index: int) -> tuple[Scores, list[LayerState]]:
            initial = states[index] if states else None
            outputs, final = self._engine.run_lanes(index, vectors, window.steps[index], initial)
            return self._log_probabilities(outputs[-1], window.targets[index]), final

        results = self._threads.both(direction) if self._threads else [direction(0), direction(1)]
        return [scores for scores, _ in results], [final for _, final in results]

    def _log_probabilities(self, vectors: Tensor, targets: Tensor) -> Scores:
        """(num_steps, num_lanes) float64 of the targets after top vectors (num_steps, num_lanes, projection_size)."""
        wanted = targets != NO_TARGET
        vectors, ids = vectors[wanted], targets[wanted].to(vectors.device)
        rows = max(_LOGITS_AT_A_TIME // len(self._vocabulary), _FEWEST_POSITIONS)
        found = vectors.new_empty(len(ids))
        buffer = vectors.new_empty(min(rows, len(ids)), len(self._vocabulary))
        for start in range(0, len(ids), rows):
            some = slice(start, start + rows)
            if isinstance(self._softmax, Softmax):
                found[some] = _full_softmax(self._softmax, vectors[some], ids[some], buffer[: len(ids[some])])
            else:
                found[some] = -self._softmax.full_loss(vectors[some], ids[some])
        scores = torch.zeros(targets.shape, dtype=torch.float64)
        scores[wanted] = found.double().cpu()
        array: Scores = scores.numpy()
        return array


def _full_softmax(softmax: Softmax, vectors: Tensor, ids: Tensor, logits: Tensor) -> Tensor:
    """Minus `Softmax.full_loss`, worked out in `logits`, (num_positions, vocabulary_size); nothing is allocated."""
    torch.addmm(softmax.bias, vectors, softmax.weight.T, out=logits)
    own, largest = logits.gather(1, ids.unsqueeze(-1)), logits.amax(dim=-1, keepdim=True)
    total = logits.sub_(largest).exp_().sum(dim=-1, keepdim=True)
    return (own - largest - total.log()).squeeze(-1)


def _checked(sentence: Sequence[str]) -> list[str]:
    refuse_string(sentence)
    return list(sentence)


def _batches(sentences: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    batch: list[list[str]] = []
    num_positions = 0
    for sentence in sentences:
        batch.append(sentence)
        num_positions += len(sentence) + 1
        if num_positions >= _TOKENS_PER_BATCH:
            yield batch
            batch, num_positions = [], 0
    if batch:
        yield batch
