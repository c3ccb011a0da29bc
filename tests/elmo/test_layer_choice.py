"""Which layers a user gets."""

import numpy as np
import pytest
import torch

from pytorch_elmo.elmo.layer_choice import choose_layers
from pytorch_elmo.errors import ConfigurationError

VECTORS = torch.arange(24.0).view(3, 2, 4)


@pytest.mark.parametrize(
    ("layers", "expected", "description"),
    [
        ("all", VECTORS, "all"),
        ("top", VECTORS[2], "top"),
        ("average", (VECTORS[0] + VECTORS[1] + VECTORS[2]) / 3, "average"),
        (0, VECTORS[0], "layer 0"),
        (2, VECTORS[2], "layer 2"),
        (-1, VECTORS[2], "layer 2"),
        (-3, VECTORS[0], "layer 0"),
        (np.int64(1), VECTORS[1], "layer 1"),
        ([0.5, 0.0, -2.0], 0.5 * VECTORS[0] - 2.0 * VECTORS[2], "mix [0.5, 0.0, -2.0]"),
        ((0, 1, 0), VECTORS[1], "mix [0.0, 1.0, 0.0]"),
        (torch.tensor([0.0, 0.0, 1.0]), VECTORS[2], "mix [0.0, 0.0, 1.0]"),
    ],
)
def test_values_and_descriptions(layers, expected, description):
    choice = choose_layers(layers, 3)
    chosen = choice(VECTORS)
    torch.testing.assert_close(chosen, expected, rtol=0, atol=1e-5)
    assert choice.description == description
    assert choice.keeps_layers == (chosen.ndim == 3)


def test_a_sentence_without_tokens_keeps_its_axes():
    none = VECTORS[:, :0]
    assert choose_layers("all", 3)(none).shape == (3, 0, 4)
    for layers in ("top", "average", 1, [1.0, 1.0, 1.0]):
        assert choose_layers(layers, 3)(none).shape == (0, 4)


@pytest.mark.parametrize("layers", ["upper", "", "All"])
def test_another_word(layers):
    rule = "layers is all, top, average, a layer's number, or one weight per layer, got "
    with pytest.raises(ConfigurationError, match=f"{rule}{layers!r}"):
        choose_layers(layers, 3)


@pytest.mark.parametrize("layers", [3, -4])
def test_a_layer_that_is_not_there(layers):
    with pytest.raises(ConfigurationError, match=f"layers are counted from 0 to 2, got {layers}"):
        choose_layers(layers, 3)


@pytest.mark.parametrize("layers", [[], [1.0], [1.0] * 4])
def test_not_one_weight_per_layer(layers):
    with pytest.raises(ConfigurationError, match=rf"a mix needs one weight per layer \(3\), got {len(layers)}"):
        choose_layers(layers, 3)
