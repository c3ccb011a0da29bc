"""The configurations for `allennlp train`: each trains two steps, and a pair differs in ELMo alone."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.plugins import import_plugins

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.pretrained.catalog import DEFAULT, MODELS
from pytorch_elmo.weights.load import load_pretrained
from tiny_tasks import TASKS, write, write_vectors

CONFIGS = Path(__file__).parents[2] / "configs"
PATHS = sorted(path for path in CONFIGS.glob("*.jsonnet") if not path.name.endswith("_bilm.jsonnet"))
NUM_STEPS = 2
DIMENSION = 5  # of the word vectors
SIZES = {"WIDTH": "6", "LAYERS": "2", "EPOCHS": "1", "BATCH_SIZE": "12", "WORD_VECTORS_DIM": str(DIMENSION)}
WITHOUT_TOOLS = {"SRL_SCORER": "none", "EVALB": "none"}  # Perl and a C compiler
TOKENIZERS = {"snli": "just_spaces", "squad": "letters_digits"}
DEFAULTS = re.compile(r"\b([A-Z][A-Z_]+)=([^\s,;]*)")
Config = dict[str, Any]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch) -> None:
    """What happens to be set in the tester's shell does not count."""
    heads = "\n".join(map(head, PATHS))
    for name in {*re.findall(r"\b[A-Z_]{5,}\b", heads), *SIZES, *WITHOUT_TOOLS}:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def read(monkeypatch) -> Callable[..., Config]:
    """Read a configuration with some variables set."""

    def read(name: str, **variables: str) -> Config:
        with monkeypatch.context() as environment:
            for variable, value in variables.items():
                environment.setenv(variable, value)
            return Params.from_file(CONFIGS / f"{name}.jsonnet").as_dict(quiet=True)

    return read


@pytest.fixture
def train(tmp_path, read, small_model_folder, monkeypatch) -> Callable[[str], tuple[Any, Config]]:
    """Train a configuration for two steps; returns the model and its metrics."""
    # AllenNLP leaves the handlers and the open files of its logs behind.
    monkeypatch.setattr("allennlp.common.logging.prepare_global_logging", lambda *_, **__: nullcontext())
    import_plugins()
    vectors = write_vectors(tmp_path / "vectors.txt", DIMENSION)

    def train(name: str) -> tuple[Any, Config]:
        task = name.removesuffix("_elmo")
        data = str(write(task, tmp_path))
        where = {"TRAIN_DATA_PATH": data, "VALIDATION_DATA_PATH": data, "WORD_VECTORS": str(vectors)}
        elmo = {"ELMO_MODEL": str(small_model_folder), "ELMO_DIM": "10"}
        tokenizer = {"TOKENIZER": TOKENIZERS.get(task, "just_spaces")}
        config = read(name, **where, **SIZES, **WITHOUT_TOOLS, **elmo, **tokenizer)
        config["trainer"]["cuda_device"] = -1
        config.setdefault("validation_data_loader", dict(config["data_loader"]))
        config["data_loader"]["batches_per_epoch"] = NUM_STEPS
        folder = tmp_path / "run"
        model = train_model(Params(config), folder, force=True)
        return model, json.loads((folder / "metrics.json").read_text("utf-8"))

    return train


def head(path: Path) -> str:
    """The comment that a configuration begins with."""
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(lines[: next(i for i, line in enumerate(lines) if not line.startswith("//"))])


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Where `other` differs from `one`."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key), other.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{place}.{i}")
    elif one != other:
        yield place


def test_the_configurations_are_found():
    names = [path.stem for path in PATHS]
    assert len(names) == 18
    assert names == sorted(f"{task}{elmo}" for task in TASKS for elmo in ("", "_elmo"))


@pytest.mark.parametrize("name", [path.stem for path in PATHS])
def test_two_steps(name, train):
    model, metrics = train(name)
    assert metrics["epoch"] == 0
    assert 0 < metrics["training_loss"] < 1000
    assert 0 < metrics["validation_loss"] < 1000
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    mixes = {key: value for key, value in model.named_parameters() if "scalar_parameters" in key}
    assert len(mixes) == (3 if name.endswith("_elmo") else 0)
    assert name == "constituency_elmo" or all(parameter.abs() > 0 for parameter in mixes.values())
    trained = [key for key, parameter in model.named_parameters() if parameter.requires_grad]
    assert not [key for key in trained if "_elmo_lstm" in key]


@pytest.mark.parametrize("task", TASKS)
def test_a_pair_differs_in_elmo_alone(task, read):
    places = set(differences(read(task), read(f"{task}_elmo")))
    sizes = {place for place in places if place.endswith(("input_size", "input_dim", "encoder.embedding_dim"))}
    key = "contextual" if task == "sst5" else "elmo"
    rest = {
        place.removesuffix(f".{key}").removeprefix("validation_") for place in places - sizes - {"model.regularizer"}
    }
    assert rest == {"dataset_reader.token_indexers", "model.text_field_embedder.token_embedders"}
    assert sizes


def test_the_sizes_of_srl_are_those_of_the_seed(read):
    plain, elmo = read("srl"), read("srl_elmo", ELMO_MODEL="original")
    assert plain["model"]["encoder"]["input_size"] == 200
    assert elmo["model"]["encoder"] == {
        "type": "alternating_lstm",
        "input_size": 1224,
        "hidden_size": 300,
        "num_layers": 8,
        "recurrent_dropout_probability": 0.1,
        "use_highway": True,
    }
    assert elmo["model"]["text_field_embedder"]["token_embedders"]["elmo"] == {
        "type": "elmo_token_embedder",
        "model": "original",
        "do_layer_norm": False,
        "dropout": 0.5,
    }
    assert elmo["dataset_reader"]["token_indexers"]["elmo"] == {"type": "elmo_characters"}


