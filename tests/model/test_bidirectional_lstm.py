"""Two stacks over padded rows: reading orders, rows without tokens, states."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from originals import close, read_original, state_close
from pytorch_elmo.model.bidirectional_lstm import (
    DIRECTIONS,
    BidirectionalLstm,
    LstmState,
    last_state,
    reading_order,
    reorder,
)
from pytorch_elmo.model.lstm import LayerState, projected_lstm
from random_models import bilm_config, random_bilm

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=4)


def random_lstm(**settings) -> BidirectionalLstm:
    return random_bilm(bilm_config(**settings)).lstm


def random_input(lengths: list[int], size: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Vectors (batch_size, num_tokens, size) and their mask; padded positions hold numbers that must not matter."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(len(lengths), max(lengths), size, generator=generator, dtype=torch.float64)
    return inputs, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def random_state(lstm: BidirectionalLstm, batch_size: int) -> LstmState:
    generator = torch.Generator().manual_seed(batch_size)
    return LstmState(*(torch.randn(t.shape, generator=generator, dtype=t.dtype) for t in lstm.zero_state(batch_size)))


def row_of(state: LstmState, row: int) -> LstmState:
    return LstmState(state.hidden[:, row : row + 1], state.cell[:, row : row + 1])


def test_parameter_names_are_those_of_elmo_lstm():
    names = {name.split(".")[0] for name, _ in random_lstm(num_lstm_layers=2).named_parameters()}
    assert names == {"forward_layer_0", "forward_layer_1", "backward_layer_0", "backward_layer_1"}


def test_documented_shapes():
    lstm = random_lstm(num_lstm_layers=3, cell_size=5, projection_size=4)
    outputs, state = lstm(*random_input([4, 2]))
    assert [tuple(layer.shape) for layer in outputs] == [(2, 4, 8)] * 3
    assert state.hidden.shape == (3, 2, 8)
    assert state.cell.shape == (3, 2, 10)


@pytest.mark.parametrize("skips", [True, False])
def test_one_row_read_by_plain_layers(skips):
    """Forward over the tokens, backward over them reversed; the skip connection is added above the first layer."""
    lstm = random_lstm(num_lstm_layers=3, use_skip_connections=skips)
    inputs, mask = random_input([5])
    state = random_state(lstm, 1)
    outputs, after = lstm(inputs, mask, state)
    for direction in range(2):
        vectors = inputs[0][:, None]
        vectors = vectors.flip(0) if direction else vectors
        half = slice(4 * direction, 4 * direction + 4)
        for layer, weights in enumerate(lstm.weights(direction)):
            states = projected_lstm(
                vectors, state.direction(direction)[layer], weights, cell_clip=1.0, projection_clip=0.5
            )
            vectors = states.hidden + vectors if layer and skips else states.hidden
            in_order = vectors.flip(0) if direction else vectors
            torch.testing.assert_close(outputs[layer][:, :, half], in_order.transpose(0, 1), rtol=0, atol=1e-13)
            torch.testing.assert_close(
                after.direction(direction)[layer].hidden, states.hidden[-1], rtol=0, atol=1e-13
            )
            torch.testing.assert_close(after.direction(direction)[layer].cell, states.cell[-1], rtol=0, atol=1e-13)


@settings(max_examples=40)
@given(LENGTHS, st.integers(0, 3))
def test_a_row_is_read_as_if_it_were_alone(lengths, padding):
    """Whatever stands beside it, in padding, in other rows; rows without tokens keep their state bit for bit."""
    lstm = random_lstm()
    lengths = [*lengths, 1]
    inputs, mask = random_input(lengths)
    state = random_state(lstm, len(lengths))
    wide = torch.nn.functional.pad(inputs, (0, 0, 0, padding), value=1e6)
    outputs, after = lstm(wide, torch.nn.functional.pad(mask, (0, padding)), state)
    for row, length in enumerate(lengths):
        for layer in outputs:
            assert not layer[row, length:].any()
        if length == 0:
            assert torch.equal(after.hidden[:, row], state.hidden[:, row])
            assert torch.equal(after.cell[:, row], state.cell[:, row])
            continue
        alone, alone_after = lstm(inputs[row : row + 1, :length], mask[row : row + 1, :length], row_of(state, row))
        for layer, expected in zip(outputs, alone, strict=True):
            torch.testing.assert_close(layer[row, :length], expected[0], rtol=0, atol=1e-13)
        torch.testing.assert_close(row_of(after, row), alone_after, rtol=0, atol=1e-13)


def test_without_a_state_rows_start_from_zeros():
    lstm, given_input = random_lstm(), random_input([3, 5])
    outputs, state = lstm(*given_input)
    again, other = lstm(*given_input, lstm.zero_state(2))
    assert not any(tensor.any() for tensor in lstm.zero_state(2))
    assert all(map(torch.equal, (*outputs, *state), (*again, *other)))


def test_the_state_is_detached_and_the_outputs_are_not():
    lstm = random_lstm()
    outputs, state = lstm(*random_input([3]))
    assert all(layer.requires_grad for layer in outputs)
    assert not state.hidden.requires_grad
    assert not state.cell.requires_grad


def test_halves_of_a_state_join_to_the_state():
    lstm = random_lstm(num_lstm_layers=3)
    state = random_state(lstm, 2)
    assert len(DIRECTIONS) == 2
    joined = LstmState.join([state.direction(0), state.direction(1)])
    assert torch.equal(joined.hidden, state.hidden)
    assert torch.equal(joined.cell, state.cell)
    assert torch.equal(state.direction(1)[2].hidden, state.hidden[2, :, 4:])


def test_reading_orders():
    lengths = torch.tensor([3, 0, 1])
    assert reading_order(lengths, 4, backward=False).T.tolist() == [[0, 1, 2, 3]] * 3
    assert reading_order(lengths, 4, backward=True).T.tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [0, 1, 2, 3]]


@given(LENGTHS)
def test_a_reading_order_is_its_own_inverse(lengths):
    inputs, _ = random_input([*lengths, 3])
    order = reading_order(torch.tensor([*lengths, 3]), inputs.shape[1], backward=True)
    time_first = inputs.transpose(0, 1)
    assert torch.equal(reorder(reorder(time_first, order), order), time_first)


def test_last_state_of_rows_of_unlike_length():
    hidden = torch.arange(3.0)[:, None, None].expand(3, 3, 2)
    initial = LayerState(torch.full((3, 2), -1.0), torch.full((3, 5), -1.0))
    states = LayerState(hidden, hidden[..., :1].expand(3, 3, 5))
    state = last_state(states, torch.tensor([3, 0, 1]), initial)
    assert state.hidden[:, 0].tolist() == [2.0, -1.0, 0.0]
    assert state.cell[:, 4].tolist() == [2.0, -1.0, 0.0]


def test_original_rows_without_tokens(golden_folder):
    """The last call has fewer rows; the original leaves the other rows' states as they were."""
    lstm = read_original(golden_folder, "syn3").lstm
    state = None
    with np.load(golden_folder / "goldens_2.10.1" / "syn3" / "lstm_masked_rows.npz") as theirs:
        assert sum(key.endswith("__outputs") for key in theirs.files) == 3
        for call in range(3):
            inputs, mask = (torch.from_numpy(theirs[f"call{call}__{name}"]) for name in ("inputs", "mask"))
            assert (~mask.any(dim=1)).any()
            rows = len(inputs)
            start = state and LstmState(state.hidden[:, :rows], state.cell[:, :rows])
            outputs, state = lstm(inputs, mask, start)
            close(outputs, theirs[f"call{call}__outputs"])
            state_close(state, theirs[f"call{call}__state_h"][:, :rows], theirs[f"call{call}__state_c"][:, :rows])
