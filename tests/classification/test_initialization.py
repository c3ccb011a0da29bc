"""First parameters as Keras draws them."""

import torch
from torch import nn

from pytorch_elmo.classification.initialization import initialize_as_keras


def test_bounds_and_spread(check_golden):
    assert check_golden("check_initializers") == 16


def test_equal_seeds_give_equal_parameters():
    models = [nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.Linear(3, 1, bias=False)) for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        initialize_as_keras(model, seed)
    first, second, third = (torch.cat([part.flatten() for part in model.parameters()]) for model in models)
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert not models[0][1].bias.any()


def test_what_is_frozen_stays():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3)).requires_grad_(False)
    before = [parameter.clone() for parameter in model.parameters()]
    initialize_as_keras(model, 0)
    assert all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))
