"""A biLM inside a task model's state dict: found by its names, and brought back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pytorch_elmo.elmo import Elmo
from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.weights.fine_tuned import bilm_from_state_dict, cached_words, find_bilm, first_difference
from random_models import CONFIGS, bilm_config, random_bilm

FLOAT32 = st.floats(-20, 20, width=32)


class Tagger(nn.Module):
    """Two representations of one ELMo, and something above."""

    def __init__(self, bilm) -> None:
        super().__init__()
        self.embedder = Elmo(None, None, 2, module=bilm)
        self.tags = nn.Linear(8, 3)


@pytest.fixture
def bilm():
    return random_bilm(bilm_config(), dtype=torch.float32)


@given(CONFIGS)
def test_all_but_the_forget_biases_come_back_bit_for_bit(config):
    bilm = random_bilm(config, dtype=torch.float32)
    prefix, tensors = find_bilm(Tagger(bilm).state_dict(), "it")
    assert prefix == "embedder._elmo_lstm."
    again = bilm_from_state_dict(tensors, config, "it")
    assert not again.training
    for name, parameter in again.named_parameters():
        assert not parameter.requires_grad
        if name.endswith("state_linearity.bias"):
            torch.testing.assert_close(parameter, bilm.get_parameter(name), rtol=0, atol=2e-7)
        else:
            assert torch.equal(parameter, bilm.get_parameter(name))


@given(FLOAT32)
def test_how_far_a_forget_bias_can_move(number):
    """What stands in the state dict, the constant included, before and after."""
    config = bilm_config(num_lstm_layers=1, cell_size=1)
    tensors = {name: torch.zeros_like(tensor) for name, tensor in random_bilm(config).state_dict().items()}
    name = "_elmo_lstm.forward_layer_0.state_linearity.bias"
    tensors[name] = torch.tensor([0.0, number, 0.0, 0.0])
    again = bilm_from_state_dict(tensors, config, "it").state_dict()[name]
    assert abs(again[1].item() - number) <= max(6e-8, 1.2e-7 * abs(number))


def test_a_state_dict_of_a_bilm_alone(bilm):
    prefix, tensors = find_bilm(bilm.state_dict(), "it")
    assert prefix == ""
    assert tensors.keys() == bilm.state_dict().keys()


def test_one_that_is_used_twice_is_one(bilm):
    both = {f"{name}.{key}": tensor for name in ("a", "b") for key, tensor in bilm.state_dict().items()}
    assert find_bilm(both, "it")[0] == "a."


def test_two_with_different_numbers(bilm):
    other = random_bilm(bilm_config(), seed=1, dtype=torch.float32)
    both = {f"a.{key}": tensor for key, tensor in bilm.state_dict().items()}
    both |= {f"b._elmo.{key}": tensor for key, tensor in other.state_dict().items()}
    message = r"it holds 2 biLMs with different numbers: 'a', 'b\._elmo'; choose one with --prefix"
    with pytest.raises(ConfigurationError, match=message):
        find_bilm(both, "it")
    for prefix in ("b._elmo", "b._elmo."):
        name, tensors = find_bilm(both, "it", prefix)
        assert name == "b._elmo."
        assert torch.equal(
            tensors["_token_embedder._projection.bias"], other.state_dict()["_token_embedder._projection.bias"]
        )
    with pytest.raises(ConfigurationError, match=r"it: no biLM is called 'c', there are 'a', 'b\._elmo'; name one"):
        find_bilm(both, "it", "c")


def test_none():
    with pytest.raises(
        WeightsError, match=r"it holds no biLM: none of its 1 tensors is called …_token_embedder\._char"
    ):
        find_bilm({"a_token_embedder._char_embedding_weights": torch.ones(1)}, "it")


def test_words_that_are_cached_are_no_part_of_it(bilm):
    tensors = {f"a.{key}": tensor for key, tensor in bilm.state_dict().items()}
    assert cached_words(tensors, "a.") is None
    tensors["a._word_embedding.weight"] = torch.ones(3, 4)
    assert cached_words(tensors, "a.") == "a._word_embedding.weight"
    assert "_word_embedding.weight" not in find_bilm(tensors, "it")[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.pop("_elmo_lstm.forward_layer_1.state_projection.weight"),
            "the biLM misses _elmo_lstm.forward_layer_1.state_projection.weight, which its options promise",
        ),
        (
            lambda t: t.update({"_token_embedder.char_conv_2.bias": torch.ones(1)}),
            r"the biLM has _token_embedder\.char_conv_2\.bias, for which its options have no place",
        ),
        (
            lambda t: t.update({"_token_embedder._projection.bias": torch.ones(5)}),
            r"_token_embedder\._projection\.bias has shape \(5,\), the options promise \(4,\)",
        ),
    ],
)
def test_other_architectures(bilm, change, message):
    tensors = bilm.state_dict()
    assert first_difference(tensors, bilm.config) is None
    change(tensors)
    with pytest.raises(WeightsError, match=f"it: {message}; name the options file of this model with --options-file"):
        bilm_from_state_dict(tensors, bilm.config, "it")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none(bilm, number):
    tensors = bilm.state_dict()
    tensors["_token_embedder._projection.bias"] = torch.full((4,), number)
    with pytest.raises(
        WeightsError, match=r"it: _token_embedder\._projection\.bias holds NaN or infinity; convert a"
    ):
        bilm_from_state_dict(tensors, bilm.config, "it")
