"""`elmo_layer_file`: the vectors of `embed-to-hdf5` in place of a biLM."""

import multiprocessing
import pickle
from copy import deepcopy
from pathlib import Path

import h5py
import pytest
import torch
from click.testing import CliRunner

pytest.importorskip("allennlp")

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import ListField, TextField
from allennlp.data.token_indexers import TokenIndexer
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import TokenEmbedder
from allennlp.nn.util import get_text_field_mask

from pytorch_elmo import batch_to_ids
from pytorch_elmo.allennlp_plugin.layer_file import LayerFileIndexer, LayerFileTokenEmbedder
from pytorch_elmo.allennlp_plugin.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.commands.embed_to_hdf5 import command
from pytorch_elmo.errors import LayerFileError, PytorchElmoError

TRAIN = ["the storm", "a  sea\tat night", "rain", "the storm"]
DEV = ["no wind", "rain again", "the sea"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def embed(folder, small_model_folder):
    """Write a layer file as a user does; returns its name."""

    def embed(name: str, lines: list[str], *options: str) -> str:
        text = folder / f"{name}.txt"
        text.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        layers = () if {"--top", "--average"} & set(options) else ("--all",)
        arguments = ["-q", "--model", str(small_model_folder), *layers, *options, str(text), f"{name}.hdf5"]
        CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
        return f"{name}.hdf5"

    return embed


@pytest.fixture
def live(small_model_folder) -> ElmoTokenEmbedder:
    """The embedder that computes what the file holds."""
    return ElmoTokenEmbedder(model=str(small_model_folder), dropout=0.0)


def make_indexer(layer_file, **config) -> LayerFileIndexer:
    return TokenIndexer.from_params(Params({"type": "elmo_layer_file", "layer_file": layer_file, **config}))


def make_embedder(layer_file, **config) -> LayerFileTokenEmbedder:
    config = {"type": "elmo_layer_file", "layer_file": layer_file, "dropout": 0.0, **config}
    return TokenEmbedder.from_params(Params(config))


def field(text: str, indexer: TokenIndexer) -> TextField:
    return TextField([Token(word) for word in text.split()], {"elmo": indexer})


def batch_of(lines: list[str], indexer: TokenIndexer) -> dict:
    batch = Batch([Instance({"text": field(line, indexer)}) for line in lines])
    batch.index_instances(Vocabulary())
    return batch.as_tensor_dict()["text"]


def expected(live: ElmoTokenEmbedder, lines: list[str]) -> torch.Tensor:
    return live(batch_to_ids([line.split() for line in lines]))


# -- Reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
@pytest.mark.parametrize("projection_dim", [None, 4])
def test_vectors_are_those_of_the_model(embed, live, small_model_folder, layout, projection_dim):
    name = embed("train", TRAIN, "--layout", layout)
    indexer, embedder = make_indexer(name), make_embedder(name, projection_dim=projection_dim)
    live = ElmoTokenEmbedder(model=str(small_model_folder), dropout=0.0, projection_dim=projection_dim)
    own_names = {key for key in live.state_dict() if "_elmo_lstm" not in key}
    assert embedder.state_dict().keys() == own_names
    with torch.no_grad():
        for number, parameter in enumerate(embedder.parameters()):
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).view_as(parameter) + number)
    live.load_state_dict(embedder.state_dict(), strict=False)
    lines = [TRAIN[2], TRAIN[1], TRAIN[0]]
    vectors = BasicTextFieldEmbedder({"elmo": embedder})(batch_of(lines, indexer))
    torch.testing.assert_close(vectors, expected(live, lines), atol=1e-5, rtol=0)
    assert embedder.get_output_dim() == live.get_output_dim() == vectors.shape[-1]


def test_places_are_a_mask_too(embed):
    indexer = make_indexer(embed("train", TRAIN), token_min_padding_length=6)
    tensors = batch_of(TRAIN[:3], indexer)
    assert tensors["elmo"]["sentence_places"].tolist() == [[4, 4, 0, 0, 0, 0], [2, 2, 2, 2, 0, 0], [3, 0, 0, 0, 0, 0]]
    assert get_text_field_mask(tensors).sum(dim=1).tolist() == [2, 4, 1]


def test_several_files_are_counted_on(embed, live):
    names = [embed("train", TRAIN), embed("dev", DEV)]
    lines = [DEV[2], TRAIN[0], DEV[0]]
    vectors = make_embedder(names)(**batch_of(lines, make_indexer(names))["elmo"])
    torch.testing.assert_close(vectors, expected(live, lines), atol=1e-5, rtol=0)


