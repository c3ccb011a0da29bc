"""Highway layers against their equation."""

import torch

from pytorch_elmo.model.highway import Highway


def test_each_layer_mixes_its_input_with_a_transform_of_it():
    torch.manual_seed(0)
    highway, x = Highway(4, 2).double(), torch.randn(3, 2, 4, dtype=torch.float64)
    expected = x
    for layer in highway._layers:
        W, b = layer.weight, layer.bias
        transform = torch.relu(expected @ W[:4].T + b[:4])
        gate = 1 / (1 + torch.exp(-(expected @ W[4:].T + b[4:])))
        expected = gate * expected + (1 - gate) * transform
    assert highway(x).shape == x.shape
    torch.testing.assert_close(highway(x), expected, rtol=0, atol=1e-14)


def test_no_layer_changes_nothing():
    x = torch.randn(3, 4)
    assert torch.equal(Highway(4, 0)(x), x)


def test_a_gate_that_is_open_carries_the_input():
    highway, x = Highway(4, 1), torch.randn(3, 4)
    with torch.no_grad():
        highway._layers[0].bias[4:] = 1e4
    assert torch.equal(highway(x), x)
