"""Cross entropies from logits."""

import pytest
import torch

from pytorch_elmo.classification.losses import binary_cross_entropy, softmax_cross_entropy


def test_losses_and_accuracies_at_chosen_logits(check_golden):
    assert check_golden("check_losses") == 9


def test_far_logits_are_not_clipped():
    assert binary_cross_entropy(torch.tensor([[-40.0]]), torch.tensor([1])).item() == 40.0


def test_batches_are_averaged():
    logits, labels = torch.tensor([[1.0], [-2.0]]), torch.tensor([1, 1])
    expected = -torch.sigmoid(logits[:, 0]).log().mean()
    assert binary_cross_entropy(logits, labels).item() == pytest.approx(expected.item(), abs=1e-7)
    several = torch.tensor([[1.0, 0.0, 2.0], [0.5, 0.5, 0.5]])
    expected = -torch.stack([several[0].log_softmax(0)[2], several[1].log_softmax(0)[0]]).mean()
    assert softmax_cross_entropy(several, torch.tensor([2, 0])).item() == pytest.approx(expected.item(), abs=1e-7)
