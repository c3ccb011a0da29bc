"""A sentence too long to be run in one piece: chunks that carry the state, in both directions."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.elmo.layer_choice import LayerChoice
from pytorch_elmo.elmo.token_cache import TokenCache
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.model.lanes import LaneSteps
from pytorch_elmo.model.lstm import LayerState
from pytorch_elmo.text.characters import BEGIN_OF_SENTENCE, END_OF_SENTENCE


def embed_document(
    engine: InferenceBiLM,
    cache: TokenCache,
    tokens: Sequence[str],
    destination: NDArray[np.generic],
    choice: LayerChoice,
    chunk_tokens: int,
) -> None:
    """Write a sentence's vectors to `destination`, as one long run would give them.

    The forward half of every vector is written from the beginning to the end, then the backward half from the end
    to the beginning; memory holds one chunk.

    Args:
        engine: the biLM.
        cache: encodes words.
        tokens: the sentence, without boundaries.
        destination: array of the chosen layers' shape for this sentence.
        choice: layers that are wanted; every one of them treats the two halves of a vector alike.
        chunk_tokens: positions that are run at a time.
    """
    read = _Reader(engine, cache, [BEGIN_OF_SENTENCE, *tokens, END_OF_SENTENCE])
    num_positions, size = len(tokens) + 2, engine.config.lstm.projection_size
    for direction in range(2):
        state: list[LayerState] | None = None
        half = destination[..., direction * size : (direction + 1) * size]
        starts = range(0, num_positions, chunk_tokens)
        for start in starts if direction == 0 else reversed(starts):
            stop = min(start + chunk_tokens, num_positions)
            layers, state = read(direction, start, stop, state)
            inner = slice(max(start, 1), min(stop, num_positions - 1))
            kept = layers[:, inner.start - start : inner.stop - start]
            if kept.shape[1]:
                half[..., inner.start - 1 : inner.stop - 1, :] = choice(kept).cpu().numpy()


class _Reader:
    """Runs one direction over a window of positions."""

    def __init__(self, engine: InferenceBiLM, cache: TokenCache, positions: list[str]) -> None:
        self._engine, self._cache, self._positions = engine, cache, positions

    def __call__(
        self, direction: int, start: int, stop: int, state: list[LayerState] | None
    ) -> tuple[Tensor, list[LayerState]]:
        """All layers' halves (num_layers, stop - start, projection_size) in reading order of text, and the state."""
        numbers: dict[str, int] = {}
        places = torch.tensor([numbers.setdefault(word, len(numbers)) for word in self._positions[start:stop]])
        vectors = self._cache.vectors(list(numbers))
        order = places.flip(0) if direction else places
        steps = LaneSteps(order.unsqueeze(-1), [None] * len(order))
        outputs, state = self._engine.run_lanes(direction, vectors, steps, state)
        contextual = outputs[:, :, 0].flip(1) if direction else outputs[:, :, 0]
        return torch.cat([vectors[places.to(vectors.device)].unsqueeze(0), contextual]), state
