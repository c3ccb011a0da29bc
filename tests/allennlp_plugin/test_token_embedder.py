"""`elmo_token_embedder`: AllenNLP's arguments, numbers and parameter names, built from a configuration."""

from copy import deepcopy
from importlib import import_module

import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import TokenEmbedder
from allennlp.modules.token_embedders.elmo_token_embedder import ElmoTokenEmbedder as AllenNlps

from pytorch_elmo import batch_to_ids
from pytorch_elmo.allennlp_plugin.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.errors import PytorchElmoError

SENTENCES = [["the", "storm"], ["the", "sea", "at", "night"], ["rain"]]
IDS = batch_to_ids(SENTENCES)


@pytest.fixture
def files(small_model_folder) -> dict[str, str]:
    names = {"options_file": "options.json", "weight_file": "weights.hdf5"}
    return {argument: str(small_model_folder / name) for argument, name in names.items()}


@pytest.fixture
def build(files):
    """The embedder that a configuration builds, without dropout unless it is asked for."""

    def build(vocab: Vocabulary | None = None, **config) -> ElmoTokenEmbedder:
        params = Params({"type": "elmo_token_embedder", "dropout": 0.0, **files, **config})
        return TokenEmbedder.from_params(params, vocab=vocab)

    return build


@pytest.mark.parametrize(
    "check",
    ["checks.elmo.check_token_embedder", "checks.archives.check_archive_2", "checks.archives.check_archives_0_9"],
)
def test_original_outputs_and_archives(golden_folder, monkeypatch, check):
    """The checks of the core's embedder, with this one in its place; archives are loaded strictly."""
    module, _, function = check.rpartition(".")
    monkeypatch.setattr(f"{module}.ElmoTokenEmbedder", ElmoTokenEmbedder)
    golden = import_module("checks.ledger").Golden(golden_folder)
    getattr(import_module(module), function)(golden)
    assert golden.all_faults() == []
    assert sum(file.compared for file in golden.files.values()) > 0


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"projection_dim": 4},
        {"projection_dim": 0, "do_layer_norm": True},
        {"scalar_mix_parameters": [0.5, -1.0, 2.0]},
        {"requires_grad": True, "projection_dim": 3},
        {"vocab_to_cache": ["@@PADDING@@", "@@UNKNOWN@@", "sea"]},
    ],
    ids=["plain", "projected", "layer norm", "fixed mix", "fine-tuned", "cached words"],
)
def test_the_same_as_allennlps(build, files, config):
    theirs, ours = AllenNlps(dropout=0.0, **files, **config), build(stateful=True, **config)
    assert ours.get_output_dim() == theirs.get_output_dim()
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())
    assert {name: parameter.requires_grad for name, parameter in ours.named_parameters()} == {
        name: parameter.requires_grad for name, parameter in theirs.named_parameters()
    }
    for ids in (IDS, IDS[1:], IDS.unsqueeze(1)):
        torch.testing.assert_close(ours(ids), theirs(ids), atol=1e-6, rtol=0)


def test_without_state_a_call_does_not_depend_on_those_before(build):
    embedder, stateful = build(), build(stateful=True)
    first = embedder(IDS)
    torch.testing.assert_close(stateful(IDS), first, atol=1e-6, rtol=0)
    assert torch.equal(embedder(IDS), first)
    assert (stateful(IDS) - first).abs().max() > 1e-3


def test_parameters_stay_where_gradients_are_asked_for(build):
    frozen, tuned = build(), build(requires_grad=True)
    for embedder in (frozen, tuned):
        embedder(IDS).sum().backward()
    assert {name for name, p in frozen.named_parameters() if p.grad is not None} == {
        f"_elmo.scalar_mix_0.{name}" for name in ("gamma", *(f"scalar_parameters.{k}" for k in range(3)))
    }
    assert all(parameter.grad is not None for parameter in tuned.parameters())


def test_a_model_by_its_name():
    embedder = TokenEmbedder.from_params(Params({"type": "elmo_token_embedder", "model": "default"}))
    assert embedder.get_output_dim() == 256


