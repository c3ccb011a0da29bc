"""From the stream of words to the tensors of a step."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.pretraining.config import PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus
from pytorch_elmo.pretraining.corpus.stream import SentenceStream, StreamBatch
from pytorch_elmo.pretraining.objective import DirectionBatch, Negatives, Window
from pytorch_elmo.pretraining.sampler import draw_negatives
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.training.processes import Processes


class WindowReader:
    """Windows of a corpus, this process's rows of them.

    Every process reads all rows' words, which costs little, and so knows without asking what the others predict.
    Negatives depend on the seed and the window's number alone.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        corpus: Corpus,
        vocabulary: Vocabulary,
        *,
        processes: Processes,
        device: torch.device,
    ) -> None:
        self._config, self._corpus, self._device = config, corpus, device
        self._vocabulary_size = len(vocabulary)
        self.rows = processes.share(config.batch_size)
        self._stream = SentenceStream(
            corpus,
            batch_size=config.batch_size,
            unroll_steps=config.unroll_steps,
            restart_probability=config.sentence_restart_probability,
            seed=config.seed,
        )
        self._target_ids = np.array([vocabulary.id_of(word) for word in corpus.words], dtype=np.int64)
        self.number = 0
        self._latest: StreamBatch | None = None

    @property
    def epoch(self) -> int:
        """How often the whole corpus was read."""
        return self._stream.epoch

    @property
    def state(self) -> dict[str, Any]:
        """The place in the text, as JSON."""
        return {"number": self.number, "stream": self._stream.state}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.number, self._stream.state = state["number"], state["stream"]

    def next_window(self) -> Window:
        """The next words of this process's rows."""
        batch = self._latest = self._stream.next_batch()
        inputs = np.stack([batch.forward_inputs, batch.backward_inputs])[:, :, self.rows]
        words, places = np.unique(inputs, return_inverse=True)
        targets = [self._target_ids[t] for t in (batch.forward_targets, batch.backward_targets)]
        negatives = self._draw_negatives()
        rows = None
        if negatives is not None:
            rows = self._tensor(np.unique(np.concatenate([t.ravel() for t in targets] + [n for n, _ in negatives])))
        batches = [
            DirectionBatch(
                self._tensor(places.reshape(inputs.shape)[d]),
                self._tensor(np.ascontiguousarray(targets[d][:, self.rows])),
                None if negatives is None else Negatives(self._tensor(negatives[d][0]), negatives[d][1]),
            )
            for d in range(2)
        ]
        self.number += 1
        return Window(
            self._tensor(self._corpus.characters[words].astype(np.int64)),
            (batches[0], batches[1]),
            self._tensor(np.ascontiguousarray(batch.starts[:, self.rows])) if batch.starts.any() else None,
            rows,
        )

    def latest_text(self) -> str:
        """The words that the latest window fed forward, one row a line."""
        if self._latest is None:
            return ""
        words = self._corpus.words
        return "\n".join(" ".join(words[number] for number in row) for row in self._latest.forward_inputs.T)

    def _draw_negatives(self) -> list[tuple[NDArray[np.int64], int]] | None:
        if self._config.num_negatives is None:
            return None
        random = np.random.Generator(np.random.PCG64([self._config.seed, 2, self.number]))
        return [draw_negatives(self._config.num_negatives, self._vocabulary_size, random) for _ in range(2)]

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self._device)
