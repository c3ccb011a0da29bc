"""Token vectors of words met before: the character encoder sees a word once."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.text.characters import words_to_ids

DEFAULT_CAPACITY = 50_000


class TokenCache:
    """The least recently used words leave first. A word's vector has the same bits from the cache or computed anew.

    Args:
        engine: encodes new words.
        capacity: words that are kept; 0 keeps none.
    """

    def __init__(self, engine: InferenceBiLM, *, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 0:
            raise ConfigurationError(f"the word cache holds 0 words or more, got {capacity}")
        self._engine, self.capacity = engine, capacity
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._table = torch.empty(0, engine.config.lstm.projection_size, device=engine.device)

    def __len__(self) -> int:
        return len(self._slots)

    def vectors(self, words: Sequence[str]) -> Tensor:
        """Token embeddings (num_words, projection_size) float32 of different words."""
        found = [self._slots.get(word) for word in words]
        result = self._table.new_empty(len(words), self._table.shape[1])
        hits = [place for place, slot in enumerate(found) if slot is not None]
        misses = [place for place, slot in enumerate(found) if slot is None]
        if hits:
            result[hits] = self._table[[slot for slot in found if slot is not None]]
            for place in hits:
                self._slots.move_to_end(words[place])
        if misses:
            new = self._engine.encode_words(torch.from_numpy(words_to_ids([words[place] for place in misses])))
            result[misses] = new
            self._keep([words[place] for place in misses], new)
        return result

    def _keep(self, words: list[str], vectors: Tensor) -> None:
        kept = words[: self.capacity]
        slots = []
        for word in kept:
            full = len(self._slots) == self.capacity
            slots.append(self._slots.popitem(last=False)[1] if full else len(self._slots))
            self._slots[word] = slots[-1]
        if slots:
            self._grow(max(slots) + 1)
            self._table[slots] = vectors[: len(kept)]

    def _grow(self, needed: int) -> None:
        """Double the table, up to the capacity, until `needed` rows fit."""
        rows = len(self._table)
        if needed > rows:
            larger = self._table.new_empty(min(max(needed, 2 * rows), self.capacity), self._table.shape[1])
            larger[:rows] = self._table
            self._table = larger
