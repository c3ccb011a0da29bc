"""Negative samples for the sampled softmax."""

import math

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import ConfigurationError


def draw_negatives(count: int, vocabulary_size: int, random: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """Draw ids log-uniformly until `count` different ones are found (elmo-spec 7.5).

    Returns:
        The ids in the order of their first appearance, and the number of draws that this took.

    Raises:
        ConfigurationError: there are not that many ids.
    """
    if count >= vocabulary_size:
        raise ConfigurationError(
            f"num_negatives must be below the vocabulary's size {vocabulary_size}, got {count}; "
            "lower it, or use null for the full softmax"
        )
    draws = np.empty(0, dtype=np.int64)
    while True:
        more = np.exp(random.random(2 * count) * math.log(vocabulary_size + 1.0)).astype(np.int64) - 1
        draws = np.concatenate([draws, more.clip(0, vocabulary_size - 1)])
        ids, first = np.unique(draws, return_index=True)
        if len(ids) >= count:
            order = np.argsort(first)[:count]
            return ids[order], int(first[order[-1]]) + 1
