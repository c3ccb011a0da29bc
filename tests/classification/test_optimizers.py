"""Adam as Keras computes it."""

from copy import deepcopy

import torch
from torch import nn

from pytorch_elmo.classification.optimizers import KerasAdam


def one_step(optimizer_class, gradient: float, **arguments) -> float:
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.tensor([gradient])
    optimizer_class([parameter], lr=0.001, **arguments).step()
    return parameter.item()


def test_twelve_steps_with_dense_and_with_repeated_sparse_gradients(check_golden):
    assert check_golden("check_adam") == 4


def test_small_gradients_move_less_than_pytorch_moves_them():
    """Epsilon is added before the correction: as 3.2e-6 after it, in the first step."""
    assert abs(one_step(KerasAdam, 1.0) + 0.001) < 1e-8
    ours, theirs = one_step(KerasAdam, 1e-6), one_step(torch.optim.Adam, 1e-6, eps=1e-7 / 0.001**0.5)
    assert abs(ours - theirs) < 1e-8
    assert abs(one_step(torch.optim.Adam, 1e-6, eps=1e-7)) > 3 * abs(ours)


def test_a_row_without_a_gradient_goes_on_moving():
    table = nn.Embedding(3, 2, sparse=True)
    optimizer = KerasAdam(table.parameters())
    table(torch.tensor([0])).sum().backward()
    optimizer.step()
    before = table.weight.detach().clone()
    optimizer.zero_grad()
    table(torch.tensor([1])).sum().backward()
    optimizer.step()
    assert (table.weight[:2] < before[:2]).all()
    assert torch.equal(table.weight[2], before[2])


def test_a_closure_is_called_with_gradients():
    parameter = nn.Parameter(torch.ones(1))
    optimizer = KerasAdam([parameter], lr=0.1)

    def closure() -> float:
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 1.0
    assert abs(parameter.item() - 0.9) < 1e-6


def test_a_saved_state_goes_on():
    parameters = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizers = [KerasAdam([parameter]) for parameter in parameters]
    for step in range(4):
        for parameter, optimizer in zip(parameters, optimizers, strict=True):
            parameter.grad = torch.tensor([step + 1.0, -0.1])
            optimizer.step()
        if step == 1:
            optimizers[1] = KerasAdam([parameters[1]])
            optimizers[1].load_state_dict(deepcopy(optimizers[0].state_dict()))
    assert torch.equal(*parameters)
