"""Batches whose rows are unbroken streams of sentences (elmo-spec 7.3)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.pretraining.corpus import Corpus


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
        self._seed = seed
        self._random = np.random.Generator(np.random.PCG64([seed, 1]))
        self.epoch, self._position = 0, 0
        self._order = self._shuffle()
        self._sentence = np.full(batch_size, -1, dtype=np.int64)
        self._offset = np.zeros(batch_size, dtype=np.int64)

    def next_batch(self) -> StreamBatch:
        """The next window of every row."""
        shape = (self._unroll_steps, len(self._sentence))
        empty = [np.empty(shape, dtype=np.int32) for _ in range(4)]
        batch = StreamBatch(empty[0], empty[1], empty[2], empty[3], np.zeros(shape, dtype=np.bool_))
        for row in range(shape[1]):
            self._fill(batch, row)
        return batch

    @property
    def state(self) -> dict[str, Any]:
        """The place in the text, as JSON."""
        return {
            "epoch": self.epoch,
            "position": self._position,
            "sentence": self._sentence.tolist(),
            "offset": self._offset.tolist(),
            "random": self._random.bit_generator.state,
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.epoch, self._position = state["epoch"], state["position"]
        self._order = self._shuffle()
        self._sentence = np.array(state["sentence"], dtype=np.int64)
        self._offset = np.array(state["offset"], dtype=np.int64)
        self._random.bit_generator.state = state["random"]

    def _shuffle(self) -> NDArray[np.int64]:
        order = np.random.Generator(np.random.PCG64([self._seed, 0, self.epoch]))
        return order.permutation(self._corpus.num_sentences)

    def _pull(self) -> int:
        if self._position == len(self._order):
            self.epoch, self._position = self.epoch + 1, 0
            self._order = self._shuffle()
        self._position += 1
        return int(self._order[self._position - 1])

    def _fill(self, batch: StreamBatch, row: int) -> None:
        step = 0
        words = self._words(row)
        while step < self._unroll_steps:
            offset = int(self._offset[row])
            if offset == len(words) - 1:
                self._sentence[row], self._offset[row] = self._pull(), 0
                words, offset = self._words(row), 0
                batch.starts[step, row] = self._random.random() < self._restart_probability
            count = min(self._unroll_steps - step, len(words) - 1 - offset)
            window, until = slice(step, step + count), offset + count
            batch.forward_inputs[window, row] = words[offset:until]
            batch.forward_targets[window, row] = words[offset + 1 : until + 1]
            backward = words[::-1]
            batch.backward_inputs[window, row] = backward[offset:until]
            batch.backward_targets[window, row] = backward[offset + 1 : until + 1]
            self._offset[row] = until
            step += count

    def _words(self, row: int) -> NDArray[np.int32]:
        """The sentence that the row is reading; before the first one, one that is already at its end."""
        sentence = int(self._sentence[row])
        return self._corpus.sentence(sentence) if sentence >= 0 else np.zeros(1, dtype=np.int32)
