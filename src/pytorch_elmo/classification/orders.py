"""In which order a training run meets its examples.

A run is rounds of batches, with an evaluation after each round: a round is an epoch, or a number of steps. An order
gives the batches of a round from the round's number alone, so that a run has the same batches however it is driven.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, cycle, islice
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError


class Order(Protocol):
    """Which examples are in which batch."""

    def num_steps(self, num_examples: int) -> int:
        """Batches of a round."""

    def batches(self, num_examples: int, round_number: int) -> Iterator[Tensor]:
        """The batches of a round counted from 0, each (batch_size,) int64 indexes of examples."""


@dataclass(frozen=True, kw_only=True)
class InOrder:
    """As the examples stand; a round is an epoch, or `steps` batches from the first example on, again and again."""

    batch_size: int
    steps: int | None = None

    def __post_init__(self) -> None:
        _check(batch_size=self.batch_size, steps=self.steps)

    def num_steps(self, num_examples: int) -> int:
        """Batches of a round."""
        return self.steps or -(-num_examples // self.batch_size)

    def batches(self, num_examples: int, round_number: int) -> Iterator[Tensor]:
        """The same in every round."""
        examples = range(num_examples) if self.steps is None else cycle(range(num_examples))
        return islice(_batches(examples, self.batch_size), self.num_steps(num_examples))


@dataclass(frozen=True, kw_only=True)
class ShuffledEpochs:
    """Every example once a round, in a new order each time; the last batch may be smaller.

    With a `buffer_size` smaller than the data an example can stand at most so many places before its own, as
    `tf.data`'s shuffle has it; without one every order is as likely.
    """

    batch_size: int
    seed: int
    buffer_size: int | None = None

    def __post_init__(self) -> None:
        _check(batch_size=self.batch_size, buffer_size=self.buffer_size)

    def num_steps(self, num_examples: int) -> int:
        """Batches of an epoch."""
        return -(-num_examples // self.batch_size)

    def batches(self, num_examples: int, round_number: int) -> Iterator[Tensor]:
        """The batches of an epoch."""
        generator = np.random.default_rng([self.seed, round_number])
        buffer_size = self.buffer_size or max(num_examples, 1)
        return _batches(_through_buffer(range(num_examples), buffer_size, generator), self.batch_size)


@dataclass(frozen=True, kw_only=True)
class ShuffledOnce:
    """Every example once a round, in one shuffled order: a `tf.data` pipeline that is cached after its shuffle."""

    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        _check(batch_size=self.batch_size)

    def num_steps(self, num_examples: int) -> int:
        """Batches of an epoch."""
        return -(-num_examples // self.batch_size)

    def batches(self, num_examples: int, round_number: int) -> Iterator[Tensor]:
        """The same in every round."""
        return _batches(_permutation(num_examples, self.seed, 0).tolist(), self.batch_size)


@dataclass(frozen=True, kw_only=True)
class EstimatorRounds:
    """`repeat`, `shuffle(buffer_size)`, `batch`, made anew for every round of `steps`: as the SciCite tutorial runs.

    Every round begins at the first example again, so that the examples beyond `num_reached` are never met: with 200
    steps of 10 and a buffer of 1,024, all but the first 3,023.
    """

    batch_size: int
    steps: int
    seed: int
    buffer_size: int = 1024

    def __post_init__(self) -> None:
        _check(batch_size=self.batch_size, steps=self.steps, buffer_size=self.buffer_size)

    def num_reached(self, num_examples: int) -> int:
        """How many examples, counted from the first, can be met at all."""
        return min(num_examples, self.buffer_size + self.batch_size * self.steps - 1)

    def num_steps(self, num_examples: int) -> int:
        """Batches of a round."""
        return self.steps

    def batches(self, num_examples: int, round_number: int) -> Iterator[Tensor]:
        """The batches of a round."""
        generator = np.random.default_rng([self.seed, round_number])
        drawn = _through_buffer(cycle(range(num_examples)), self.buffer_size, generator)
        return islice(_batches(drawn, self.batch_size), self.steps)


@dataclass(frozen=True, kw_only=True)
class EndlessShuffle:
    """Rounds of `steps` batches that go on through the data, epoch after epoch: as the SciCite tutorial is meant.

    Every epoch has an order of its own; batches may reach from one epoch into the next.
    """

    batch_size: int
    steps: int
    seed: int

    def __post_init__(self) -> None:
        _check(batch_size=self.batch_size, steps=self.steps)

    def num_steps(self, num_examples: int) -> int:
        """Batches of a round."""
        return self.steps

    def batches(self, num_examples: int, round_number: int) -> Iterator[Tensor]:
        """The batches of a round."""
        epoch, done = divmod(round_number * self.steps * self.batch_size, num_examples)
        epochs = (_permutation(num_examples, self.seed, number).tolist() for number in count(epoch))
        return islice(_batches(islice(chain.from_iterable(epochs), done, None), self.batch_size), self.steps)


def _permutation(num_examples: int, seed: int, number: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, number]).permutation(num_examples)


def _through_buffer(examples: Iterable[int], buffer_size: int, generator: np.random.Generator) -> Iterator[int]:
    """Any example of the buffer leaves it, and the next one takes its place; at the end the buffer empties."""
    waiting = iter(examples)
    buffer = list(islice(waiting, buffer_size))
    for example in waiting:
        place = int(generator.integers(len(buffer)))
        yield buffer[place]
        buffer[place] = example
    for place in generator.permutation(len(buffer)):
        yield buffer[place]


def _batches(examples: Iterable[int], batch_size: int) -> Iterator[Tensor]:
    waiting = iter(examples)
    while batch := list(islice(waiting, batch_size)):
        yield torch.tensor(batch, dtype=torch.int64)


def _check(**sizes: int | None) -> None:
    for name, size in sizes.items():
        if size is not None and size < 1:
            raise ConfigurationError(f"{name} is at least 1, got {size}; give a positive number or leave it out")
