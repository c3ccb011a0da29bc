"""AllenNLP 0.9's and 2.x's archives loaded and run."""

import json
import logging
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.common import Params
from allennlp.data import Batch, Token, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import extracted_archive, load_archive
from allennlp.nn import util

from damage import Caught
from originals import COMMITTED
from pytorch_elmo.allennlp_plugin import archives, legacy_configs
from pytorch_elmo.allennlp_plugin.legacy_weights import select
from pytorch_elmo.allennlp_plugin.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.errors import ConfigurationError, WeightsError
from small_archives import NEEDED, write_archive

legacy_configs.install()
archives.install()

SENTENCE = ["The", "sea", "at", "night", "."]
ELMO_KEYS = {"options_file": "options.json", "weight_file": "weights.hdf5"}
PLACE = "model.text_field_embedder.elmo"
OLD_TAGGER = {
    "dataset_reader": {
        "type": "sequence_tagging",
        "token_indexers": {"elmo": {"type": "elmo_characters"}, "tokens": {"type": "single_id"}},
    },
    "model": {
        "type": "simple_tagger",
        "text_field_embedder": {
            "tokens": {"type": "embedding", "embedding_dim": 3, "pretrained_file": "gone.txt"},
            "elmo": {
                "type": "elmo_token_embedder",
                "dropout": 0.0,
                **{key: f"/trained/there/{name}" for key, name in ELMO_KEYS.items()},
            },
        },
        "encoder": {"type": "alternating_lstm", "input_size": 13, "hidden_size": 4, "num_layers": 2},
        "regularizer": [[".*scalar_parameters.*", {"type": "l2", "alpha": 0.001}]],
    },
    "iterator": {"type": "basic", "batch_size": 2},
    "train_data_path": "train",
    "trainer": {"num_epochs": 1},
}


def test_allennlp_unpacks_by_this_function(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    archive = write_archive(tmp_path / "a.tar.gz", {**NEEDED, "../x": b""})
    with pytest.raises(WeightsError, match="do not trust it"):
        load_archive(archive)
    assert list(tmp_path.iterdir()) == [archive]  # nothing is left behind
    with extracted_archive(write_archive(archive, NEEDED)) as folder:
        assert Path(folder, "weights.th").read_bytes() == b"w"
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("old_format", [False, True])
def test_weights_are_not_unpickled(old_format, tmp_path):
    weights = {"a": torch.ones(2), "b": Caught(tmp_path / "caught")}
    torch.save(weights, tmp_path / "weights.th", _use_new_zipfile_serialization=not old_format)
    with pytest.raises(WeightsError, match=r"must hold tensors and nothing else: .*; get it again") as error:
        util.read_state_dict(tmp_path / "weights.th")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "caught").exists()


def test_names_are_selected_as_allennlp_does():
    weights = {"model.a": torch.ones(1), "model.b": torch.zeros(1), "c": torch.ones(1)}
    assert list(select(weights, "model.", ["c"], True)) == ["a", "b"]
    assert list(select(weights, None, None, True)) == list(weights)
    with pytest.raises(ValueError, match=r"'strip_prefix' of 'other\.' was never used"):
        select(weights, "other.", None, True)
    with pytest.raises(ValueError, match=r"'ignore' pattern\(s\) \['d'\] were never used"):
        select(weights, None, ["d"], True)
    assert list(select(weights, "other.", ["d"], False)) == list(weights)


@pytest.fixture
def old_archive(tmp_path):
    """An archive as 0.9 wrote it, with ELMo's files inside, and the model in it."""
    folder = tmp_path / "run"
    vocabulary = Vocabulary(tokens_to_add={"tokens": SENTENCE, "labels": ["O", "B"]})
    vocabulary.save_to_files(str(folder / "vocabulary"))
    (folder / "vocabulary" / ".lock").unlink(missing_ok=True)
    (folder / "config.json").write_text(json.dumps(OLD_TAGGER))
    (folder / "fta").mkdir()
    for key, name in ELMO_KEYS.items():
        shutil.copy(COMMITTED / "clipped" / name, folder / "fta" / f"{PLACE}.{key}")
    listed = {f"{PLACE}.{key}": f"/trained/there/{name}" for key, name in ELMO_KEYS.items()}
    (folder / "files_to_archive.json").write_text(json.dumps(listed))
    config = Params.from_file(folder / "config.json")["model"]
    del config["text_field_embedder"]["token_embedders"]["tokens"]["pretrained_file"]
    model = Model.from_params(config, vocab=vocabulary).eval()
    weights = {name.replace(".cell.", "."): values for name, values in model.state_dict().items()}
    torch.save(weights, folder / "weights.th", _use_new_zipfile_serialization=False)
    return pack(folder), model


def pack(folder):
    """The folder of a run as an archive beside it."""
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as file:
        for path in sorted(folder.iterdir()):
            file.add(path, arcname=path.name)
    return archive


