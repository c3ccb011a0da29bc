"""All sentences of a corpus in random order, again and again, in little memory."""

import numpy as np
from numpy.typing import NDArray

SENTENCES_PER_SHARD = 1 << 16
SHARDS_PER_GROUP = 16


class SentenceOrder:
    """Numbers of sentences without end; in each epoch every one once, in an order that the seed decides.

    The corpus is cut into shards of neighbouring sentences. An epoch shuffles the shards, takes them in groups, and
    shuffles all sentences of a group together, so at most 2²⁰ numbers (8 MB) are held, and reading keeps to a part of
    the corpus at a time. A corpus of one group is shuffled as a whole: every order is equally likely.
    """

    def __init__(
        self,
        num_sentences: int,
        seed: int,
        *,
        sentences_per_shard: int = SENTENCES_PER_SHARD,
        shards_per_group: int = SHARDS_PER_GROUP,
    ) -> None:
        self._num_sentences, self._seed = num_sentences, seed
        self._sentences_per_shard = sentences_per_shard
        self._num_shards = -(-num_sentences // sentences_per_shard)
        self._num_groups = -(-self._num_shards // shards_per_group)
        self._go_to(epoch=0, group=0, position=0)

    def pull(self) -> int:
        """The next sentence."""
        if self._position == len(self._order):
            if self._group + 1 < self._num_groups:
                self._go_to(self.epoch, self._group + 1, 0)
            else:
                self._go_to(self.epoch + 1, 0, 0)
        self._position += 1
        return int(self._order[self._position - 1])

    @property
    def state(self) -> dict[str, int]:
        """The place in the order, as JSON."""
        return {"epoch": self.epoch, "group": self._group, "position": self._position}

    @state.setter
    def state(self, state: dict[str, int]) -> None:
        self._go_to(**state)

    def _go_to(self, epoch: int, group: int, position: int) -> None:
        self.epoch, self._group, self._position = epoch, group, position
        shards = self._random(epoch).permutation(self._num_shards)
        self._order = self._shuffle(np.array_split(shards, self._num_groups)[group])

    def _shuffle(self, shards: NDArray[np.int64]) -> NDArray[np.int64]:
        size = self._sentences_per_shard
        ranges = [np.arange(shard * size, min((shard + 1) * size, self._num_sentences)) for shard in shards.tolist()]
        order = np.concatenate(ranges)
        self._random(self.epoch, self._group).shuffle(order)
        return order

    def _random(self, *place: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self._seed, 0, *place]))
