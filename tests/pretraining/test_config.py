"""Configurations are read strictly, and say what is wrong in one line."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import refusal
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.pretraining.config import CorpusConfig, OptimizerConfig, parse_config, read_config
from pytorch_elmo.weights.options import format_options
from random_models import bilm_config
from small_runs import small_config

CONFIGS = Path(__file__).parents[2] / "configs"
MINIMAL = {"model": format_options(bilm_config()), "corpus": {"train": ["a.txt"]}, "num_steps": 10}


def refused(document: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_config(document)
    assert "\n" not in str(caught.value)


def test_defaults_stand_in_the_configuration_alone():
    config = parse_config(MINIMAL)
    assert config.model == bilm_config()
    assert config.corpus == CorpusConfig(train=["a.txt"])
    assert config.optimizer == OptimizerConfig()
    assert (config.num_steps, config.num_negatives, config.unroll_steps) == (10, 8192, 20)


def test_every_setting_comes_back_from_its_json():
    config = small_config(
        optimizer=OptimizerConfig(name="adagrad", learning_rate=0.2, final_learning_rate=0.1, weight_decay=0.01),
        corpus=CorpusConfig(train=["a", "b"], validation=["c"], tokenizer="moses", vocabulary_size=7),
        num_negatives=None,
        dropout=0,
        seed=3,
    )
    assert parse_config(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize("key", ["model", "corpus", "num_steps"])
def test_missing_keys(key):
    refused({k: v for k, v in MINIMAL.items() if k != key}, rf"^configuration misses the key\(s\) {key}$")


def test_missing_keys_of_a_section():
    refused({**MINIMAL, "corpus": {}}, r"^corpus misses the key\(s\) train$")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({**MINIMAL, "steps": 3}, r"^configuration has unknown key\(s\) steps; known are model, corpus, "),
        ({**MINIMAL, "corpus": {"train": [], "dev": []}}, r"^corpus has unknown key\(s\) dev; known are train, "),
        ({**MINIMAL, "optimizer": {"lr": 1}}, r"^optimizer has unknown key\(s\) lr; known are name, learning_rate, "),
        ({**MINIMAL, "model": {**MINIMAL["model"], "x": 1}}, r"^options has unknown key\(s\) x; known are "),
    ],
)
def test_unknown_keys(document, message):
    refused(document, message)


@pytest.mark.parametrize("document", [[], "text", None, 3])
def test_no_object(document):
    refused(document, r"^a configuration is a JSON object, got ")


@pytest.mark.parametrize("section", ["corpus", "optimizer"])
@pytest.mark.parametrize("value", [[1], "x", None])
def test_sections_that_are_no_object(section, value):
    refused({**MINIMAL, section: value}, rf"^{section} must be an object, got ")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("num_steps", True, "a whole number"),
        ("num_steps", "10", "a whole number"),
        ("num_steps", 10.0, "a whole number"),
        ("num_steps", None, "a whole number"),
        ("batch_size", [3], "a whole number"),
        ("num_negatives", True, "a whole number or null"),
        ("num_negatives", 1.5, "a whole number or null"),
        ("dropout", "0.1", "a number"),
        ("dropout", False, "a number"),
        ("seed", None, "a whole number"),
    ],
)
def test_values_of_another_type(key, value, wanted):
    refused({**MINIMAL, key: value}, rf"^configuration.{key} must be {wanted}, got ")


@pytest.mark.parametrize(
    ("section", "key", "value", "wanted"),
    [
        ("corpus", "train", "a.txt", "a list of strings"),
        ("corpus", "train", [1], "a list of strings"),
        ("corpus", "tokenizer", "spacy", "'whitespace' or 'moses'"),
        ("corpus", "tokenizer", None, "'whitespace' or 'moses'"),
        ("corpus", "vocabulary_file", 3, "a string or null"),
        ("corpus", "vocabulary_size", "big", "a whole number or null"),
        ("optimizer", "name", "sgd", "'adamw' or 'adagrad'"),
        ("optimizer", "learning_rate", True, "a number"),
        ("optimizer", "warmup_steps", 1.5, "a whole number"),
    ],
)
def test_values_of_another_type_in_a_section(section, key, value, wanted):
    document = {**MINIMAL, section: {**MINIMAL.get(section, {}), key: value}}
    refused(document, rf"^{section}.{key} must be {wanted}, got ")


def test_whole_numbers_are_numbers_and_null_is_no_negatives():
    config = parse_config({**MINIMAL, "dropout": 0, "num_negatives": None})
    assert config.dropout == 0
    assert config.num_negatives is None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc"), inner, max_size=2)),
       st.sampled_from(["model", "corpus", "optimizer", "num_steps", "num_negatives", "dropout"]))  # fmt: skip
def test_any_value_is_read_or_refused(value, key):
    document = {**MINIMAL, key: value}
    if refusal(parse_config, document) is None:
        config = parse_config(document)
        assert parse_config(config.to_json()) == config


def test_json_and_jsonnet_files(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(MINIMAL), "utf-8")
    jsonnet = f"// to run\nlocal steps = 5;\n{json.dumps(MINIMAL)[:-1]}, num_steps: 2 * steps}}"
    (tmp_path / "a.jsonnet").write_text(
        jsonnet.replace('"num_steps": 10, ', "").replace(', "num_steps": 10', ""), "utf-8"
    )
    assert read_config(tmp_path / "a.json") == read_config(tmp_path / "a.jsonnet") == parse_config(MINIMAL)


def test_the_configurations_of_this_project_are_read():
    found = sorted(CONFIGS.glob("*bilm*.jsonnet"))
    assert len(found) >= 1
    for path in found:
        assert read_config(path).num_steps > 0


def test_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match=r"^cannot read the configuration .*none.json: No such file or dir"):
        read_config(tmp_path / "none.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"{'a': 1}"])
def test_not_json(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^the configuration .*a.json is not JSON: "):
        read_config(tmp_path / "a.json")


def test_not_jsonnet(tmp_path):
    (tmp_path / "a.jsonnet").write_text("{ a: missing }", "utf-8")
    with pytest.raises(ConfigurationError, match=r"a.jsonnet is not valid jsonnet: [^\n]+$"):
        read_config(tmp_path / "a.jsonnet")


def test_jsonnet_without_its_reader(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rjsonnet", None)
    (tmp_path / "a.jsonnet").write_text("{}", "utf-8")
    with pytest.raises(
        ConfigurationError, match=r"needs jsonnet; install pytorch-elmo\[train\], or write plain JSON$"
    ):
        read_config(tmp_path / "a.jsonnet")


def test_a_file_is_named_in_its_errors(tmp_path):
    (tmp_path / "a.json").write_text("{}", "utf-8")
    with pytest.raises(
        ConfigurationError, match=r"a.json: configuration misses the key\(s\) corpus, model, num_steps$"
    ):
        read_config(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": []}, r"^corpus.train must name text, got \[\]; give paths, globs or folders$"),
        ({"validation_share": 1}, r"^corpus.validation_share must be at least 0 and below 1, got 1; 0.01 is 1 %$"),
        ({"validation_share": -0.1}, r"^corpus.validation_share must be at least 0 and below 1, got -0.1; "),
        ({"vocabulary_size": 3}, r"^corpus.vocabulary_size must be at least 4 \(.*\), got 3; raise it$"),
        ({"vocabulary_min_count": 0}, r"^corpus.vocabulary_min_count must be at least 1, got 0; 1 keeps all words$"),
        ({"documents": "page"}, r"^corpus.documents must be 'file' or 'blank_line' or 'line', got 'page'$"),
    ],
)
def test_corpora_that_cannot_be(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_config({**MINIMAL, "corpus": {**MINIMAL["corpus"], **settings}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": {"learning_rate": -1}}, r"optimizer.learning_rate must be above 0, got -1$"),
        ({"optimizer": {"gradient_clip": 0}}, r"optimizer.gradient_clip must be above 0, got 0$"),
        ({"optimizer": {"warmup_steps": -1}}, r"optimizer.warmup_steps must not be below 0, got -1$"),
        ({"batch_size": 0}, r"batch_size must be at least 1, got 0$"),
        ({"accumulation_steps": 0}, r"accumulation_steps must be at least 1, got 0$"),
        ({"dropout": 1.0}, r"dropout is a share from 0 to below 1, got 1.0$"),
        ({"sentence_restart_probability": 1.5}, r"sentence_restart_probability is a share from 0 to 1, got 1.5$"),
        ({"adaptive_cutoffs": [10]}, r"an adaptive softmax is not sampled, got num_negatives 8192; set it to null$"),
        ({"adaptive_cutoffs": ["10"]}, r"adaptive_cutoffs must be a list of whole numbers or null, got \['10'\]$"),
        ({"precision": "fp16"}, r"precision must be 'fp32' or 'bf16', got 'fp16'$"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_config({**MINIMAL, **settings})