def test_lists_of_fields(embed, live):
    name = embed("train", TRAIN)
    indexer = make_indexer(name)
    fields = [ListField([field(line, indexer) for line in lines]) for lines in (TRAIN[:2], TRAIN[2:3])]
    batch = Batch([Instance({"list": one}) for one in fields])
    batch.index_instances(Vocabulary())
    places = batch.as_tensor_dict()["list"]["elmo"]["sentence_places"]
    embedder = make_embedder(name)
    vectors = embedder(places)
    assert vectors.shape == (2, 2, 4, 10)
    torch.testing.assert_close(vectors[0], expected(live, TRAIN[:2]), atol=1e-5, rtol=0)
    assert not vectors[1, 1].any()
    by_two = BasicTextFieldEmbedder({"elmo": embedder})({"elmo": {"sentence_places": places}}, num_wrapping_dims=1)
    assert torch.equal(by_two, vectors)
    assert embedder(places[:, :, :0]).shape == (2, 2, 0, 10)


@pytest.mark.parametrize("option", ["--top", "--average"])
def test_one_layer_is_scaled(embed, option):
    name = embed("train", TRAIN, option)
    embedder = make_embedder(name)
    with torch.no_grad():
        embedder._elmo.scalar_mix_0.gamma.fill_(3.0)
    vectors = embedder(**batch_of(TRAIN[2:3], make_indexer(name))["elmo"])
    with h5py.File(name) as file:
        torch.testing.assert_close(vectors[0], 3.0 * torch.from_numpy(file["2"][()]))


def test_half_precision_files_give_float32(embed, live):
    name = embed("train", TRAIN, "--dtype", "float16")
    vectors = make_embedder(name)(**batch_of(TRAIN[:2], make_indexer(name))["elmo"])
    assert vectors.dtype == torch.float32
    torch.testing.assert_close(vectors, expected(live, TRAIN[:2]), atol=2e-3, rtol=0)


def test_files_with_sentences_as_keys(embed, live):
    lines = TRAIN[:3]
    name = embed("train", lines, "--use-sentence-keys")
    vectors = make_embedder(name)(**batch_of(lines, make_indexer(name))["elmo"])
    torch.testing.assert_close(vectors, expected(live, lines), atol=1e-5, rtol=0)


def test_layer_norm_dropout_and_fixed_scalars(embed):
    name = embed("train", TRAIN)
    places = batch_of(TRAIN[:3], make_indexer(name))["elmo"]["sentence_places"]
    normed = make_embedder(name, do_layer_norm=True, scalar_mix_parameters=[0.0, 1.0, -9e10])
    assert not any(parameter.requires_grad for parameter in normed.parameters())
    vectors = normed(places)
    assert not vectors[2, 1:].any()
    assert abs(float(vectors[places != 0].mean())) < 1e-5
    dropped = make_embedder(name, dropout=0.5)
    torch.manual_seed(0)
    share = float((dropped(places)[places != 0] == 0).float().mean())
    assert 0.3 < share < 0.7
    assert torch.equal(dropped.eval()(places), make_embedder(name)(places))


def test_the_mix_is_learned(embed):
    name = embed("train", TRAIN)
    embedder = make_embedder(name)
    embedder(**batch_of(TRAIN[:2], make_indexer(name))["elmo"]).square().sum().backward()
    assert sorted(embedder.state_dict()) == [
        f"_elmo.scalar_mix_0.{part}" for part in ("gamma", *(f"scalar_parameters.{layer}" for layer in range(3)))
    ]
    assert all(bool(parameter.grad.abs().sum() > 0) for parameter in embedder.parameters())


# -- Other processes ---------------------------------------------------------------------------------------------


def embed_elsewhere(indexer, embedder, folder, results):
    """Index and embed in a child, which stands in another folder."""
    import os

    os.chdir(folder)
    results.put(embedder(**batch_of(TRAIN[:3], indexer)["elmo"]).tolist())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 on, for torch has threads
def test_a_forked_process_opens_the_file_for_itself(embed, folder):
    name = embed("train", TRAIN, "--layout", "packed")
    indexer, embedder = make_indexer(name), make_embedder(name).requires_grad_(False)
    here = embedder(**batch_of(TRAIN[:3], indexer)["elmo"])
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    children = [
        context.Process(target=embed_elsewhere, args=(indexer, embedder, elsewhere, results)) for _ in range(2)
    ]
    for child in children:
        child.start()
    found = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    assert found == [here.tolist()] * 2
    assert torch.equal(embedder(**batch_of(TRAIN[:3], indexer)["elmo"]), here)


