"""Sentences side by side in lanes, read window by window, so that memory does not grow with the text."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.model.lanes import LaneSteps
from pytorch_elmo.text.characters import BEGIN_OF_SENTENCE, END_OF_SENTENCE
from pytorch_elmo.text.vocabulary import Vocabulary

NO_TARGET = -1
_POSITIONS_PER_WINDOW = 8192


class StateRule(NamedTuple):
    """Which state a sentence begins with, and which lane it goes to.

    restarts: every sentence begins from the start state; else where the sentence before it in its lane ended.
    reads_closing: the mark that ends a sentence is read before the next one.
    in_turn: sentence i goes to lane i modulo their number; else to the lane that is free first.
    num_lanes: how many there are unless the caller says so; None: as many as run fastest.
    """

    restarts: bool
    reads_closing: bool
    in_turn: bool
    num_lanes: int | None


STATE_RULES = {
    "start": StateRule(restarts=True, reads_closing=False, in_turn=False, num_lanes=None),
    "zeros": StateRule(restarts=True, reads_closing=False, in_turn=False, num_lanes=None),
    "bilm-tf": StateRule(restarts=False, reads_closing=False, in_turn=False, num_lanes=256),
    "allennlp": StateRule(restarts=False, reads_closing=True, in_turn=True, num_lanes=64),
}


class Placed(NamedTuple):
    """A sentence in its lane, from step `start` on.

    ids: its tokens in the vocabulary, (num_tokens,) int64. scores: (2, num_tokens + 1) float64, filled as the
    directions read; forward w1 … wn `</S>`, backward wn … w1 `<S>`.
    """

    tokens: list[str]
    ids: NDArray[np.int64]
    lane: int
    start: int
    num_steps: int
    scores: NDArray[np.float64]

    def words(self, direction: int, first: int, last: int) -> list[str]:
        """What a direction reads from its step `first` to before `last`."""
        marks = BEGIN_OF_SENTENCE, END_OF_SENTENCE
        inner = self.tokens if direction == 0 else self.tokens[::-1]
        return [marks[direction], *inner, marks[1 - direction]][first:last]

    def targets(self, direction: int, vocabulary: Vocabulary) -> list[int]:
        """What a direction predicts at each of its steps."""
        ids, closing = self.ids.tolist(), (vocabulary.end_id, vocabulary.begin_id)[direction]
        return [*(ids if direction == 0 else ids[::-1]), closing, NO_TARGET]


class Window(NamedTuple):
    """Some steps of all lanes.

    words: the distinct words. steps: what each direction reads, as numbers of `words`. targets: for each direction
    (num_steps, num_lanes) int64, `NO_TARGET` where nothing is predicted.
    """

    words: list[str]
    steps: list[LaneSteps]
    targets: list[Tensor]


class TextLanes:
    """Lays sentences into lanes and keeps their scores until those of all sentences before them are complete.

    A lane may run ahead of a long sentence in another one; the scores that wait are all that grows with it.
    """

    def __init__(self, vocabulary: Vocabulary, rule: StateRule, num_lanes: int) -> None:
        self._vocabulary, self._rule, self.num_lanes = vocabulary, rule, num_lanes
        self._waiting: deque[Placed] = deque()
        self._ends = [(0, lane) for lane in range(num_lanes)]  # a heap, unless the lanes are filled in turn
        self._num_placed = self._now = self._stop = 0

    def windows(self, sentences: Iterable[list[str]]) -> Iterator[Window]:
        """Windows until all sentences are read; `take` each one's scores before the next is asked for."""
        remaining = iter(sentences)
        num_steps = max(1, _POSITIONS_PER_WINDOW // self.num_lanes)
        while True:
            while min(self._ends)[0] < self._now + num_steps and (tokens := next(remaining, None)) is not None:
                self._place(tokens)
            self._stop = min(self._now + num_steps, max(self._ends)[0])
            if self._stop == self._now:
                return
            yield self._window()

    def take(self, scores: list[NDArray[np.float64]]) -> Iterator[Placed]:
        """Hand in a window's scores, (num_steps, num_lanes) for each direction; get the sentences now complete."""
        for placed in self._waiting:
            first, last, steps = self._share(placed)
            last = min(last, len(placed.tokens) + 1)
            for direction in range(2 if first < last else 0):
                found = scores[direction][steps.start : steps.start + last - first, placed.lane]
                placed.scores[direction, first:last] = found
        self._now = self._stop
        while self._waiting and self._waiting[0].start + self._waiting[0].num_steps <= self._now:
            yield self._waiting.popleft()

    def _place(self, tokens: list[str]) -> None:
        if self._rule.in_turn:
            start, lane = self._ends[self._num_placed % self.num_lanes]
        else:
            start, lane = self._ends[0]
        num_steps = len(tokens) + (2 if self._rule.reads_closing else 1)
        ids = np.array([self._vocabulary.id_of(token) for token in tokens], dtype=np.int64)
        scores = np.empty((2, len(tokens) + 1))
        self._waiting.append(Placed(tokens, ids, lane, start, num_steps, scores))
        if self._rule.in_turn:
            self._ends[lane] = (start + num_steps, lane)
        else:
            heapq.heapreplace(self._ends, (start + num_steps, lane))
        self._num_placed += 1

    def _share(self, placed: Placed) -> tuple[int, int, slice]:
        """The steps of a sentence that are in the window, none if `first >= last`, and where they are there."""
        first = max(self._now - placed.start, 0)
        last = min(self._stop - placed.start, placed.num_steps)
        return first, last, slice(placed.start + first - self._now, placed.start + last - self._now)

    def _window(self) -> Window:
        shape = (2, self._stop - self._now, self.num_lanes)
        places, targets = np.zeros(shape, dtype=np.int64), np.full(shape, NO_TARGET)
        numbers = {BEGIN_OF_SENTENCE: 0, END_OF_SENTENCE: 1}
        begins: dict[int, list[int]] = {}
        for placed in self._waiting:
            first, last, steps = self._share(placed)
            if first >= last:
                continue
            if first == 0 and self._rule.restarts:
                begins.setdefault(steps.start, []).append(placed.lane)
            for direction in range(2):
                words = placed.words(direction, first, last)
                places[direction, steps, placed.lane] = [numbers.setdefault(word, len(numbers)) for word in words]
                targets[direction, steps, placed.lane] = placed.targets(direction, self._vocabulary)[first:last]
        restarts = [torch.tensor(begins[step]) if step in begins else None for step in range(shape[1])]
        return Window(
            words=list(numbers),
            steps=[LaneSteps(torch.from_numpy(some), restarts) for some in places],
            targets=[torch.from_numpy(some) for some in targets],
        )
