"""Learning rates over a run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.training.schedule import warmup_cosine

SHAPE = {"num_steps": 110, "warmup_steps": 10, "peak": 2.0, "final": 0.5}


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, 0.2), (4, 1.0), (9, 2.0), (10, 2.0), (60, 1.25), (110, 0.5), (500, 0.5)],
)
def test_known_rates(step, rate):
    assert warmup_cosine(step, **SHAPE) == pytest.approx(rate, abs=1e-12)


def test_a_quarter_of_the_cosine():
    expected = 0.5 + 1.5 * 0.5 * (1 + math.cos(math.pi / 4))
    assert warmup_cosine(35, **SHAPE) == pytest.approx(expected, abs=1e-12)


def test_no_warm_up_begins_at_the_peak():
    assert warmup_cosine(0, num_steps=5, warmup_steps=0, peak=1.0, final=0.0) == 1.0


def test_a_run_that_is_all_warm_up():
    rates = [warmup_cosine(step, num_steps=4, warmup_steps=4, peak=1.0, final=0.0) for step in range(5)]
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0]


@given(st.integers(1, 200), st.integers(0, 50), st.floats(0.1, 10), st.floats(0, 0.1))
def test_rates_rise_then_fall_within_their_bounds(num_steps, warmup_steps, peak, final):
    rates = [
        warmup_cosine(step, num_steps=num_steps, warmup_steps=warmup_steps, peak=peak, final=final)
        for step in range(num_steps)
    ]
    rise, fall = rates[:warmup_steps], rates[warmup_steps:]
    assert rise == sorted(rise)
    assert fall == sorted(fall, reverse=True)
    assert all(0 < rate <= peak + 1e-12 for rate in rise)
    assert all(final - 1e-12 <= rate <= peak + 1e-12 for rate in fall)
