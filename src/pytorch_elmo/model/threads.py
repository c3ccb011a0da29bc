"""The two directions of a biLM at the same time, each in a thread with its share of the processor."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Result = TypeVar("Result")


class TwoThreads:
    """Runs a job for direction 0 and direction 1 side by side.

    One thread a direction waits less than two threads inside every operation, and when another program wants a
    core, it costs its share and no more. With a single thread, or `alone` (a GPU), the jobs run one after the other.
    """

    def __init__(self, *, alone: bool = False) -> None:
        threads = torch.get_num_threads()
        self._pool: ThreadPoolExecutor | None = None
        if threads > 1 and not alone:
            self._pool = ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(threads // 2,))

    def both(self, job: Callable[[int], Result]) -> list[Result]:
        """The results of `job(0)` and `job(1)`, with gradients recorded if the caller records them."""
        if self._pool is None:
            return [job(0), job(1)]
        recorded = torch.is_grad_enabled()  # a thread begins with its own answer

        def run(index: int) -> Result:
            with torch.set_grad_enabled(recorded):
                return job(index)

        return list(self._pool.map(run, range(2)))
