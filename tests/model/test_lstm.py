"""The readable layer: its gates by hand, its restarts, and the parameters' two forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from originals import COMMITTED, model_files, read_files, read_original
from pytorch_elmo.model.lstm import LayerState, LstmWeights, ProjectedLstm, clip, lstm_step, projected_lstm, restart
from pytorch_elmo.weights.hdf5 import read_hdf5
from pytorch_elmo.weights.options import read_options
from random_models import bilm_config, random_bilm

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


def weights_of(*values: float) -> LstmWeights:
    """One input, one cell, one output: the input weights of i, f, g, o; recurrent weights; biases; projection."""
    numbers = torch.tensor(values, dtype=torch.float64)
    return LstmWeights(numbers[:4, None], numbers[4:8, None], numbers[8:12], numbers[12:, None])


def state_of(hidden: float, cell: float) -> LayerState:
    return LayerState(torch.tensor([[hidden]], dtype=torch.float64), torch.tensor([[cell]], dtype=torch.float64))


def random_window(num_tokens: int, batch_size: int = 3) -> tuple[torch.Tensor, LayerState, LstmWeights]:
    generator = torch.Generator().manual_seed(num_tokens)
    shapes = [(num_tokens, batch_size, 4), (batch_size, 2), (batch_size, 5), (20, 4), (20, 2), (20,), (2, 5)]
    inputs, hidden, cell, *parameters = (torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    return inputs, LayerState(hidden, cell), LstmWeights(*parameters)


@pytest.mark.parametrize(("cell_clip", "projection_clip"), [(None, None), (0.3, None), (None, 0.1), (0, 0.0)])
def test_one_step_by_hand(cell_clip, projection_clip):
    weights = weights_of(0.5, -0.4, 0.9, 0.3, 0.2, 0.7, -0.6, 0.8, 0.1, -0.2, 0.3, -0.1, 1.5)
    x, h, c = 0.7, 0.2, -1.1
    i = 1 / (1 + np.exp(-(0.5 * x + 0.2 * h + 0.1)))
    f = 1 / (1 + np.exp(-(-0.4 * x + 0.7 * h - 0.2 + 1.0)))
    g = np.tanh(0.9 * x - 0.6 * h + 0.3)
    o = 1 / (1 + np.exp(-(0.3 * x + 0.8 * h - 0.1)))
    cell = f * c + i * g
    cell = np.clip(cell, -cell_clip, cell_clip) if cell_clip else cell
    hidden = 1.5 * o * np.tanh(cell)
    hidden = np.clip(hidden, -projection_clip, projection_clip) if projection_clip else hidden
    step = lstm_step(torch.tensor([[x]], dtype=torch.float64), state_of(h, c), weights, cell_clip, projection_clip)
    assert step.cell.item() == pytest.approx(cell, abs=1e-15)
    assert step.hidden.item() == pytest.approx(hidden, abs=1e-15)


def test_clip_bounds_both_sides_and_none_and_zero_mean_no_bound():
    values = torch.tensor([-2.0, 0.5, 3.0])
    assert clip(values, 1.0).tolist() == [-1.0, 0.5, 1.0]
    assert all(torch.equal(clip(values, bound), values) for bound in (None, 0, 0.0))


def test_the_window_is_its_steps_and_the_shapes_are_the_documented_ones():
    inputs, state, weights = random_window(num_tokens=6)
    states = projected_lstm(inputs, state, weights, cell_clip=0.5, projection_clip=0.4)
    assert states.hidden.shape == (6, 3, 2)
    assert states.cell.shape == (6, 3, 5)
    for step in range(6):
        state = lstm_step(inputs[step], state, weights, 0.5, 0.4)
        assert torch.equal(states.hidden[step], state.hidden)
        assert torch.equal(states.cell[step], state.cell)


def test_a_long_window_is_two_short_ones_with_the_state_between():
    inputs, state, weights = random_window(num_tokens=9)
    clips = {"cell_clip": 1.0, "projection_clip": 0.4}
    whole = projected_lstm(inputs, state, weights, **clips)
    first = projected_lstm(inputs[:4], state, weights, **clips)
    second = projected_lstm(inputs[4:], LayerState(first.hidden[-1], first.cell[-1]), weights, **clips)
    assert torch.equal(torch.cat([first.hidden, second.hidden]), whole.hidden)
    assert torch.equal(torch.cat([first.cell, second.cell]), whole.cell)


def test_a_row_that_restarts_reads_on_as_if_it_began():
    inputs, state, weights = random_window(num_tokens=7)
    restarts = torch.zeros(7, 3, dtype=torch.bool)
    restarts[0, 0] = restarts[3, 1] = True
    clips = {"cell_clip": None, "projection_clip": None}
    states = projected_lstm(inputs, state, weights, **clips, restarts=restarts)
    fresh = LayerState(torch.zeros(3, 2, dtype=torch.float64), torch.zeros(3, 5, dtype=torch.float64))
    plain = projected_lstm(inputs, state, weights, **clips)
    torch.testing.assert_close(states.hidden[:, 0], projected_lstm(inputs, fresh, weights, **clips).hidden[:, 0])
    assert torch.equal(states.hidden[:3, 1], plain.hidden[:3, 1])
    torch.testing.assert_close(states.hidden[3:, 1], projected_lstm(inputs[3:], fresh, weights, **clips).hidden[:, 1])
    assert torch.equal(states.hidden[:, 2], plain.hidden[:, 2])


def test_restart_zeroes_the_named_rows():
    state = restart(LayerState(torch.ones(3, 2), torch.ones(3, 5)), torch.tensor([True, False, True]))
    assert state.hidden.sum(dim=1).tolist() == [0, 2, 0]
    assert state.cell.sum(dim=1).tolist() == [0, 5, 0]


def layer_with_bias(bias: list[float]) -> ProjectedLstm:
    layer = ProjectedLstm(2, len(bias) // 4, 2)
    with torch.no_grad():
        layer.state_linearity.bias.copy_(torch.tensor(bias))
    return layer


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().view(torch.int32)


def test_a_state_dict_holds_one_more_in_the_forget_block_and_nowhere_else():
    layer = layer_with_bias([0.5] * 8)
    assert layer.state_dict()["state_linearity.bias"].tolist() == [0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0.5]
    assert layer.state_linearity.bias.tolist() == [0.5] * 8
    other = layer_with_bias([0.0] * 8)
    other.load_state_dict(layer.state_dict())
    assert other.state_linearity.bias.tolist() == [0.5] * 8


@given(st.lists(FINITE, min_size=8, max_size=8))
def test_a_state_dict_survives_a_fresh_layer_and_its_own_layer_keeps_every_bit(bias):
    layer = layer_with_bias(bias)
    before, saved = bits(layer.state_linearity.bias).clone(), layer.state_dict()
    fresh = layer_with_bias([0.25] * 8)
    fresh.load_state_dict(saved)
    assert torch.equal(bits(fresh.state_dict()["state_linearity.bias"]), bits(saved["state_linearity.bias"]))
    layer.load_state_dict(saved)
    assert torch.equal(bits(layer.state_linearity.bias), before)


def test_a_bias_of_another_size_is_refused_by_its_name():
    with pytest.raises(RuntimeError, match=r"size mismatch for state_linearity.bias"):
        layer_with_bias([0.0] * 8).load_state_dict(layer_with_bias([0.0] * 12).state_dict())


def test_a_missing_bias_is_refused_by_its_name():
    layer = layer_with_bias([0.0] * 8)
    state_dict = layer.state_dict()
    del state_dict["state_linearity.bias"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "state_linearity.bias"'):
        layer.load_state_dict(state_dict)


def test_a_bilm_saved_and_loaded_is_saved_alike(tmp_path):
    bilm = random_bilm(bilm_config(), dtype=torch.float32)
    save_file(bilm.state_dict(), tmp_path / "first")
    other = random_bilm(bilm_config(), seed=1, dtype=torch.float32)
    other.load_state_dict(load_file(tmp_path / "first"))
    save_file(other.state_dict(), tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_loading_what_the_same_weight_file_became_keeps_the_file_s_bits(tmp_path):
    files = COMMITTED / "clipped" / "options.json", COMMITTED / "clipped" / "weights.hdf5"
    bilm, other = read_files(*files), read_files(*files)
    bilm.load_state_dict(other.state_dict())
    for name, parameter in bilm.named_parameters():
        assert torch.equal(bits(parameter), bits(other.get_parameter(name)))


@pytest.mark.parametrize("name", ["syn1", "syn3", "syn7"])
def test_original_state_dicts(golden_folder, name):
    bilm = read_original(golden_folder, name)
    with np.load(golden_folder / "goldens_2.10.1" / name / "elmo_state_dict.npz") as theirs:
        prefix = "_elmo_lstm."
        expected = {key.removeprefix(prefix): theirs[key] for key in theirs.files if key.startswith(prefix)}
    ours = bilm.state_dict()
    assert ours.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(ours[key].numpy(), array, strict=True, err_msg=key)
    options_file, weight_file = model_files(golden_folder, name)
    again = read_hdf5(weight_file, read_options(options_file))
    again.load_state_dict({key: torch.from_numpy(array) for key, array in expected.items()})
    for key, parameter in again.named_parameters():
        assert torch.equal(bits(parameter), bits(bilm.get_parameter(key)))
