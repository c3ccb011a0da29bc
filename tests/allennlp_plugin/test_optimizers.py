"""The fused step is AllenNLP's Adam, and its checkpoints and others' are taken by both."""

import copy
import inspect

import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.training.optimizers import AdamOptimizer, AdamWOptimizer, Optimizer

KINDS = {
    "adam": (AdamOptimizer, {"lr": 0.01, "betas": (0.9, 0.9)}),
    "adam, its variant": (AdamOptimizer, {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    "adamw": (AdamWOptimizer, {"lr": 0.01, "weight_decay": 0.1}),
}


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Embedding(50, 8), torch.nn.Linear(8, 3))


def unfused(owner: type[Optimizer], *args, **kwargs) -> Optimizer:
    optimizer = owner.__new__(owner)
    inspect.unwrap(owner.__init__)(optimizer, *args, **kwargs)
    return optimizer


def train(learned: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        torch.manual_seed(step)
        optimizer.zero_grad()
        learned(torch.randint(50, (16,))).sin().sum().backward()
        optimizer.step()


def assert_close(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_allennlps(kind):
    owner, options = KINDS[kind]
    ours, theirs = model(), model()
    fused = owner(list(ours.named_parameters()), **options)
    plain = unfused(owner, list(theirs.named_parameters()), **options)
    assert (fused.param_groups[0]["fused"], plain.param_groups[0]["fused"]) == (True, None)
    train(ours, fused, range(50))
    train(theirs, plain, range(50))
    assert_close(ours, theirs)


def test_groups_keep_their_own_options():
    ours, theirs = model(), model()
    groups = [(["^0"], {"lr": 0.1}), (["bias"], {"weight_decay": 0.5})]
    fused = AdamOptimizer(list(ours.named_parameters()), copy.deepcopy(groups))
    plain = unfused(AdamOptimizer, list(theirs.named_parameters()), copy.deepcopy(groups))
    assert all(group["fused"] for group in fused.param_groups)
    train(ours, fused, range(20))
    train(theirs, plain, range(20))
    assert_close(ours, theirs)


@pytest.mark.parametrize("ours_first", [True, False])
def test_one_goes_on_from_a_checkpoint_of_the_other(ours_first):
    learned, whole = model(), model()
    makers = [AdamOptimizer, lambda parameters: unfused(AdamOptimizer, parameters)]
    first, second = makers if ours_first else makers[::-1]
    one = first(list(learned.named_parameters()))
    train(learned, one, range(10))
    other = second(list(learned.named_parameters()))
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    train(learned, other, range(10, 20))
    train(whole, AdamOptimizer(list(whole.named_parameters())), range(20))
    assert_close(learned, whole)


def test_complex_parameters_are_left_to_pytorch():
    parameter = torch.nn.Parameter(torch.ones(3, dtype=torch.complex64))
    assert AdamOptimizer([("phase", parameter)]).param_groups[0]["fused"] is None