def test_the_sizes_of_ner_and_sst_are_those_that_were_published(read):
    assert read("ner_elmo", ELMO_MODEL="original")["model"]["encoder"]["input_size"] == 1202
    assert read("sst5_elmo", ELMO_MODEL="original")["model"]["pre_encode_feedforward"]["input_dim"] == 1324
    coref = read("coref_elmo", ELMO_MODEL="original")["model"]
    assert coref["context_layer"]["input_size"] == 1424
    assert coref["mention_feedforward"]["input_dim"] == 2 * 200 * 2 + 1424 + 20
    assert read("squad_elmo", ELMO_MODEL="original")["model"]["phrase_layer"]["input_size"] == 1224


def test_the_sizes_of_named_models_are_those_of_the_catalogue(read):
    sizes = {name: 2 * entry.projection_size for name, entry in MODELS.items() if entry.projection_size}
    sizes[DEFAULT] = load_pretrained(DEFAULT).config.dim
    for name, size in sizes.items():
        assert read("ner_elmo", ELMO_MODEL=name)["model"]["encoder"]["input_size"] == 50 + 128 + size


def test_another_model_by_its_two_files(read):
    files = {"ELMO_OPTIONS_FILE": "o.json", "ELMO_WEIGHT_FILE": "w.hdf5"}
    model = read("srl_elmo", **files, ELMO_DIM="32")["model"]
    assert model["encoder"]["input_size"] == 232
    elmo = model["text_field_embedder"]["token_embedders"]["elmo"]
    assert (elmo["options_file"], elmo["weight_file"]) == ("o.json", "w.hdf5")
    assert "model" not in elmo


def test_vectors_from_a_layer_file(read):
    config = read("srl_elmo", ELMO_LAYER_FILE="a.hdf5")
    file = {"type": "elmo_layer_file", "layer_file": "a.hdf5"}
    assert config["dataset_reader"]["token_indexers"]["elmo"] == file
    embedder = config["model"]["text_field_embedder"]["token_embedders"]["elmo"]
    assert embedder == file | {"do_layer_norm": False, "dropout": 0.5}
    assert config["model"]["encoder"]["input_size"] == 200 + 256
    assert read("srl_elmo", ELMO_LAYER_FILE="a.hdf5", ELMO_DIM="32")["model"]["encoder"]["input_size"] == 232


def test_data_words_and_sizes_are_variables(read):
    config = read("srl", TRAIN_DATA_PATH="t", VALIDATION_DATA_PATH="v", TEST_DATA_PATH="e", WORD_VECTORS="", **SIZES)
    assert (config["train_data_path"], config["validation_data_path"], config["test_data_path"]) == ("t", "v", "e")
    assert "test_data_path" not in read("srl")
    words = config["model"]["text_field_embedder"]["token_embedders"]["tokens"]
    assert words == {"type": "embedding", "embedding_dim": DIMENSION, "trainable": True}
    assert (config["model"]["encoder"]["hidden_size"], config["model"]["encoder"]["num_layers"]) == (6, 2)
    assert (config["trainer"]["num_epochs"], config["data_loader"]["batch_sampler"]["batch_size"]) == (1, 12)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"EPOCHS": "few"}, 'EPOCHS must be a whole number, got "few"; set it to one, or unset it for 500'),
        ({"LAYERS": ""}, 'LAYERS must be a whole number, got ""'),
        ({"SRL_SCORER": "perl"}, 'SRL_SCORER must be one of official, none, got "perl"'),
        ({"ELMO_MODEL": "runs/mine"}, "the size of the vectors of runs/mine is not known; set ELMO_DIM"),
    ],
)
def test_bad_variables(read, variables, message):
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        read("srl_elmo", **variables)


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_the_head_names_the_command_and_the_defaults(path, read):
    assert f"//   allennlp train configs/{path.name} -s runs/{path.stem}\n" in head(path)
    named = {name: value for name, value in DEFAULTS.findall(head(path)) if value}
    default = read(path.stem)
    assert read(path.stem, **named) == default
    for name, value in named.items():
        if value.isdigit():
            assert read(path.stem, **{name: "77"}) != default, name


@pytest.mark.parametrize("task", TASKS)
def test_every_variable_is_in_a_head(task):
    sources = [CONFIGS / "common" / f"{task}.libsonnet", *CONFIGS.glob(f"{task}*.jsonnet")]
    sources += [CONFIGS / "common" / name for name in ("words.libsonnet", "elmo.libsonnet")]
    if task in ("scicite", "imdb"):
        sources.append(CONFIGS / "common" / "classification.libsonnet")
    code = "\n".join(path.read_text("utf-8") for path in sources)
    read_there = set(re.findall(r"variables\.\w+\('([A-Z_]+)'", code))
    heads = head(CONFIGS / f"{task}.jsonnet") + head(CONFIGS / f"{task}_elmo.jsonnet")
    assert read_there <= set(re.findall(r"[A-Z_]{5,}", heads))


def test_the_variables_reach_a_configuration_by_allennlp_itself(tmp_path, monkeypatch):
    config = tmp_path / "a.jsonnet"
    config.write_text("std.parseJson(std.extVar('CONFIG_VARIABLES'))", encoding="utf-8")
    monkeypatch.setenv("LAYERS", "3")
    assert Params.from_file(config)["LAYERS"] == "3"
    assert Params.from_file(config, ext_vars={"LAYERS": "4"})["LAYERS"] == "4"
    assert Params.from_file(config, ext_vars={"CONFIG_VARIABLES": '{"LAYERS": "5"}'})["LAYERS"] == "5"
