"""Negative samples: distinct, counted honestly, distributed by rank."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.softmax import expected_count, log_uniform_probability
from pytorch_elmo.pretraining.sampler import draw_negatives


class Draws:
    """A random generator that draws the given ids, then always the first."""

    def __init__(self, ids: list[int], vocabulary_size: int) -> None:
        self.numbers = [math.log(number + 1.5) / math.log(vocabulary_size + 1) for number in ids]

    def random(self, count: int) -> np.ndarray:
        given, self.numbers = self.numbers[:count], self.numbers[count:]
        return np.array(given + [0.0] * (count - len(given)))


@given(st.integers(2, 60), st.data())
def test_ids_are_distinct_and_in_range(vocabulary_size, data):
    count = data.draw(st.integers(1, vocabulary_size - 1))
    ids, num_tries = draw_negatives(count, vocabulary_size, np.random.default_rng(data.draw(st.integers(0, 9))))
    assert ids.dtype == np.int64
    assert len(set(ids.tolist())) == len(ids) == count
    assert 0 <= ids.min() <= ids.max() < vocabulary_size
    assert num_tries >= count


@pytest.mark.parametrize(
    ("draws", "count", "ids", "tries"),
    [
        ([4, 1, 7], 3, [4, 1, 7], 3),
        ([4, 4, 1, 4, 1, 7, 2], 3, [4, 1, 7], 6),
        ([4, 1], 2, [4, 1], 2),
        ([5, 5, 5, 5, 5, 5, 2], 2, [5, 2], 7),
    ],
)
def test_draws_are_counted_to_the_last_new_id(draws, count, ids, tries):
    """Whether the ids are found in the first handful of draws or need another."""
    found, num_tries = draw_negatives(count, 10, Draws(draws, 10))
    assert (found.tolist(), num_tries) == (ids, tries)


def test_the_first_draw_is_log_uniform():
    random, size, repeats = np.random.default_rng(0), 8, 20_000
    first = [draw_negatives(1, size, random)[0][0] for _ in range(repeats)]
    shares = np.bincount(first, minlength=size) / repeats
    expected = log_uniform_probability(torch.arange(size), size).numpy()
    np.testing.assert_allclose(shares, expected, rtol=0, atol=4 * math.sqrt(0.25 / repeats))


def test_ids_are_found_as_often_as_the_correction_expects():
    """The correction of the sampled softmax takes the number of draws for fixed; that costs a little exactness."""
    random, size, count, repeats = np.random.default_rng(1), 30, 12, 4000
    found, tries = np.zeros(size), 0
    for _ in range(repeats):
        ids, num_tries = draw_negatives(count, size, random)
        found[ids] += 1
        tries += num_tries
    expected = expected_count(torch.arange(size), size, round(tries / repeats)).numpy()
    np.testing.assert_allclose(found / repeats, expected, rtol=0, atol=0.05)
    assert found[0] > found[5] > found[29]


def test_a_seed_repeats():
    first, again = (draw_negatives(5, 50, np.random.default_rng(3)) for _ in range(2))
    assert first[1] == again[1]
    np.testing.assert_array_equal(first[0], again[0])


@pytest.mark.parametrize("count", [10, 11, 8192])
def test_more_negatives_than_words(count):
    message = (
        rf"^num_negatives must be below the vocabulary's size 10, got {count}; lower it, or use null for the full"
    )
    with pytest.raises(ConfigurationError, match=message):
        draw_negatives(count, 10, np.random.default_rng(0))