def test_a_copy_gives_the_same(build):
    embedder = build()
    assert torch.equal(deepcopy(embedder)(IDS), embedder(IDS))


# -- Words whose vectors are kept --------------------------------------------------------------------------------


@pytest.mark.parametrize("stateful", [False, True])
def test_cached_words_and_others(build, stateful):
    """Number 1 is AllenNLP's for every word that is not in the vocabulary; theirs then embeds `@@UNKNOWN@@`."""
    vocabulary = Vocabulary({"tokens": {"the": 9, "sea": 4}})
    cached = build(vocabulary, namespace_to_cache="tokens", stateful=stateful)
    assert cached._elmo._elmo_lstm._word_embedding.weight.shape[0] == 4
    words = torch.tensor([[2, 1, 0, 0], [2, 3, 1, 1], [1, 0, 0, 0]])
    torch.testing.assert_close(cached(IDS, words), build(stateful=stateful)(IDS), atol=1e-6, rtol=0)


def test_numbers_beyond_a_list_are_computed(build):
    cached = build(vocab_to_cache=["", "the", "sea"])
    words = torch.tensor([[1, 7, 0, 0], [1, 2, 3, 8], [9, 0, 0, 0]])
    torch.testing.assert_close(cached(IDS, words), build()(IDS), atol=1e-6, rtol=0)


def test_a_vocabulary_that_comes_along_changes_nothing(build):
    assert torch.equal(build(Vocabulary({"tokens": {"the": 9}}))(IDS), build()(IDS))


# -- What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": "default"}, r"model stands for options_file and weight_file, got 'default' and .*options.json"),
        (
            {"vocab_to_cache": ["", "a"], "namespace_to_cache": "tokens"},
            "vocab_to_cache and namespace_to_cache are two ways to say one thing; give one",
        ),
        (
            {"namespace_to_cache": "labels"},
            "needs a vocabulary with padding in the namespace 'labels', got 1 entries",
        ),
        ({"dropuot": 0.1}, "Extra parameters passed to ElmoTokenEmbedder"),
        ({"scalar_mix_parameters": [1.0]}, r"one number per layer \(3\), got 1"),
        ({"weight_file": "nowhere.hdf5"}, "no weight file nowhere.hdf5; give the path of a weights.hdf5"),
    ],
)
def test_arguments_that_are_refused(build, config, message):
    with pytest.raises((ConfigurationError, PytorchElmoError), match=message):
        build(Vocabulary({"labels": {"yes": 1}}), **config)


def test_a_namespace_without_a_vocabulary_is_refused(build):
    with pytest.raises(ConfigurationError, match="got no vocabulary"):
        build(namespace_to_cache="tokens")


def test_a_reader_without_character_ids_is_told_what_to_add(build):
    embedder = BasicTextFieldEmbedder({"context": build()})
    lines = r'add to the dataset_reader: "token_indexers": { "context": {"type": "elmo_characters"} }$'
    with pytest.raises(ConfigurationError, match=rf"the embedder 'context' needs .* has only tokens; {lines}"):
        embedder({"tokens": {"tokens": torch.tensor([[2, 3]])}})
    assert embedder({"context": {"elmo_tokens": IDS}}).shape == (3, 4, 10)


def test_other_mismatches_keep_allennlps_message(build):
    embedder = BasicTextFieldEmbedder({"context": build()})
    with pytest.raises(ConfigurationError, match="Mismatched token keys"):
        embedder({"context": {"elmo_tokens": IDS}, "tokens": {"tokens": torch.tensor([[2, 3]])}})


@pytest.mark.parametrize(
    "tensors", [{"tokens": IDS[..., 0]}, {"token_characters": IDS}, {"word_inputs": IDS[..., 0]}]
)
def test_another_indexers_tensors_are_refused(build, tensors):
    embedder = BasicTextFieldEmbedder({"elmo": build()})
    with pytest.raises(ConfigurationError, match=rf"got {next(iter(tensors))}; write in the dataset_reader"):
        embedder({"elmo": tensors})
