"""ELMo over sentences: inputs, outputs and trained numbers of the hub's module."""

import pytest
import torch
from torch import nn

from pytorch_elmo import Elmo, batch_to_ids
from pytorch_elmo.elmo.pooling import mean_over_tokens
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.elmo.sentence_layer import ElmoSentenceLayer
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.model import BiLM
from pytorch_elmo.text.characters import words_to_ids
from random_models import bilm_config, random_bilm

SENTENCES = ["the sea  at night ", "", "x"]
TOKENS = [["the", "sea", "at", "night"], [], ["x"]]
SCALARS = [0.3, -0.7, 1.1]
ORIGINAL = bilm_config(filters=((1, 4), (2, 4)), cell_size=8, projection_size=512, cell_clip=3.0, projection_clip=3.0)


def layer_of(bilm: BiLM, **arguments) -> ElmoSentenceLayer:
    mix = ScalarMix(bilm.config.num_layers, initial_scalar_parameters=SCALARS)
    with torch.no_grad():
        mix.gamma.fill_(1.7)
    return ElmoSentenceLayer(bilm, scalar_mix=mix, **arguments)


@pytest.fixture
def layer(small_model):
    return layer_of(small_model)


def test_outputs_are_the_layers_their_mix_and_its_mean(layer, small_model):
    outputs = layer.from_sentences(SENTENCES)
    assert list(outputs) == ["default", "elmo", "word_emb", "lstm_outputs1", "lstm_outputs2", "sequence_len"]
    dim = layer.get_output_dim()
    shapes = {name: tuple(values.shape) for name, values in outputs.items()}
    assert shapes == {
        "default": (3, dim),
        "elmo": (3, 4, dim),
        "word_emb": (3, 4, dim // 2),
        "lstm_outputs1": (3, 4, dim),
        "lstm_outputs2": (3, 4, dim),
        "sequence_len": (3,),
    }
    assert outputs["sequence_len"].tolist() == [4, 0, 1]

    elmo = Elmo(None, None, 1, module=small_model, dropout=0.0, scalar_mix_parameters=SCALARS)
    expected = elmo(batch_to_ids(TOKENS))
    mixed = expected["elmo_representations"][0] * 1.7
    torch.testing.assert_close(outputs["elmo"], mixed, rtol=0, atol=1e-6)
    torch.testing.assert_close(outputs["default"], mean_over_tokens(mixed, expected["mask"]), rtol=0, atol=1e-6)
    assert not outputs["default"][1].any()
    assert torch.equal(layer(SENTENCES), outputs["default"])

    shares = torch.softmax(torch.tensor(SCALARS), dim=0) * 1.7
    word = outputs["word_emb"].repeat(1, 1, 2)
    again = shares[0] * word + shares[1] * outputs["lstm_outputs1"] + shares[2] * outputs["lstm_outputs2"]
    torch.testing.assert_close(again, outputs["elmo"], rtol=0, atol=1e-6)


def test_a_sentence_does_not_depend_on_the_others(layer):
    together = layer(SENTENCES)
    alone = torch.cat([layer([sentence]) for sentence in SENTENCES])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


def test_padded_tokens_are_sentences_too(layer):
    padded = [["the", "sea", "at", "night", ""], ["", "", "", "", ""], ["x", "y", "", "", ""]]
    outputs = layer.from_tokens(padded, torch.tensor([4, 0, 1]))
    expected = layer.from_sentences(SENTENCES)
    assert outputs["elmo"].shape == (3, 5, layer.get_output_dim())
    for name, values in expected.items():
        ours = outputs[name][:, :4] if values.ndim == 3 else outputs[name]
        torch.testing.assert_close(ours, values, rtol=0, atol=1e-6)
    assert not outputs["elmo"][:, 4].any()
    inner = layer.from_tokens([["a", "", "b"]], [3])  # an empty word within the sentence is a token
    assert inner["sequence_len"].tolist() == [3]
    assert inner["elmo"][0].any(dim=1).all()


def test_only_spaces_split(layer):
    assert layer.from_sentences(["a\tb\u00a0c\nd e"])["sequence_len"].tolist() == [2]


@pytest.mark.parametrize("sentences", [[], ["", ""]])
def test_batches_without_tokens(layer, sentences):
    outputs = layer.from_sentences(sentences)
    assert outputs["default"].shape == (len(sentences), layer.get_output_dim())
    assert outputs["elmo"].shape == (len(sentences), 0, layer.get_output_dim())
    assert not outputs["default"].any()
    assert layer.from_tokens([], [])["default"].shape == (0, layer.get_output_dim())


def test_four_numbers_learn_and_nothing_else(layer):
    trained = {
        name: tuple(parameter.shape) for name, parameter in layer.named_parameters() if parameter.requires_grad
    }
    scalars = {f"scalar_mix.scalar_parameters.{number}": (1,) for number in range(3)}
    assert trained == {**scalars, "scalar_mix.gamma": (1,)}
    layer(SENTENCES).square().sum().backward()
    with_gradients = {name for name, parameter in layer.named_parameters() if parameter.grad is not None}
    assert with_gradients == set(trained)
    assert all(layer.get_parameter(name).grad.abs() > 0 for name in trained)


def test_the_tutorials_model_has_262661_trained_numbers():
    """On a network of the original's output, 1,024 dimensions; its inner sizes are not trained."""
    layer = ElmoSentenceLayer(random_bilm(ORIGINAL, dtype=torch.float32))
    head = nn.Sequential(nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 1))
    model = nn.Sequential(layer, head)
    assert sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad) == 262_661
    outputs = layer.from_sentences(["one two", "three"])
    assert outputs["default"].shape == (2, 1024)
    assert outputs["word_emb"].shape == (2, 2, 512)
    assert model(["one two", "three"]).shape == (2, 1)