@pytest.mark.parametrize("copy", [deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))], ids=["copied", "sent"])
def test_copies_read_the_same(embed, folder, monkeypatch, copy):
    name = embed("train", TRAIN)
    indexer, embedder = make_indexer(name), make_embedder(name)
    here = embedder(**batch_of(TRAIN[:3], indexer)["elmo"])
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    copied = copy(indexer)
    assert copied == indexer
    assert b"a sea at night" not in pickle.dumps(indexer)
    assert torch.equal(copy(embedder)(**batch_of(TRAIN[:3], copied)["elmo"]), here)


# -- What is refused ---------------------------------------------------------------------------------------------


def test_missing_sentences_are_counted_before_the_first_batch(embed):
    indexer = make_indexer(embed("train", TRAIN))
    fields = [field(line, indexer) for line in [*TRAIN, *DEV, DEV[0]]]
    for one in fields:
        one.index(Vocabulary())
    lengths = fields[0].get_padding_lengths()
    message = r"but 3 different of the 8 asked for are not in .*/train.hdf5, the first: 'no wind'; make it with embed"
    with pytest.raises(LayerFileError, match=message) as raised:
        fields[0].as_tensor(lengths)
    assert "\n" not in str(raised.value)
    assert fields[0].as_tensor(lengths)["elmo"]["sentence_places"].tolist() == [
        4,
        4,
    ]  # the next question is a new one


def test_one_missing_sentence_and_a_long_one(embed):
    indexer = make_indexer([embed("train", TRAIN), embed("dev", DEV)])
    message = (
        r"but 1 different of the 1 asked for is not in .*/train.hdf5 and 1 more, the first: '(x ){40}'\.\.\.; make"
    )
    with pytest.raises(LayerFileError, match=message):
        batch_of(["x " * 100], indexer)


def test_an_embedder_with_another_file_is_refused(embed):
    indexer = make_indexer(embed("train", TRAIN))
    places = batch_of(TRAIN[:3], indexer)["elmo"]["sentence_places"]
    other = make_embedder(embed("dev", [*DEV, "the end"]))
    message = r"2 of 3 in the batch are not: sentence 1 of .*/dev.hdf5 has 2 tokens, not 4; give the indexer and the"
    with pytest.raises(LayerFileError, match=message):
        other(places)
    with pytest.raises(
        LayerFileError, match=r"places of sentences are 1 to 1 in .*/one.hdf5, got 4; give the indexer"
    ):
        make_embedder(embed("one", DEV[:1]))(places)
    with pytest.raises(LayerFileError, match="got -1"):
        other(torch.full_like(places, -1))


def test_files_of_different_models_are_refused(embed, small_model_folder):
    names = [embed("train", TRAIN), embed("dev", DEV, "--top")]
    with pytest.raises(LayerFileError, match=r"of one model and its same layers, got .*/train.hdf5 and .*/dev.hdf5"):
        make_embedder(names)


@pytest.mark.parametrize("make", [make_indexer, make_embedder])
def test_a_file_that_is_not_there_is_refused(folder, make):
    with pytest.raises(LayerFileError, match=r"a layer file is needed, but .*/nowhere.hdf5 does not exist"):
        make("nowhere.hdf5")
    with pytest.raises(LayerFileError, match="got an empty list; name a layer file"):
        make([])


def test_a_file_without_its_sentences_is_refused(embed):
    with pytest.raises(LayerFileError, match=r"made without sentence_to_index \(--forget-sentences\)"):
        make_indexer(embed("train", TRAIN, "--forget-sentences"))


def test_one_scalar_per_layer_is_needed(embed):
    with pytest.raises(PytorchElmoError, match=r"one number per layer \(3\), got 2"):
        make_embedder(embed("train", TRAIN), scalar_mix_parameters=[1.0, 2.0])


def test_a_reader_without_the_indexer_is_told_what_to_add(embed):
    embedder = BasicTextFieldEmbedder({"elmo": make_embedder(embed("train", TRAIN))})
    lines = r'"token_indexers": { "elmo": {"type": "elmo_layer_file", "layer_file": "train.hdf5"} }'
    with pytest.raises(ConfigurationError, match=f"has only tokens; add to the dataset_reader: {lines}"):
        embedder({"tokens": {"tokens": torch.tensor([[2, 3]])}})
    with pytest.raises(ConfigurationError, match=f"got elmo_tokens; write in the dataset_reader, .*: {lines}"):
        embedder({"elmo": {"elmo_tokens": batch_to_ids([["a"]])}})
