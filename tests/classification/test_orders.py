"""Which examples are in which batch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.classification.orders import EndlessShuffle, EstimatorRounds, InOrder, ShuffledEpochs, ShuffledOnce
from pytorch_elmo.errors import ConfigurationError


def drawn(order, num_examples: int, round_number: int = 0) -> list[int]:
    batches = list(order.batches(num_examples, round_number))
    assert len(batches) == order.num_steps(num_examples)
    assert all(len(batch) == order.batch_size for batch in batches[:-1])
    assert all(batch.dtype == torch.int64 for batch in batches)
    return torch.cat(batches).tolist()


def test_in_order():
    assert drawn(InOrder(batch_size=3), 7) == list(range(7))
    assert drawn(InOrder(batch_size=3, steps=3), 7, round_number=4) == [*range(7), 0, 1]


@pytest.mark.parametrize("buffer_size", [None, 1, 4, 100])
def test_an_epoch_has_every_example_once(buffer_size):
    order = ShuffledEpochs(batch_size=4, seed=1, buffer_size=buffer_size)
    epochs = [drawn(order, 21, number) for number in range(3)]
    assert all(sorted(epoch) == list(range(21)) for epoch in epochs)
    assert epochs[0] == drawn(order, 21, 0)
    if buffer_size == 1:
        assert epochs[0] == epochs[1] == list(range(21))
    else:
        assert epochs[0] != epochs[1] != epochs[2]
    if buffer_size == 4:
        assert all(example < place + 4 for epoch in epochs for place, example in enumerate(epoch))


def test_a_cached_order_does_not_change():
    order = ShuffledOnce(batch_size=4, seed=1)
    assert sorted(drawn(order, 21)) == list(range(21)) != drawn(order, 21)
    assert drawn(order, 21, 5) == drawn(order, 21)
    assert drawn(ShuffledOnce(batch_size=4, seed=2), 21) != drawn(order, 21)


def test_the_tutorial_reaches_3023_of_its_examples():
    order = EstimatorRounds(batch_size=10, steps=200, seed=0)
    assert order.num_reached(8194) == 3023
    assert order.num_reached(100) == 100
    rounds = [drawn(order, 8194, number) for number in range(3)]
    assert all(len(set(examples)) == 2000 for examples in rounds)
    assert all(example < 1024 + place for examples in rounds for place, example in enumerate(examples))
    assert rounds[0] != rounds[1]
    assert max(map(max, rounds)) > 2900


def test_an_estimator_repeats_small_data():
    examples = drawn(EstimatorRounds(batch_size=5, steps=6, seed=0, buffer_size=4), 10)
    assert len(examples) == 30
    assert set(examples) == set(range(10))


@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 9))
def test_rounds_go_on_through_the_epochs(num_examples, batch_size, steps):
    order = EndlessShuffle(batch_size=batch_size, steps=steps, seed=3)
    examples = [example for number in range(6) for example in drawn(order, num_examples, number)]
    assert len(examples) == 6 * batch_size * steps
    for begin in range(0, len(examples) - num_examples + 1, num_examples):
        assert sorted(examples[begin : begin + num_examples]) == list(range(num_examples))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: InOrder(batch_size=0), "batch_size"),
        (lambda: InOrder(batch_size=1, steps=0), "steps"),
        (lambda: ShuffledEpochs(batch_size=1, seed=0, buffer_size=-1), "buffer_size"),
        (lambda: ShuffledOnce(batch_size=0, seed=0), "batch_size"),
        (lambda: EstimatorRounds(batch_size=1, steps=0, seed=0), "steps"),
        (lambda: EndlessShuffle(batch_size=1, steps=-3, seed=0), "steps"),
    ],
)
def test_sizes_are_positive(make, name):
    with pytest.raises(ConfigurationError, match=f"{name} is at least 1, got -?[013]; give a positive number"):
        make()
