"""PyTorch's LSTM by the other way back: its outputs, gradients, masks of dropout, and when it is not taken."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

pytest.importorskip("allennlp")

from allennlp.modules.seq2seq_encoders import PytorchSeq2SeqWrapper
from allennlp.modules.seq2vec_encoders import PytorchSeq2VecWrapper

from pytorch_elmo.allennlp_plugin import packed_lstm
from pytorch_elmo.allennlp_plugin.packed_lstm import run, suits


def everything(module: nn.LSTM, call, inputs: PackedSequence, states) -> tuple[list, list]:
    """What comes out, and the gradients of inputs, states and parameters of a sum over all of it."""
    data = inputs.data.detach().clone().requires_grad_()
    given = None if states is None else tuple(state.clone().requires_grad_() for state in states)
    module.zero_grad()
    torch.manual_seed(1)
    outputs, (hidden, memory) = call(PackedSequence(data, inputs.batch_sizes), given)
    (outputs.data.sin().sum() + hidden.cos().sum() + memory.sin().sum()).backward()
    assert torch.equal(outputs.batch_sizes, inputs.batch_sizes)
    gradients = [data.grad, *(state.grad for state in given or ()), *(each.grad for each in module.parameters())]
    return [outputs.data.detach(), hidden.detach(), memory.detach()], [gradient.clone() for gradient in gradients]


@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    dropout=st.sampled_from([0.0, 0.4]),
    is_training=st.booleans(),
    has_states=st.booleans(),
)
@settings(deadline=None, max_examples=100)
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_outputs_states_and_gradients_are_pytorchs(
    lengths, num_layers, bidirectional, bias, dropout, is_training, has_states
):
    torch.manual_seed(0)
    module = nn.LSTM(3, 4, num_layers, bias, dropout=dropout, bidirectional=bidirectional).train(is_training)
    ordered = sorted(lengths, reverse=True)
    inputs = pack_padded_sequence(torch.randn(len(ordered), ordered[0], 3), torch.tensor(ordered), batch_first=True)
    shape = (num_layers * (1 + bidirectional), len(ordered), 4)
    states = (torch.randn(shape), torch.randn(shape)) if has_states else None
    ours, our_gradients = everything(module, lambda *given: run(module, *given), inputs, states)
    theirs, their_gradients = everything(module, module, inputs, states)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    for one, other in zip(our_gradients, their_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    module = nn.LSTM(2, 3, bidirectional=True, dtype=torch.float64)
    packed = pack_sequence([torch.randn(length, 2, dtype=torch.float64) for length in (4, 2, 1)])

    def outputs(data: torch.Tensor) -> torch.Tensor:
        found, (hidden, memory) = run(module, PackedSequence(data, packed.batch_sizes))
        return torch.cat([found.data.flatten(), hidden.flatten(), memory.flatten()])

    assert torch.autograd.gradcheck(outputs, packed.data.clone().requires_grad_())


def test_frozen_parameters_get_no_gradient_and_let_those_below_have_theirs():
    module = nn.LSTM(3, 4).requires_grad_(False)
    packed = pack_sequence([torch.randn(3, 3)])
    data = packed.data.clone().requires_grad_()
    run(module, PackedSequence(data, packed.batch_sizes))[0].data.sum().backward()
    assert data.grad is not None
    assert all(parameter.grad is None for parameter in module.parameters())


# -- When it is taken --------------------------------------------------------------------------------------------


class _Derived(nn.LSTM):
    """May compute anything."""


def _with_hook() -> nn.LSTM:
    module = nn.LSTM(3, 4)
    module.register_forward_hook(lambda *_: None)
    return module


def packed_sequences(*lengths: int) -> PackedSequence:
    return pack_sequence([torch.randn(length, 3) for length in lengths])


def test_it_stands_for_a_plain_lstm_that_is_trained_on_sequences_of_different_lengths():
    packed = packed_sequences(3, 2)
    assert suits(nn.LSTM(3, 4), packed)
    assert not suits(nn.LSTM(3, 4), packed_sequences(3, 3))
    assert not suits(nn.LSTM(3, 4), packed_sequences(3))
    with torch.no_grad():
        assert not suits(nn.LSTM(3, 4), packed)
    with torch.autocast("cpu", torch.bfloat16):
        assert not suits(nn.LSTM(3, 4), packed)


@pytest.mark.parametrize(
    "module",
    [nn.GRU(3, 4), nn.LSTM(3, 4, proj_size=2), nn.LSTM(3, 4, dtype=torch.float64), _Derived(3, 4), _with_hook()],
    ids=["gru", "projected", "double", "derived", "hooked"],
)
def test_other_modules_go_pytorchs_way(module):
    assert not suits(module, packed_sequences(3, 2))


@pytest.mark.parametrize(
    ("wrapper", "options"),
    [(PytorchSeq2SeqWrapper, {}), (PytorchSeq2SeqWrapper, {"stateful": True}), (PytorchSeq2VecWrapper, {})],
)
def test_allennlps_encoders_take_it_and_give_what_they_gave(monkeypatch, wrapper, options):
    found, calls = [], []
    for is_taken in (True, False):
        monkeypatch.setattr(packed_lstm, "suits", lambda *given, taken=is_taken: taken and suits(*given))
        monkeypatch.setattr(packed_lstm, "run", lambda *given: calls.append(1) or run(*given))
        torch.manual_seed(0)
        encoder = wrapper(nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True), **options)
        mask = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 0, 0]], dtype=torch.bool)
        for _ in range(2):
            vectors = encoder(torch.randn(3, 3, 3), mask)
        vectors.sin().sum().backward()
        found.append([vectors.detach(), *(parameter.grad for parameter in encoder.parameters())])
    assert len(calls) == 2
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
