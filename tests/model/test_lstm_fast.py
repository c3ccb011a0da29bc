"""The fast layer has the readable layer's numbers and gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pytorch_elmo.model import lstm, lstm_fast
from pytorch_elmo.model.lstm import LayerState, LstmWeights

TOLERANCE = 1e-12  # float64; products are summed in another order
INPUT_SIZE, CELL_SIZE, PROJECTION_SIZE = 3, 5, 2


class Case:
    """A window with parameters and the direction in which its outputs are pulled."""

    def __init__(
        self, num_tokens: int, batch_size: int, seed: int, *, projection_size: int = PROJECTION_SIZE
    ) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.inputs = self.normal(num_tokens, batch_size, INPUT_SIZE)
        self.initial = LayerState(self.normal(batch_size, projection_size), self.normal(batch_size, CELL_SIZE))
        self.weights = LstmWeights(
            self.normal(4 * CELL_SIZE, INPUT_SIZE),
            self.normal(4 * CELL_SIZE, projection_size),
            self.normal(4 * CELL_SIZE),
            self.normal(projection_size, CELL_SIZE),
        )
        self.pull = self.normal(num_tokens, batch_size, projection_size)
        self.start = LayerState(self.normal(projection_size), self.normal(CELL_SIZE))

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def restarts(self, share: float) -> Tensor:
        return torch.rand(self.inputs.shape[:2], generator=self.generator) < share

    def run(self, layer, **arguments) -> tuple[LayerState, tuple[Tensor, ...]]:
        """States, and gradients of (inputs, *weights, *start)."""
        given = (self.inputs, *self.weights, *self.start)
        variables = [tensor.clone().requires_grad_() for tensor in given]
        if arguments.pop("started", False):
            arguments["start"] = LayerState(*variables[5:])
        states = layer.projected_lstm(variables[0], self.initial, LstmWeights(*variables[1:5]), **arguments)
        pulled = (states.hidden * self.pull).sum()
        return states, torch.autograd.grad(pulled, variables, allow_unused=True, materialize_grads=True)


def assert_same(case: Case, **arguments) -> LayerState:
    fast, fast_gradients = case.run(lstm_fast, **arguments)
    readable, gradients = case.run(lstm, **arguments)
    torch.testing.assert_close(fast, readable, rtol=0, atol=TOLERANCE)
    torch.testing.assert_close(fast_gradients, gradients, rtol=0, atol=TOLERANCE * 100)
    return fast


@pytest.mark.parametrize("share", [None, 0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("cell_clip", "projection_clip"), [(None, None), (0.4, None), (None, 0.5), (0.4, 0.5), (0, 0.0)]
)
def test_clips_and_restarts(cell_clip, projection_clip, share):
    case = Case(num_tokens=9, batch_size=4, seed=1)
    restarts = None if share is None else case.restarts(share)
    states = assert_same(case, cell_clip=cell_clip, projection_clip=projection_clip, restarts=restarts)
    for values, bound in ((states.cell, cell_clip), (states.hidden, projection_clip)):
        if bound:
            assert 0.05 < (values.abs() == bound).double().mean() < 0.95


@given(
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(0, 2**32),
    st.sampled_from([None, 0.2, 1.0]),
    st.sampled_from([None, 0.1, 1.0]),
    st.sampled_from([None, 0.2, 0.8]),
    st.booleans(),
)
def test_any_window(num_tokens, batch_size, projection_size, seed, cell_clip, projection_clip, share, started):
    case = Case(num_tokens, batch_size, seed, projection_size=projection_size)
    restarts = None if share is None else case.restarts(share)
    clips = {"cell_clip": cell_clip, "projection_clip": projection_clip}
    assert_same(case, **clips, restarts=restarts, started=started)


def test_a_start_is_what_rows_begin_from():
    case = Case(num_tokens=6, batch_size=3, seed=7)
    restarts = torch.zeros(6, 3, dtype=torch.bool)
    restarts[0, 1] = restarts[4, 2] = True
    clips = {"cell_clip": 0.4, "projection_clip": 0.5}
    states = assert_same(case, **clips, restarts=restarts, started=True)
    rows = LayerState(*(part.expand(1, -1) for part in case.start))
    for row, begin in ((1, 0), (2, 4)):
        alone = lstm.projected_lstm(case.inputs[begin:, row : row + 1], rows, case.weights, **clips)
        torch.testing.assert_close(states.hidden[begin:, row], alone.hidden[:, 0], rtol=0, atol=TOLERANCE)


def test_gradients_are_those_of_finite_differences():
    case = Case(num_tokens=4, batch_size=2, seed=2)
    restarts = case.restarts(0.3)
    assert 0 < restarts.sum() < restarts.numel()

    def outputs(*variables: Tensor) -> Tensor:
        states = lstm_fast.projected_lstm(
            variables[0],
            case.initial,
            LstmWeights(*variables[1:]),
            cell_clip=0.4,
            projection_clip=0.5,
            restarts=restarts,
        )
        return states.hidden

    assert torch.autograd.gradcheck(outputs, [t.requires_grad_() for t in (case.inputs, *case.weights)])


@pytest.mark.parametrize("wanted", range(5))
def test_a_gradient_of_one_variable_alone(wanted):
    case = Case(num_tokens=5, batch_size=2, seed=3)
    variables = [tensor.clone() for tensor in (case.inputs, *case.weights)]
    variables[wanted].requires_grad_()
    clips = {"cell_clip": 0.4, "projection_clip": 0.5}
    states = lstm_fast.projected_lstm(variables[0], case.initial, LstmWeights(*variables[1:]), **clips)
    (states.hidden * case.pull).sum().backward()
    _, gradients = case.run(lstm, **clips)
    torch.testing.assert_close(variables[wanted].grad, gradients[wanted], rtol=0, atol=TOLERANCE * 100)


def test_no_gradient_leaves_through_the_cells_or_enters_the_initial_state():
    case = Case(num_tokens=3, batch_size=2, seed=4)
    initial = LayerState(*(tensor.requires_grad_() for tensor in case.initial))
    inputs = case.inputs.requires_grad_()
    states = lstm_fast.projected_lstm(inputs, initial, case.weights, cell_clip=None, projection_clip=None)
    assert not states.cell.requires_grad
    states.hidden.sum().backward()
    assert inputs.grad.any()
    assert initial.hidden.grad is None
    assert initial.cell.grad is None


def test_inputs_and_initial_state_are_left_as_they_are():
    case = Case(num_tokens=3, batch_size=2, seed=5)
    before = [tensor.clone() for tensor in (case.inputs, *case.initial, *case.weights)]
    case.run(lstm_fast, cell_clip=0.4, projection_clip=0.5, restarts=case.restarts(0.5))
    assert all(map(torch.equal, before, (case.inputs, *case.initial, *case.weights)))
