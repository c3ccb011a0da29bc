"""Metrics as the tutorials compute them, and as they are usually meant."""

import pytest
import torch

from pytorch_elmo.classification import metrics

CLASSES = torch.tensor([0, 0, 1, 2, 1, 0])
LOGITS = torch.nn.functional.one_hot(torch.tensor([0, 1, 1, 1, 2, 0]), 3).float()


def test_three_accuracies_of_two_classes():
    logits, ones = torch.tensor([[1e-8], [0.3], [0.5], [0.6]]), torch.ones(4, dtype=torch.int64)
    assert metrics.accuracy(logits, ones) == 1.0
    assert metrics.accuracy_of_probabilities(logits, ones) == 0.75  # the first one's probability rounds to a half
    assert metrics.accuracy_of_logits_above_half(logits, ones) == 0.25
    assert metrics.accuracy(logits, ones - 1) == 0.0


def test_the_lowest_of_equal_logits_is_predicted():
    assert metrics.predicted_classes(torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])).tolist() == [0, 1]
    assert metrics.predicted_classes(torch.tensor([[0.0], [0.1]])).tolist() == [0, 1]


def test_binarised_and_macro_averages_differ():
    assert metrics.accuracy(LOGITS, CLASSES) == 0.5
    # Right as truth values: predicted 1, 1, 1, 2 of which wanted 1, 2, 1.
    assert metrics.binarised_precision(LOGITS, CLASSES) == 0.75
    assert metrics.binarised_recall(LOGITS, CLASSES) == 1.0
    assert metrics.macro_precision(LOGITS, CLASSES) == pytest.approx((2 / 2 + 1 / 3 + 0) / 3)
    assert metrics.macro_recall(LOGITS, CLASSES) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert metrics.macro_f1(LOGITS, CLASSES) == pytest.approx((4 / 5 + 2 / 5 + 0) / 3)


def test_classes_that_nobody_names_are_left_out():
    logits, labels = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), torch.tensor([0, 0])
    assert metrics.macro_f1(logits, labels) == metrics.macro_precision(logits, labels) == 1.0
    assert metrics.binarised_precision(logits, labels) == metrics.binarised_recall(logits, labels) == 0.0


def test_one_logit_has_two_classes():
    logits, labels = torch.tensor([[1.0], [1.0], [-1.0]]), torch.tensor([1, 0, 0])
    assert metrics.macro_recall(logits, labels) == 0.75
    assert metrics.macro_f1(logits, labels) == pytest.approx(2 / 3)
