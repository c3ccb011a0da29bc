"""The state of batch rows from call to call, as AllenNLP carries it."""

import numpy as np
import pytest
import torch

from originals import COMMITTED, COMMITTED_MODELS, close, committed_texts, read_committed, state_close
from pytorch_elmo.elmo.carried_state import CarriedState
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.text import batch_to_ids


@pytest.fixture
def lstm():
    return read_committed("clipped").lstm


def numbered(lstm, batch_size: int, value: float) -> LstmState:
    """A state of which row r holds `value` + r."""
    rows = value + torch.arange(float(batch_size))[None, :, None]
    return LstmState(*(zeros + rows for zeros in lstm.zero_state(batch_size)))


def rows_of(state: LstmState) -> list[float]:
    """What each row holds, the same number everywhere."""
    for part in state:
        assert torch.equal(part, part[:1, :, :1].expand_as(part))
    assert torch.equal(state.hidden[0, :, 0], state.cell[0, :, 0])
    return state.hidden[0, :, 0].tolist()


def test_original_scenarios(assert_parity):
    assert_parity("checks.bilm.check_states")


def test_original_rows_without_tokens(assert_parity):
    assert_parity("checks.bilm.check_masked_rows")


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_calls(name):
    """Rows appear, wait while a smaller batch runs, and go on; one of them is empty."""
    bilm, texts, carried = read_committed(name), committed_texts(), CarriedState()
    assert len(texts["stateful_calls"]) == 5
    with np.load(COMMITTED / name / "stateful.npz") as theirs:
        for number, batch in enumerate(texts["stateful_calls"]):
            sentences = texts["batches"][batch]
            output = bilm(batch_to_ids(sentences), carried.rows(bilm.lstm, len(sentences)))
            carried.update(output.state)
            close(output.layer_activations, theirs[f"call{number}__layer_activations"])
            hidden, cell = theirs[f"call{number}__state_hidden"], theirs[f"call{number}__state_cell"]
            state_close(carried.state, hidden, cell)


def test_rows_begin_as_zeros(lstm):
    carried = CarriedState()
    assert carried.state is None
    assert rows_of(carried.rows(lstm, 2)) == [0.0, 0.0]


def test_a_larger_batch_adds_rows_of_zeros(lstm):
    carried = CarriedState()
    carried.update(numbered(lstm, 2, 10.0))
    assert rows_of(carried.rows(lstm, 4)) == [10.0, 11.0, 0.0, 0.0]
    assert rows_of(carried.state) == [10.0, 11.0]


def test_a_smaller_batch_leaves_the_other_rows(lstm):
    carried = CarriedState()
    carried.update(numbered(lstm, 4, 10.0))
    assert rows_of(carried.rows(lstm, 2)) == [10.0, 11.0]
    carried.update(numbered(lstm, 2, 20.0))
    assert rows_of(carried.state) == [20.0, 21.0, 12.0, 13.0]


def test_a_reset_of_all_rows(lstm):
    carried = CarriedState()
    carried.update(numbered(lstm, 2, 10.0))
    carried.reset()
    assert carried.state is None
    assert rows_of(carried.rows(lstm, 2)) == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32])
def test_a_reset_of_some_rows(lstm, dtype):
    carried = CarriedState()
    carried.update(numbered(lstm, 3, 10.0))
    carried.reset(torch.tensor([1, 0, 1]).to(dtype))
    assert rows_of(carried.state) == [0.0, 11.0, 0.0]


def test_a_reset_before_any_call_has_nothing_to_forget():
    carried = CarriedState()
    carried.reset(torch.tensor([True]))
    carried.reset()
    assert carried.state is None


def test_a_mask_of_another_length_is_refused(lstm):
    carried = CarriedState()
    carried.update(numbered(lstm, 3, 10.0))
    with pytest.raises(ConfigurationError, match=r"one entry per carried row \(3\), got 2"):
        carried.reset(torch.tensor([True, False]))


def test_the_state_follows_the_network_s_dtype(lstm):
    carried = CarriedState()
    carried.update(numbered(lstm, 2, 10.0))
    rows = carried.rows(lstm.double(), 1)
    assert rows.hidden.dtype == rows.cell.dtype == torch.float64
    carried.update(rows)
    assert rows_of(carried.state) == [10.0, 11.0]
