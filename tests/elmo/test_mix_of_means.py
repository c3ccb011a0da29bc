"""A mix of means is the mean of the mix."""

from pathlib import Path

import pytest
import torch

from pytorch_elmo.elmo.mix_of_means import MixOfMeans
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.elmo.sentence_layer import ElmoSentenceLayer
from pytorch_elmo.errors import ConfigurationError

ALICE = Path(__file__).parents[2] / "docs" / "demo" / "alice" / "chapter_12.txt"


def test_mix_and_mean_commute_on_real_text():
    """Up to rounding, with the model in the package."""
    mix = ScalarMix(3, initial_scalar_parameters=[0.5, -0.2, 0.9])
    layer = ElmoSentenceLayer.from_pretrained()
    layer.scalar_mix = mix
    sentences = [" ".join(line.split()[:150]) for line in ALICE.read_text("utf-8").splitlines() if line.strip()][:24]
    assert len(sentences) == 24
    outputs = layer.from_sentences(sentences)
    counts = outputs["sequence_len"].unsqueeze(1)
    layers = [outputs["word_emb"].repeat(1, 1, 2), outputs["lstm_outputs1"], outputs["lstm_outputs2"]]
    means = torch.stack([values.sum(dim=1) / counts for values in layers], dim=1)
    torch.testing.assert_close(MixOfMeans(3, mix)(means), outputs["default"], rtol=0, atol=1e-6)


def test_its_scalars_learn():
    module = MixOfMeans(3)
    means = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module(means), means.mean(dim=1))
    module(means).square().sum().backward()
    assert sum(parameter.numel() for parameter in module.parameters()) == 4
    assert all(parameter.grad.abs() > 0 for parameter in module.parameters())


def test_half_precision_is_widened():
    means = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0)).half()
    mixed = MixOfMeans(3)(means)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, means.float().mean(dim=1))


def test_other_layers_are_refused():
    with pytest.raises(ConfigurationError, match="takes 3 layers, got 2"):
        MixOfMeans(3)(torch.zeros(5, 2, 4))
    with pytest.raises(ConfigurationError, match=r"\(batch_size, num_layers, dim\), got \(5, 4\); keep all"):
        MixOfMeans(3)(torch.zeros(5, 4))
