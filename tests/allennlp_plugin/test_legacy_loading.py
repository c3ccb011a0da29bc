"""0.9's configurations as AllenNLP loads them: the how-to's trains as it is written there."""

import json
import logging

import pytest

pytest.importorskip("allennlp_models")

from allennlp.commands.train import train_model_from_file
from allennlp.common import Params

from old_configurations import NEW, OLD, old
from originals import COMMITTED
from pytorch_elmo.allennlp_plugin import archives, legacy_configs
from pytorch_elmo.errors import ConfigurationError

legacy_configs.install()
archives.install()

# 0.9's SRL configuration with the how-to's three edits, smaller: 5 + 10 + 4 numbers go into the encoder.
HOW_TO = """{
  "dataset_reader": {
    "type": "srl",
    "token_indexers": {
      "tokens": {"type": "single_id", "lowercase_tokens": true},
      "elmo": {"type": "elmo_characters"}
    }
  },
  "train_data_path": std.extVar("DATA"),
  "validation_data_path": std.extVar("DATA"),
  "model": {
    "type": "srl",
    "text_field_embedder": {
      "tokens": {"type": "embedding", "embedding_dim": 5, "trainable": true},
      "elmo": {
        "type": "elmo_token_embedder",
        "options_file": std.extVar("ELMO") + "/options.json",
        "weight_file": std.extVar("ELMO") + "/weights.hdf5",
        "do_layer_norm": false,
        "dropout": 0.5
      }
    },
    "initializer": [["tag_projection_layer.*weight", {"type": "orthogonal"}]],
    "regularizer": [[".*scalar_parameters.*", {"type": "l2", "alpha": 0.001}]],
    "encoder": {
      "type": "alternating_lstm",
      "input_size": 19,
      "hidden_size": 6,
      "num_layers": 2,
      "recurrent_dropout_probability": 0.1,
      "use_highway": true
    },
    "binary_feature_dim": 4
  },
  "iterator": {"type": "bucket", "sorting_keys": [["tokens", "num_tokens"]], "batch_size": 2},
  "trainer": {
    "num_epochs": 2,
    "grad_clipping": 1.0,
    "patience": 20,
    "num_serialized_models_to_keep": 1,
    "validation_metric": "-loss",
    "cuda_device": 0,
    "optimizer": {"type": "adadelta", "rho": 0.95}
  }
}
"""
SENTENCES = (
    (
        ("The", "*", "(ARG0*"),
        ("sea", "*", "*)"),
        ("takes", "take", "(V*)"),
        ("boats", "*", "(ARG1*)"),
        (".", "*", "*"),
    ),
    (("Rain", "*", "(ARG0*)"), ("falls", "fall", "(V*)"), (".", "*", "*")),
    (("Anna", "*", "(ARG0*)"), ("sees", "see", "(V*)"), ("it", "*", "(ARG1*)")),
)


def conll(sentences):
    """The columns of CoNLL-2012, one predicate a sentence."""
    lines = ["#begin document (here); part 000"]
    for words in sentences:
        for place, (word, predicate, argument) in enumerate(words):
            lemma, sense = (predicate, "01") if predicate != "*" else ("-", "-")
            tree = "(TOP*" if place == 0 else "*)" if place == len(words) - 1 else "*"
            columns = ("here", 0, place, word, "NN", tree, lemma, sense, "-", "-", "*", argument, "-")
            lines.append("   ".join(map(str, columns)))
        lines.append("")
    return "\n".join([*lines, "#end document", ""])


def test_configuration_of_the_how_to_trains(tmp_path, monkeypatch, caplog):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample.gold_conll").write_text(conll(SENTENCES))
    (tmp_path / "srl.jsonnet").write_text(HOW_TO)
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ELMO", str(COMMITTED / "clipped"))
    with caplog.at_level(logging.INFO):
        Params.from_file(tmp_path / "srl.jsonnet")
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("legacy_loading")]
    assert len(lines) == 6
    assert all(line.startswith("0.9 to 2.x: ") and "\n" not in line for line in lines)
    train_model_from_file(tmp_path / "srl.jsonnet", tmp_path / "out", file_friendly_logging=True)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["epoch"] == 1  # the second
    assert 0 < metrics["training_loss"] < 10
    kept = json.loads((tmp_path / "out" / "config.json").read_text())
    assert "iterator" not in kept
    assert (tmp_path / "out" / "model.tar.gz").is_file()


def written(tmp_path, config):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(
    "overrides",
    ['{"iterator.batch_size": 7}', '{"data_loader.batch_sampler.batch_size": 7}', {"iterator.batch_size": 7}],
)
def test_overrides_name_places_of_either_form(overrides, tmp_path):
    config = Params.from_file(written(tmp_path, OLD), overrides)
    assert config["data_loader"]["batch_sampler"]["batch_size"] == 7


def test_override_of_nothing_is_allennlps_error(tmp_path):
    with pytest.raises(ValueError, match="unused keys"):
        Params.from_file(written(tmp_path, OLD), '{"no.such.place": 7}')


def test_new_configuration_is_loaded_in_silence(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        assert Params.from_file(written(tmp_path, NEW)).as_dict(quiet=True) == NEW
    assert not [record for record in caplog.records if record.name.startswith("pytorch_elmo")]


def test_what_cannot_be_translated_is_refused_on_loading(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"^model\.type: AllenNLP 2\.x has no such Model, it is 'event2mind'"
    ):
        Params.from_file(written(tmp_path, old(model__type="event2mind")))


def test_files_that_are_no_experiments_are_left_alone(tmp_path):
    card = {"id": "a", "iterator": "of another kind"}
    assert Params.from_file(written(tmp_path, card)).as_dict(quiet=True) == card
