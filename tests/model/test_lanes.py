"""Sentences side by side in lanes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.model.lanes import LANES, choose_num_lanes, group_by_length, lane_steps, plan_lanes

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=60).map(np.array)
NUM_LANES = st.integers(1, 12)


@given(LENGTHS, NUM_LANES)
def test_every_sentence_has_a_place_and_lanes_have_no_gaps(lengths, num_lanes):
    plan = plan_lanes(lengths, num_lanes)
    assert (plan.lane.shape, plan.start.shape) == (lengths.shape, lengths.shape)
    ends = []
    for lane in range(num_lanes):
        members = np.flatnonzero(plan.lane == lane)
        members = members[np.argsort(plan.start[members])]
        filled = 0
        for sentence in members:
            assert plan.start[sentence] == filled
            filled += lengths[sentence]
        ends.append(filled)
    assert sum(ends) == lengths.sum()
    assert plan.num_steps == max(ends)
    assert plan.num_lanes == num_lanes


@given(LENGTHS, NUM_LANES)
def test_lanes_are_filled_evenly(lengths, num_lanes):
    """No lane ends later than the mean by more than the longest sentence (Graham's bound)."""
    plan = plan_lanes(lengths, num_lanes)
    assert plan.num_steps <= lengths.sum() / num_lanes + lengths.max()


def test_many_sentences_leave_almost_no_padding():
    lengths = np.random.default_rng(0).integers(3, 60, size=2000)
    plan = plan_lanes(lengths, choose_num_lanes(lengths))
    assert plan.num_lanes == 128
    assert lengths.sum() / (plan.num_steps * plan.num_lanes) > 0.99


@given(LENGTHS)
def test_more_lanes_only_while_they_save_steps(lengths):
    num_lanes = choose_num_lanes(lengths)
    assert num_lanes in LANES
    fewer = [count for count in LANES if count < num_lanes]
    assert not fewer or lengths.sum() > fewer[-1] * lengths.max()


@pytest.mark.parametrize(
    ("lengths", "num_lanes"),
    [([30], 1), ([25] * 8, 8), ([24, 25, 26, 25] * 8, 32), ([20] * 15 + [40], 8), ([30] * 128, 128)],
    ids=["one sentence", "eight", "a training batch", "a batch with a long sentence", "many"],
)
def test_lanes_of_common_batches(lengths, num_lanes):
    assert choose_num_lanes(np.array(lengths)) == num_lanes


@given(LENGTHS)
def test_groups_are_a_partition(lengths):
    groups = group_by_length(lengths)
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(lengths)))
    assert all(len(group) for group in groups)
    assert len(groups) <= 2


def test_an_unusually_long_sentence_is_run_apart():
    lengths = np.array([10] * 200 + [900, 10])
    groups = [group.tolist() for group in group_by_length(lengths)]
    assert [200] in groups
    assert len(groups) == 2
    together, apart = plan_lanes(lengths, 8), plan_lanes(np.delete(lengths, 200), 8)
    assert together.num_steps == 900
    assert apart.num_steps <= 260


def test_sentences_of_like_length_stay_together():
    assert [group.tolist() for group in group_by_length(np.array([5, 6, 5]))] == [[0, 1, 2]]
    assert len(group_by_length(np.array([5] * 300))) == 1
    assert len(group_by_length(np.array([22, 23, 24, 25] * 8))) == 1


@pytest.mark.parametrize("backward", [False, True])
@given(LENGTHS, NUM_LANES)
def test_lanes_hold_the_sentences(backward, lengths, num_lanes):
    plan = plan_lanes(lengths, num_lanes)
    first = np.cumsum(lengths) - lengths
    sentences = [np.arange(start, start + length) + 1 for start, length in zip(first, lengths, strict=True)]
    steps = lane_steps(plan, sentences, backward=backward)
    places = steps.places.numpy()
    assert places.shape == (plan.num_steps, num_lanes)
    for tokens, lane, start in zip(sentences, plan.lane, plan.start, strict=True):
        read = places[start : start + len(tokens), lane]
        assert np.array_equal(read[::-1] if backward else read, tokens)
    assert np.count_nonzero(places) == lengths.sum()


@given(LENGTHS, NUM_LANES)
def test_lanes_restart_where_a_sentence_begins_and_nowhere_else(lengths, num_lanes):
    plan = plan_lanes(lengths, num_lanes)
    restarts = lane_steps(plan, [np.zeros(length, dtype=np.int64) for length in lengths], backward=False).restarts
    assert len(restarts) == plan.num_steps
    begun = [(step, lane) for step, lanes in enumerate(restarts) if lanes is not None for lane in lanes.tolist()]
    assert sorted(begun) == sorted(zip(plan.start.tolist(), plan.lane.tolist(), strict=True))
