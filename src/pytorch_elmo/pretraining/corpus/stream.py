"""Batches whose rows are unbroken streams of sentences (elmo-spec 7.3)."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.pretraining.corpus.corpora import Corpus
from pytorch_elmo.pretraining.corpus.sentence_file import BEGIN_WORD, END_WORD
from pytorch_elmo.pretraining.corpus.shuffle import SentenceOrder

Cell = TypeVar("Cell", bound=np.generic)
_Piece = tuple[int, int, int]  # a sentence, a position in it, how many words from there


class StreamBatch(NamedTuple):
    """One window of every row; arrays are (unroll_steps, batch_size), inputs and targets int32 word numbers.

    Both directions read the same sentences, so a word's characters are encoded once for both. `starts` is True
    where a sentence begins and its state is to be zeroed.
    """

    forward_inputs: NDArray[np.int32]
    forward_targets: NDArray[np.int32]
    backward_inputs: NDArray[np.int32]
    backward_targets: NDArray[np.int32]
    starts: NDArray[np.bool_]


class SentenceStream:
    """An endless stream of windows over a corpus, in an order that the seed decides.

    Each row reads a sentence to its end, then takes the next one of the shuffled corpus, whichever row is first.
    Forward it reads `<S>` w1 … wn and predicts w1 … wn `</S>`; backward it reads `</S>` wn … w1 and predicts
    wn … w1 `<S>`: the closing mark is never an input, and nothing is padded.
    """

    def __init__(
        self, corpus: Corpus, *, batch_size: int, unroll_steps: int, restart_probability: float, seed: int
    ) -> None:
        self._corpus = corpus
        self._unroll_steps = unroll_steps
        self._restart_probability = restart_probability
        self._random = np.random.Generator(np.random.PCG64([seed, 1]))
        self._order = SentenceOrder(corpus.num_sentences, seed)
        self._sentences = [-1] * batch_size  # that the rows are reading; -1 before the first one
        self._positions = [0] * batch_size  # of each row's next input in its sentence

    @property
    def epoch(self) -> int:
        """How often the whole corpus has been handed out."""
        return self._order.epoch

    def next_batch(self) -> StreamBatch:
        """The next window of every row."""
        pieces: list[_Piece] = []
        for row in range(len(self._sentences)):
            self._read(row, pieces)
        columns = np.array(pieces, dtype=np.int64).T
        forward_inputs, forward_targets, backward_inputs, backward_targets = map(
            self._as_window, self._words(*columns)
        )
        starts = np.zeros(len(self._sentences) * self._unroll_steps, dtype=np.bool_)
        begins = (np.cumsum(columns[2]) - columns[2])[columns[1] == 0]
        starts[begins] = self._random.random(len(begins)) < self._restart_probability
        return StreamBatch(
            forward_inputs, forward_targets, backward_inputs, backward_targets, self._as_window(starts)
        )

    @property
    def state(self) -> dict[str, Any]:
        """The place in the text, as JSON."""
        return {
            "order": self._order.state,
            "sentences": list(self._sentences),
            "positions": list(self._positions),
            "random": self._random.bit_generator.state,
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._order.state = state["order"]
        self._sentences, self._positions = list(state["sentences"]), list(state["positions"])
        self._random.bit_generator.state = state["random"]

    def _read(self, row: int, pieces: list[_Piece]) -> None:
        """Add the pieces of sentences that make the row's next window."""
        sentence, position, left = self._sentences[row], self._positions[row], self._unroll_steps
        end = self._num_positions(sentence)
        while left:
            if position == end:
                sentence, position = self._order.pull(), 0
                end = self._num_positions(sentence)
            count = min(left, end - position)
            pieces.append((sentence, position, count))
            position, left = position + count, left - count
        self._sentences[row], self._positions[row] = sentence, position

    def _num_positions(self, sentence: int) -> int:
        """Inputs of a sentence: its tokens and one boundary."""
        offsets = self._corpus.offsets
        return int(offsets[sentence + 1]) - int(offsets[sentence]) + 1 if sentence >= 0 else 0

    def _words(
        self, sentences: NDArray[np.int64], positions: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int32]]:
        """Inputs and targets of pieces in a row: forward, then backward."""
        offsets, tokens = self._corpus.offsets, self._corpus.tokens
        begins = np.repeat(offsets[sentences], counts)
        ends = np.repeat(offsets[sentences + 1], counts)
        places = np.arange(counts.sum()) + np.repeat(positions - (np.cumsum(counts) - counts), counts)
        is_token, is_token_next = places > 0, begins + places < ends
        for numbers, is_inside, boundary in (
            (begins + places - 1, is_token, BEGIN_WORD),
            (begins + places, is_token_next, END_WORD),
            (ends - places, is_token, END_WORD),
            (ends - places - 1, is_token_next, BEGIN_WORD),
        ):
            words = np.full(len(places), boundary, dtype=np.int32)
            words[is_inside] = tokens[numbers[is_inside]]
            yield words

    def _as_window(self, cells: NDArray[Cell]) -> NDArray[Cell]:
        """Rows one after the other, as (unroll_steps, batch_size)."""
        return np.ascontiguousarray(cells.reshape(-1, self._unroll_steps).T)
