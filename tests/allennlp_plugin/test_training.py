"""Models with this project's ELMo, trained by AllenNLP's own trainer from configurations."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

pytest.importorskip("allennlp")

from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.util import import_module_and_submodules
from allennlp.data import DatasetReader, TextFieldTensors, Vocabulary
from allennlp.models import Model, load_archive
from allennlp.modules import TextFieldEmbedder
from allennlp.modules.token_embedders import TokenEmbedder
from allennlp.modules.token_embedders.elmo_token_embedder import ElmoTokenEmbedder as AllenNlps
from allennlp.nn import util

from pytorch_elmo.allennlp_plugin import token_indexer  # noqa: F401 -- it registers itself
from pytorch_elmo.allennlp_plugin.layer_file import LayerFileTokenEmbedder
from pytorch_elmo.allennlp_plugin.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.commands.embed_to_hdf5 import command

WORDS = ("the", "a", "sea", "storm", "night", "Rain", "wind", "at", "café", "falls", ".")
NUM_EPOCHS = 3
Config = dict[str, Any]

TokenEmbedder.register("allennlps_elmo", exist_ok=True)(AllenNlps)


def start_over(embedder: TokenEmbedder) -> None:
    """Go on from one place in the random numbers: to build its biLM, AllenNLP draws some that it throws away."""
    torch.manual_seed(5)
    if embedder._projection is not None:
        embedder._projection.reset_parameters()


@TokenEmbedder.register("seeded_elmo", exist_ok=True)
class Seeded(ElmoTokenEmbedder):
    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        start_over(self)


@TokenEmbedder.register("allennlps_seeded_elmo", exist_ok=True)
class AllenNlpsSeeded(AllenNlps):
    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        start_over(self)


@TokenEmbedder.register("seeded_layer_file", exist_ok=True)
class SeededLayerFile(LayerFileTokenEmbedder):
    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        start_over(self)


@Model.register("elmo_at_both_ends", exist_ok=True)
class TwoElmos(Model):
    """A tagger with ELMo at the input and another mixture of ELMo at the output of its encoder."""

    def __init__(self, vocab: Vocabulary, below: TextFieldEmbedder, above: TextFieldEmbedder, **kwargs) -> None:
        super().__init__(vocab, **kwargs)
        self.below, self.above = below, above
        self.encoder = torch.nn.GRU(below.get_output_dim(), 4, batch_first=True)
        self.tags = torch.nn.Linear(4 + above.get_output_dim(), vocab.get_vocab_size("labels"))

    def forward(self, tokens: TextFieldTensors, tags: torch.Tensor, **_) -> dict[str, torch.Tensor]:
        encoded, _ = self.encoder(self.below(tokens))
        logits = self.tags(torch.cat([encoded, self.above(tokens)], dim=-1))
        loss = util.sequence_cross_entropy_with_logits(logits, tags, util.get_text_field_mask(tokens))
        return {"loss": loss, "logits": logits}


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """A folder with train.tsv and dev.tsv, sentences tagged by the length of their words."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(7)
    for name, count in (("train", 24), ("dev", 9)):
        sentences = [random.choice(WORDS, size=random.integers(1, 9)) for _ in range(count)]
        lines = [
            " ".join(f"{word}###{'long' if len(word) > 3 else 'short'}" for word in words) for words in sentences
        ]
        Path(f"{name}.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        text = "".join(" ".join(words) + "\n" for words in sentences)
        Path(f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def elmo(small_model_folder) -> Config:
    """The embedder's part of a configuration."""
    return {
        "type": "elmo_token_embedder",
        "options_file": str(small_model_folder / "options.json"),
        "weight_file": str(small_model_folder / "weights.hdf5"),
        "dropout": 0.0,
    }


@pytest.fixture
def train(data, monkeypatch) -> Callable[..., Config]:
    """Train a configuration; returns the metrics of the last epoch, among them the losses."""
    # AllenNLP leaves the handlers and the open files of its logs behind.
    monkeypatch.setattr("allennlp.common.logging.prepare_global_logging", lambda *_, **__: nullcontext())

    def train(config: Config, folder: str) -> Config:
        train_model(Params(json.loads(json.dumps(config))), folder, force=True)
        return json.loads(Path(folder, "metrics.json").read_text("utf-8"))

    return train


def tagger(embedder: Config, indexer: Config | None = None, **loader) -> Config:
    """AllenNLP's `simple_tagger` over one embedder."""
    return {
        "dataset_reader": {
            "type": "sequence_tagging",
            "word_tag_delimiter": "###",
            "token_indexers": {"elmo": indexer or {"type": "elmo_characters"}},
        },
        "train_data_path": "train.tsv",
        "validation_data_path": "dev.tsv",
        "model": {
            "type": "simple_tagger",
            "text_field_embedder": {"token_embedders": {"elmo": embedder}},
            "encoder": {"type": "gru", "input_size": 10, "hidden_size": 6},
            "regularizer": {"regexes": [[".*scalar_parameters.*", {"type": "l2", "alpha": 0.001}]]},
        },
        "data_loader": {"batch_size": 4, "shuffle": True, **loader},
        "validation_data_loader": {"batch_size": 4},
        "trainer": {
            "num_epochs": NUM_EPOCHS,
            "cuda_device": -1,
            "optimizer": {"type": "adam", "lr": 0.05},
            "enable_default_callbacks": False,
        },
    }


def losses(metrics: Config) -> list[float]:
    names = ("training_loss", "training_reg_loss", "validation_loss", "best_validation_loss")
    return [metrics[name] for name in names]


@pytest.mark.parametrize(
    "arguments",
    [{"dropout": 0.5}, {"requires_grad": True}, {"projection_dim": 10, "do_layer_norm": True, "requires_grad": True}],
    ids=["frozen", "fine-tuned", "projected"],
)
def test_with_state_training_is_allennlps(train, elmo, arguments):
    """At a rate at which rounding stays small: at 0.05 a change of 1e-7 in AllenNLP's own moves its loss by 7e-4."""
    ours = tagger({**elmo, **arguments, "type": "seeded_elmo", "stateful": True})
    theirs = tagger({**elmo, **arguments, "type": "allennlps_seeded_elmo"})
    for config in (ours, theirs):
        config["trainer"]["optimizer"]["lr"] = 0.005
    ours, theirs = train(ours, "ours"), train(theirs, "theirs")
    np.testing.assert_allclose(losses(ours), losses(theirs), atol=1e-5, rtol=0)
    assert ours["training_reg_loss"] > 0


@pytest.mark.parametrize(("writer", "reader"), [("ours", "theirs"), ("theirs", "ours")])
def test_archives_load_both_ways(train, elmo, writer, reader):
    """Fine-tuned here, read by AllenNLP's class, and the other way round; strictly, as AllenNLP loads."""
    elmo = {**elmo, "requires_grad": True, "projection_dim": 10}
    embedders = {"ours": {**elmo, "stateful": True}, "theirs": {**elmo, "type": "allennlps_elmo"}}
    train(tagger(embedders[writer]), "out")
    written = load_archive("out/model.tar.gz").model
    read = Model.load(Params(tagger(embedders[reader])), "out")
    assert (
        type(read.text_field_embedder.token_embedder_elmo) is {"ours": ElmoTokenEmbedder, "theirs": AllenNlps}[reader]
    )
    torch.testing.assert_close(predicted(read.eval()), predicted(written.eval()), atol=1e-5, rtol=0)


def predicted(model: Model) -> torch.Tensor:
    reader = DatasetReader.from_params(Params(tagger({})["dataset_reader"]))
    instances = list(reader.read("dev.tsv"))
    for instance in instances:
        reader.apply_token_indexers(instance)
    outputs = model.forward_on_instances(instances)
    return torch.cat([torch.from_numpy(output["logits"]) for output in outputs])


def test_two_elmos_in_one_model(train, elmo):
    """Each has its own scalars, both are learned, and L2 reaches both by their names."""
    config = tagger({})
    embedder = {"token_embedders": {"elmo": elmo}}
    config["model"] = {
        "type": "elmo_at_both_ends",
        "below": embedder,
        "above": embedder,
        "regularizer": config["model"]["regularizer"],
    }
    metrics = train(config, "out")
    state = load_archive("out/model.tar.gz").model.state_dict()
    names = [name for name in state if "scalar_parameters" in name]
    assert len(names) == 6
    moved = [float(state[name]) for name in names]
    assert all(value != 0.0 for value in moved)
    assert moved[:3] != moved[3:]
    assert metrics["training_loss"] < 0.7
    penalty = load_archive("out/model.tar.gz").model.get_regularization_penalty()
    assert penalty.item() == pytest.approx(0.001 * sum(value**2 for value in moved))


def test_two_mixtures_in_one_field(train, elmo):
    config = tagger(elmo)
    config["dataset_reader"]["token_indexers"]["top"] = {"type": "elmo_characters"}
    config["model"]["text_field_embedder"]["token_embedders"]["top"] = {
        **elmo,
        "scalar_mix_parameters": [-9e10, -9e10, 1.0],
    }
    config["model"]["encoder"]["input_size"] = 20
    config["model"]["regularizer"]["regexes"][0][0] = ".*token_embedder_elmo.*scalar_parameters.*"
    assert train(config, "out")["training_loss"] < 0.7


def test_words_of_the_vocabulary_are_cached_and_others_computed(train, elmo):
    """The vocabulary holds the frequent words alone, and comes to the embedder by itself."""
    found = []
    for cached in (False, True):
        embedder = {**elmo, "type": "seeded_elmo", **({"namespace_to_cache": "tokens"} if cached else {})}
        config = tagger(embedder, {"type": "elmo_characters", **({"word_namespace": "tokens"} if cached else {})})
        config["vocabulary"] = {"min_count": {"tokens": 9}}
        config["dataset_reader"]["token_indexers"]["tokens"] = {"type": "single_id"}
        embedders = config["model"]["text_field_embedder"]["token_embedders"]
        embedders["tokens"] = {"type": "embedding", "embedding_dim": 3}
        config["model"]["encoder"]["input_size"] = 13
        found.append(losses(train(config, "out")))
    assert "@@UNKNOWN@@" in Path("out/vocabulary/tokens.txt").read_text("utf-8")
    assert 1 < len(Path("out/vocabulary/tokens.txt").read_text("utf-8").splitlines()) < len(WORDS)
    np.testing.assert_allclose(*found, atol=1e-5, rtol=0)


# -- Layer files -------------------------------------------------------------------------------------------------


@pytest.fixture
def layer_files(data, small_model_folder) -> list[str]:
    names = []
    for name in ("train", "dev"):
        arguments = ["-q", "--all", "--model", str(small_model_folder), f"{name}.txt", f"{name}.hdf5"]
        CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
        names.append(f"{name}.hdf5")
    return names


@pytest.mark.parametrize("bucketed", [False, True])
def test_training_on_a_layer_file_is_training_on_the_model(train, elmo, layer_files, bucketed):
    """The same losses, dropout included."""
    config = {"type": "elmo_layer_file", "layer_file": layer_files}
    live = tagger({**elmo, "type": "seeded_elmo", "dropout": 0.5})
    read = tagger({**config, "type": "seeded_layer_file"}, config)
    if bucketed:
        live["data_loader"] = read["data_loader"] = {"batch_sampler": {"type": "bucket", "batch_size": 4}}
    np.testing.assert_allclose(losses(train(read, "read")), losses(train(live, "live")), atol=1e-5, rtol=0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 on, for torch has threads
@pytest.mark.parametrize("in_memory", [None, 8], ids=["instances from workers", "batches from workers"])
def test_loaders_with_workers(train, layer_files, in_memory):
    config = {"type": "elmo_layer_file", "layer_file": layer_files}
    workers = {"num_workers": 2, "max_instances_in_memory": in_memory}
    loader = {name: value for name, value in workers.items() if value is not None}
    read = tagger({**config, "dropout": 0.0}, config, **loader)
    assert train(read, "read")["training_loss"] < 0.7


def test_a_model_on_a_layer_file_is_saved_without_vectors(train, elmo, layer_files):
    config = {"type": "elmo_layer_file", "layer_file": layer_files}
    train(tagger({**config, "dropout": 0.0}, config), "read")
    archive = load_archive("read/model.tar.gz")
    assert Path("read/model.tar.gz").stat().st_size < 20_000
    state = archive.model.state_dict()
    assert [name for name in state if "embedder" in name] == [
        f"text_field_embedder.token_embedder_elmo._elmo.scalar_mix_0.{part}"
        for part in ("gamma", *(f"scalar_parameters.{layer}" for layer in range(3)))
    ]
    reader = archive.validation_dataset_reader
    instances = list(reader.read("dev.tsv"))
    outputs = archive.model.forward_on_instances(instances)
    live = Model.from_params(Params(tagger(elmo)["model"]), vocab=archive.model.vocab).eval()
    live.load_state_dict(state, strict=False)
    found = torch.cat([torch.from_numpy(output["logits"]) for output in outputs])
    torch.testing.assert_close(found, predicted(live), atol=1e-5, rtol=0)


def test_a_file_of_another_text_stops_training(train, layer_files):
    config = {"type": "elmo_layer_file", "layer_file": layer_files[1]}
    with pytest.raises(Exception, match=r"but \d+ different of the 33 asked for are not in .*dev.hdf5, the first:"):
        train(tagger(config, config), "read")


def test_the_plugin_can_be_named_as_a_package():
    import_module_and_submodules("pytorch_elmo.allennlp_plugin.token_embedder")
    assert TokenEmbedder.by_name("elmo_token_embedder") is ElmoTokenEmbedder