def test_padding_in_the_mean_counts_the_empty_words_vectors(small_model, layer):
    older = layer_of(small_model, padding_in_mean=True)
    outputs, masked = older.from_sentences(SENTENCES), layer.from_sentences(SENTENCES)
    token = small_model.character_encoder.encode_words(torch.from_numpy(words_to_ids([""])))[0].repeat(2)
    padding = 1.7 * torch.softmax(torch.tensor(SCALARS), dim=0)[0] * token
    torch.testing.assert_close(outputs["elmo"][2, 1:], padding.expand(3, -1), rtol=0, atol=1e-6)
    torch.testing.assert_close(outputs["default"][0], masked["default"][0], rtol=0, atol=1e-6)  # nothing is padded
    expected = masked["elmo"][2].sum(dim=0) + 3 * padding  # over one token
    torch.testing.assert_close(outputs["default"][2], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(older(["x"])[0], masked["default"][2], rtol=0, atol=1e-6)
    for name in ("word_emb", "lstm_outputs1", "lstm_outputs2", "sequence_len"):
        assert torch.equal(outputs[name], masked[name])


def test_double_precision_runs_too():
    bilm = random_bilm(bilm_config())
    ours = layer_of(bilm).double()(SENTENCES)
    rounded = layer_of(bilm.float())(SENTENCES)
    assert ours.dtype == torch.float64
    torch.testing.assert_close(ours.float(), rounded, rtol=0, atol=1e-5)


def test_the_packaged_model():
    layer = ElmoSentenceLayer.from_pretrained()
    assert layer(["a movie", "another one"]).shape == (2, layer.get_output_dim())


@pytest.mark.parametrize("sentences", ["one sentence", [["a"]], [None]])
def test_what_is_no_list_of_strings_is_refused(layer, sentences):
    with pytest.raises(TextError, match=r"sentences are several strings, got .*put one into a list"):
        layer(sentences)


@pytest.mark.parametrize("tokens", ["ab", ["ab", "cd"]])
def test_a_string_is_no_row_of_tokens(layer, tokens):
    with pytest.raises(TextError, match="a sentence is a list of tokens, got the string 'ab'"):
        layer.from_tokens(tokens, [2, 2])


def test_tokens_that_do_not_fit_their_lengths_are_refused(layer):
    with pytest.raises(TextError, match="padded to one length, got lengths 1 to 2; pad with ''"):
        layer.from_tokens([["a"], ["a", "b"]], [1, 2])
    for lengths in ([2], [3, 1], [-1, 0]):
        with pytest.raises(TextError, match=r"sequence_len is 0 to 2 for each of 2 sentences, got \[.*count them"):
            layer.from_tokens([["a", "b"], ["a", ""]], lengths)


def test_a_mix_of_other_layers_is_refused(small_model):
    with pytest.raises(ConfigurationError, match="the mix must have the biLM's 3 layers, got 2"):
        ElmoSentenceLayer(small_model, scalar_mix=ScalarMix(2))
