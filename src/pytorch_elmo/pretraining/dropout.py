"""Dropout whose masks depend on the seed and the place in the run alone."""

import numpy as np
import torch
from torch import Tensor


class Dropout:
    """Zeroes a share of the values in training and scales up the rest.

    Each window's masks are drawn from the run's seed and the window's number, for the rows of all processes:
    a run goes on anywhere without a stored state, and several processes draw what one would.
    """

    def __init__(self, share: float, *, seed: int, num_rows: int | None = None, rows: slice = slice(None)) -> None:
        self._share, self._seed = share, seed
        self._num_rows, self._rows = num_rows, rows
        self._generators: list[torch.Generator] = []
        self.begin(0)

    def begin(self, window: int, device: torch.device | str = "cpu") -> None:
        """Take the masks of the window with that number."""
        seeds = np.random.SeedSequence([self._seed, window]).generate_state(2, np.uint64) >> np.uint64(1)
        self._generators = [torch.Generator(device).manual_seed(int(seed)) for seed in seeds]

    def __call__(self, vectors: Tensor, direction: int) -> Tensor:
        """Drop from `vectors`, (unroll_steps, batch_size, size), with the masks of one direction."""
        if not self._share:
            return vectors
        shape = list(vectors.shape)
        shape[1] = self._num_rows or shape[1]
        keep = torch.empty(shape, dtype=vectors.dtype, device=vectors.device)
        keep.bernoulli_(1.0 - self._share, generator=self._generators[direction]).div_(1.0 - self._share)
        return vectors * keep[:, self._rows]