def logits(model, reader):
    instance = reader.text_to_instance([Token(word) for word in SENTENCE])
    reader.apply_token_indexers(instance)
    return model.eval().forward_on_instance(instance)["logits"]


def test_archive_of_0_9_loads_and_predicts(old_archive, caplog):
    path, model = old_archive
    with caplog.at_level(logging.INFO):
        archive = load_archive(path)
    assert isinstance(archive.model.text_field_embedder.token_embedder_elmo, ElmoTokenEmbedder)
    np.testing.assert_array_equal(
        logits(archive.model, archive.dataset_reader), logits(model, archive.dataset_reader)
    )
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("pytorch_elmo")]
    assert "0.9 to 2.x: model.text_field_embedder: elmo, tokens in token_embedders" in lines
    assert not [line for line in lines if "\n" in line]


@pytest.mark.parametrize("place", [PLACE, "model.text_field_embedder.token_embedders.elmo"])
def test_overrides_name_places_of_either_form(place, old_archive, tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"elmo\.options_file of the archive must be a file, /mine is not there"
    ):
        load_archive(old_archive[0], overrides={f"{place}.options_file": "/mine"})
    options = COMMITTED / "clipped" / "options.json"
    archive = load_archive(old_archive[0], overrides={f"{place}.options_file": str(options)})
    assert logits(archive.model, archive.dataset_reader).shape == (len(SENTENCE), 2)


def test_archive_without_elmos_files_says_how_to_name_them(old_archive, tmp_path, caplog):
    shutil.rmtree(tmp_path / "run" / "fta")
    with pytest.raises(ConfigurationError, match="must be a file") as error:
        load_archive(pack(tmp_path / "run"))
    message = str(error.value)
    assert "/trained/there/options.json is not there" in message
    overrides = json.loads(message.split("--overrides '")[1].rstrip("'"))
    assert list(overrides) == [f"model.text_field_embedder.token_embedders.elmo.{key}" for key in ELMO_KEYS]
    assert f"{PLACE}.options_file: " in caplog.text
    files = {place: str(COMMITTED / "clipped" / ELMO_KEYS[place.rpartition(".")[2]]) for place in overrides}
    assert load_archive(pack(tmp_path / "run"), overrides=files).model


def outputs(archive, instances):
    batch = Batch(instances)
    batch.index_instances(archive.model.vocab)
    with torch.no_grad():
        return archive.model.eval()(**batch.as_tensor_dict())


def path_score(model, tags, probabilities):
    ids = [model.vocab.get_token_index(tag, "labels") for tag in tags]
    return sum(probabilities[place, tag].item() for place, tag in enumerate(ids))


@pytest.mark.parametrize("suffix", ["", "_requires_grad"])
def test_golden_archives_of_0_9(suffix, golden_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the paths in the archive lead nowhere from here
    folder = golden_folder / "archive_0.9.0"
    archive = load_archive(folder / f"model{suffix}.tar.gz")
    expected = json.loads((folder / f"archive{suffix}.json").read_text("utf-8"))["outputs"]
    numbers = np.load(folder / f"archive{suffix}.npz", allow_pickle=False)
    for split in ("dev", "train"):
        found = outputs(archive, list(archive.dataset_reader.read(folder / "data" / split)))
        for name, tolerance in (("class_probabilities", 1e-5), ("logits", 2e-5), ("loss", 1e-5)):
            there = numbers[f"{split}__{name}" if name == "class_probabilities" else f"{split}__{name}_call0"]
            np.testing.assert_allclose(found[name].numpy(), there, rtol=0, atol=tolerance)
        tags = archive.model.make_output_human_readable(dict(found))["tags"]
        for ours, theirs, probabilities in zip(
            tags, expected[split]["tags"], found["class_probabilities"], strict=True
        ):
            scores = [path_score(archive.model, path, probabilities) for path in (ours, theirs)]
            # 2.x's decoder adds 100000 to each score, in float32: what is nearer than its rounding can tie.
            assert ours == theirs or abs(scores[0] - scores[1]) < len(theirs) / 256
    penalty = archive.model.get_regularization_penalty().item()
    assert abs(penalty - expected["regularization penalty"]) < 1e-9


def test_golden_archive_of_2_10_1(golden_folder, monkeypatch):
    monkeypatch.chdir(golden_folder)  # 2.x leaves ELMo's files where they are
    archive = load_archive(golden_folder / "archive_2.10.1" / "model.tar.gz")
    texts = json.loads((golden_folder / "archive_2.10.1" / "archive.json").read_text("utf-8"))["texts"]
    instances = [archive.dataset_reader.text_to_instance(text) for text in texts]
    for instance in instances:
        archive.dataset_reader.apply_token_indexers(instance)
    there = np.load(golden_folder / "archive_2.10.1" / "archive.npz", allow_pickle=False)["logits_call0"]
    np.testing.assert_allclose(outputs(archive, instances)["logits"].numpy(), there, rtol=0, atol=1e-5)
