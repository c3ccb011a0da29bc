"""Whole runs against TensorFlow's: losses, histories, weights, predictions."""

import pytest


@pytest.mark.parametrize(
    ("check", "num_compared"),
    [
        ("check_imdb_model", 11),
        ("check_warm_start_model", 9),
        ("check_fit", 9),
        ("check_directory_split", 10),
        ("check_estimator", 11),
        ("check_warm_tutorial", 46),
        ("check_cord_tutorial", 9),
    ],
)
def test_runs_are_tensorflows(check_golden, check, num_compared):
    assert check_golden(check) == num_compared
