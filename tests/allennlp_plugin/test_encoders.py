"""AllenNLP's encoders with less work have its numbers, gradients and masks of dropout."""

import copy
import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

pytest.importorskip("allennlp")

from allennlp.common.checks import ConfigurationError
from allennlp.modules.augmented_lstm import AugmentedLstm
from allennlp.modules.seq2vec_encoders import CnnEncoder, PytorchSeq2VecWrapper
from allennlp.modules.token_embedders import Embedding, TokenCharactersEncoder

ORIGINAL_CHARACTERS = inspect.unwrap(TokenCharactersEncoder.forward)
ORIGINAL_LSTM = inspect.unwrap(AugmentedLstm.forward)


def gradients(module: torch.nn.Module, loss: torch.Tensor) -> list[torch.Tensor]:
    module.zero_grad()
    loss.backward()
    return [parameter.grad.clone() for parameter in module.parameters()]


def assert_close(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_what_is_compared_is_not_the_same():
    assert ORIGINAL_CHARACTERS is not TokenCharactersEncoder.forward
    assert ORIGINAL_LSTM is not AugmentedLstm.forward


# -- The characters of words --------------------------------------------------------------------------------------


def embedder(dropout: float = 0.0, **options) -> TokenCharactersEncoder:
    torch.manual_seed(0)
    encoder = CnnEncoder(embedding_dim=6, num_filters=5, ngram_filter_sizes=(2, 3), **options)
    return TokenCharactersEncoder(Embedding(embedding_dim=6, num_embeddings=20), encoder, dropout)


@given(
    words=st.lists(
        st.lists(st.lists(st.integers(1, 19), max_size=6), min_size=1, max_size=5), min_size=1, max_size=4
    ),
    output_dim=st.sampled_from([None, 4]),
    dropout=st.sampled_from([0.0, 0.5]),
)
@settings(deadline=None, max_examples=50)
def test_each_word_once_gives_the_vectors_and_gradients_of_every_word(words, output_dim, dropout):
    ids = torch.zeros(len(words), max(map(len, words)), 6, dtype=torch.long)
    for row, sentence in enumerate(words):
        for column, word in enumerate(sentence):
            ids[row, column, : len(word)] = torch.tensor(word, dtype=torch.long)
    module = embedder(dropout, output_dim=output_dim)
    found = []
    for forward in (TokenCharactersEncoder.forward, ORIGINAL_CHARACTERS):
        torch.manual_seed(1)
        vectors = forward(module, ids)
        found.append((vectors.detach(), gradients(module, vectors.sin().sum())))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=1e-6)
    assert_close(found[0][1], found[1][1])


def test_the_convolution_meets_a_word_once():
    module, met = embedder(), []
    module._encoder._module.register_forward_hook(lambda _, arguments, __: met.append(len(arguments[0])))
    module(torch.tensor([[[1, 2, 3], [4, 5, 0]], [[4, 5, 0], [4, 5, 0]]]))
    assert met == [2]


def test_another_encoder_meets_every_token_as_before():
    lstm = PytorchSeq2VecWrapper(torch.nn.LSTM(6, 5, batch_first=True))
    module, met = TokenCharactersEncoder(Embedding(embedding_dim=6, num_embeddings=20), lstm), []
    lstm.register_forward_hook(lambda _, arguments, __: met.append(len(arguments[0])))
    module(torch.tensor([[[1, 2, 3], [4, 5, 0]], [[4, 5, 0], [4, 5, 0]]]))
    assert met == [4]


# -- The LSTM with highway connections ----------------------------------------------------------------------------


def both(module: AugmentedLstm, inputs: PackedSequence, states=None) -> list[tuple]:
    """Of each way all that comes out, and all gradients, of the outputs and of the last states."""
    found = []
    for forward in (AugmentedLstm.forward, ORIGINAL_LSTM):
        data = inputs.data.detach().clone().requires_grad_()
        given = None if states is None else [state.clone().requires_grad_() for state in states]
        torch.manual_seed(1)
        outputs, last = forward(module, PackedSequence(data, inputs.batch_sizes), given)
        loss = outputs.data.sin().sum() + last[0].cos().sum() + last[1].sin().sum()
        grads = [*gradients(module, loss), data.grad, *([] if given is None else [state.grad for state in given])]
        found.append(([outputs.data.detach(), *(state.detach() for state in last)], grads))
        assert torch.equal(outputs.batch_sizes, inputs.batch_sizes)
    return found


@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    go_forward=st.booleans(),
    use_highway=st.booleans(),
    use_bias=st.booleans(),
    dropout=st.sampled_from([0.0, 0.3]),
    is_training=st.booleans(),
    has_states=st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_the_input_of_all_steps_at_once_gives_the_same(
    lengths, go_forward, use_highway, use_bias, dropout, is_training, has_states
):
    torch.manual_seed(0)
    module = AugmentedLstm(3, 4, go_forward, dropout, use_highway, use_bias).train(is_training)
    ordered = sorted(lengths, reverse=True)
    inputs = pack_padded_sequence(torch.randn(len(ordered), ordered[0], 3), torch.tensor(ordered), batch_first=True)
    states = [torch.randn(1, len(ordered), 4) for _ in range(2)] if has_states else None
    (ours, our_gradients), (theirs, their_gradients) = both(module, inputs, states)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert_close(our_gradients, their_gradients)


def test_mixed_precision_is_taken_as_before():
    module = AugmentedLstm(3, 4)
    inputs = pack_sequence([torch.randn(3, 3), torch.randn(2, 3)])
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = AugmentedLstm.forward(module, inputs), ORIGINAL_LSTM(module, inputs)
    torch.testing.assert_close(ours[0].data.float(), theirs[0].data.float(), rtol=0, atol=0.02)


def test_masks_are_drawn_as_before_so_that_what_follows_them_is_the_same():
    module = AugmentedLstm(3, 4, recurrent_dropout_probability=0.3).eval()
    inputs = pack_sequence([torch.randn(3, 3)])
    drawn = []
    for forward in (AugmentedLstm.forward, ORIGINAL_LSTM):
        torch.manual_seed(1)
        forward(module, inputs)
        drawn.append(torch.rand(1))
    assert drawn[0] == drawn[1]


def test_rows_that_were_sorted_on_the_way_and_wrong_inputs_go_the_old_way():
    module = AugmentedLstm(3, 4)
    with pytest.raises(ConfigurationError, match="must be PackedSequence"):
        module(torch.randn(2, 3, 3))
    rows = [torch.randn(length, 3) for length in (3, 3)]
    unsorted = pack_sequence(rows, enforce_sorted=False)
    ours, _ = copy.deepcopy(module)(unsorted)
    theirs, _ = ORIGINAL_LSTM(module, unsorted)
    assert torch.equal(ours.data, theirs.data)
