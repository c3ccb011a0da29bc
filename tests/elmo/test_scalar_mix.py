"""One mixture of layers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pytorch_elmo.elmo import ScalarMix
from pytorch_elmo.elmo.scalar_mix import layer_norm
from pytorch_elmo.errors import ConfigurationError
from reference.scalar_mix import scalar_mix, scalar_mix_with_layer_norm

NUMBERS = st.floats(-5.0, 5.0)
MIXES = st.integers(1, 4).flatmap(lambda size: st.tuples(st.lists(NUMBERS, min_size=size, max_size=size), NUMBERS))
LENGTHS = st.lists(st.integers(0, 4), min_size=1, max_size=3).filter(any)


def random_layers(count: int, lengths: list[int], seed: int = 0) -> tuple[list[Tensor], Tensor]:
    """float64 layers (batch_size, num_tokens, 3) and their mask."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths), 3)
    mask = torch.arange(shape[1]) < torch.tensor(lengths).unsqueeze(-1)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)], mask


def mix_of(scalars: list[float], gamma: float, *, do_layer_norm: bool = False) -> ScalarMix:
    mix = ScalarMix(len(scalars), do_layer_norm, scalars).double()
    torch.nn.init.constant_(mix.gamma, gamma)
    with torch.no_grad():
        for parameter, scalar in zip(mix.scalar_parameters, scalars, strict=True):
            parameter.fill_(scalar)  # the constructor rounded it to float32
    return mix


def test_original_outputs_and_gradients(assert_parity):
    assert_parity("checks.elmo.check_scalar_mix")


@given(MIXES, LENGTHS)
def test_outputs_of_the_slow_reference(mix, lengths):
    scalars, gamma = mix
    layers, mask = random_layers(len(scalars), lengths)
    arrays = np.stack(layers)
    expected = scalar_mix(arrays, np.array(scalars), gamma)
    np.testing.assert_allclose(mix_of(scalars, gamma)(layers).detach(), expected, rtol=0, atol=1e-12)
    normed = scalar_mix_with_layer_norm(arrays, np.array(scalars), gamma, mask.numpy())
    ours = mix_of(scalars, gamma, do_layer_norm=True)(layers, mask).detach()
    np.testing.assert_allclose(ours, normed, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("do_layer_norm", [False, True])
def test_gradients_are_those_of_finite_differences(do_layer_norm):
    layers, mask = random_layers(3, [2, 3])
    mix = mix_of([0.2, -0.4, 0.9], 1.25, do_layer_norm=do_layer_norm)
    variables = [layer.requires_grad_() for layer in layers]
    assert torch.autograd.gradcheck(lambda *tensors: mix(tensors, mask), variables)
    learned = [mix.gamma, *mix.scalar_parameters]
    mix(layers, mask).sum().backward()
    assert all(parameter.grad.any() for parameter in learned)


def test_a_fresh_mix_is_the_mean():
    layers, _ = random_layers(3, [2, 4])
    mix = ScalarMix(3).double()
    torch.testing.assert_close(mix(layers), torch.stack(layers).mean(dim=0), rtol=0, atol=1e-7)
    assert mix.weights.tolist() == pytest.approx([1 / 3] * 3)


def test_a_very_small_scalar_leaves_its_layer_out():
    layers, _ = random_layers(3, [2])
    assert torch.equal(ScalarMix(3, initial_scalar_parameters=[-9e10, 1.0, -9e10]).double()(layers), layers[1])


def test_weights_are_the_normalised_scalars():
    mix = ScalarMix(2, initial_scalar_parameters=[0.0, 0.6931472])
    assert mix.weights.tolist() == pytest.approx([1 / 3, 2 / 3])
    assert mix.weights.shape == (2,)


@pytest.mark.parametrize("trainable", [False, True])
def test_gamma_is_frozen_with_the_scalars(trainable):
    mix = ScalarMix(2, trainable=trainable)
    assert [name for name, _ in mix.named_parameters()] == ["gamma", "scalar_parameters.0", "scalar_parameters.1"]
    assert {parameter.requires_grad for parameter in mix.parameters()} == {trainable}
    assert {tuple(parameter.shape) for parameter in mix.parameters()} == {(1,)}


def test_layer_norm_has_one_mean_and_one_variance_for_all_visible_values():
    (layer,), mask = random_layers(1, [1, 4, 2])
    visible = layer_norm(layer, mask)[mask]
    assert float(visible.mean()) == pytest.approx(0.0, abs=1e-12)
    assert float(visible.var(correction=0)) == pytest.approx(1.0, rel=1e-9)
    hand = layer_norm(torch.tensor([[[1.0], [3.0], [100.0]]]), torch.tensor([[True, True, False]]))
    assert hand.flatten().tolist() == pytest.approx([-1.0, 1.0, 98.0])


@given(LENGTHS, st.floats(-1e3, 1e3))
def test_layer_norm_does_not_see_padding(lengths, anything):
    (layer,), mask = random_layers(1, lengths)
    other = layer.masked_fill(~mask.unsqueeze(-1), anything)
    assert torch.equal(layer_norm(layer, mask)[mask], layer_norm(other, mask)[mask])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_layer_norm_of_equal_values_is_finite(dtype):
    normed = layer_norm(torch.full((1, 2, 3), 2.0, dtype=dtype), torch.tensor([[True, True]]))
    assert normed.dtype == dtype
    assert normed.isfinite().all()


def test_one_initial_number_per_layer():
    with pytest.raises(ConfigurationError, match=r"one number per layer \(3\), got 2: \[0.0, 1.0\]; leave it out"):
        ScalarMix(3, initial_scalar_parameters=[0.0, 1.0])


def test_as_many_layers_as_the_mix_has():
    layers, _ = random_layers(2, [1])
    with pytest.raises(
        ConfigurationError, match="this mix takes 3 layers, got 2; build it for as many as the biLM has"
    ):
        ScalarMix(3)(layers)


def test_layer_norm_needs_a_mask():
    layers, _ = random_layers(2, [1])
    with pytest.raises(ConfigurationError, match="needs a mask, got None; pass mask="):
        ScalarMix(2, do_layer_norm=True)(layers)
