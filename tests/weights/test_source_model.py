"""Sources that are told too much, say too little, or are none."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pytorch_elmo.errors import ConfigurationError, OptionsError, PytorchElmoError, WeightsError
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.load import model_hash, save_pretrained
from pytorch_elmo.weights.options import format_options
from pytorch_elmo.weights.own_format import save_softmax
from pytorch_elmo.weights.source_model import SourceOptions, read_source
from random_models import bilm_config, random_bilm
from small_archives import archive_of
from trained_by_bilm_tf import WORDS, random_softmax, write_trained


def read(source, **told):
    return read_source(source, SourceOptions(**told), SilentProgress())


@pytest.fixture
def files(tmp_path, small_model, monkeypatch):
    """One source of each kind, with the words and the options in files of their own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    (tmp_path / "options.json").write_text(json.dumps(format_options(small_model.config)), encoding="utf-8")
    save_pretrained(small_model, tmp_path / "own")
    save_pretrained(small_model, tmp_path / "scoring")
    save_softmax(random_softmax(5), Vocabulary(WORDS), tmp_path / "scoring" / "softmax.safetensors")
    write_trained(tmp_path / "trained", small_model, random_softmax(5))
    write_trained(tmp_path / "silent", small_model)
    archive_of(tmp_path / "task.tar.gz", small_model, {"model": {"options_file": "options.json"}})
    save_file(small_model.state_dict(), tmp_path / "task.safetensors")
    return tmp_path


def test_every_kind(files, small_model, small_model_folder):
    """They hold one and the same model."""
    kinds = {
        "own": read("own"),
        "own file": read("own/bilm.safetensors"),
        "allennlp": read(small_model_folder),
        "allennlp file": read(small_model_folder / "weights.hdf5"),
        "bilm-tf": read("trained"),
        "bilm-tf file": read("trained/model.ckpt-60.index"),
    }
    for name, model in kinds.items():
        assert model.kind == name.removesuffix(" file")
        assert model_hash(model.bilm) == model_hash(small_model)
    state_dicts = read("task.tar.gz"), read("task.safetensors", options_file=files / "options.json")
    assert [model.kind for model in state_dicts] == ["archive", "state dict"]
    assert model_hash(state_dicts[0].bilm) == model_hash(state_dicts[1].bilm)


def test_a_named_model():
    model = read("default")
    assert (model.kind, model.bilm.config.dim, len(model.vocabulary)) == ("own", 256, len(model.softmax.weight))


@pytest.mark.parametrize(
    ("source", "told", "message"),
    [
        ("own", "options_file", "own is a model with its own options, --options-file options.json was given; leave"),
        ("own", "prefix", "own is a model with its own options, --prefix a was given; leave it out"),
        ("own", "vocabulary_file", "own has no softmax, --vocabulary words.txt was given; leave it out"),
        (
            "scoring",
            "vocabulary_file",
            "scoring/softmax.safetensors has its own vocabulary, --vocabulary words.txt was",
        ),
        ("own/bilm.safetensors", "options_file", "bilm.safetensors is a model with its own options, --options-file"),
        ("own/bilm.safetensors", "prefix", "bilm.safetensors is a model with its own options, --prefix a was given"),
        (
            "own/bilm.safetensors",
            "vocabulary_file",
            "bilm.safetensors has no softmax, --vocabulary words.txt was given",
        ),
        ("trained", "prefix", "trained is a checkpoint of a biLM alone, --prefix a was given; leave it out"),
        ("silent", "vocabulary_file", "silent/model.ckpt-60 has no softmax, --vocabulary words.txt was given"),
        ("task.tar.gz", "vocabulary_file", "task.tar.gz has no softmax, --vocabulary words.txt was given; leave it"),
        ("task.safetensors", "vocabulary_file", "task.safetensors has no softmax, --vocabulary words.txt was given"),
    ],
)
def test_what_a_source_has_no_use_for(files, source, told, message):
    value = {"options_file": "options.json", "vocabulary_file": "words.txt", "prefix": "a"}[told]
    with pytest.raises(ConfigurationError) as caught:
        read(source, **{told: value})
    assert message in str(caught.value)


def test_a_prefix_for_a_weight_file(small_model_folder):
    with pytest.raises(
        ConfigurationError, match=r"weights\.hdf5 is a biLM alone, --prefix a was given; leave it out"
    ):
        read(small_model_folder / "weights.hdf5", prefix="a")


def test_a_vocabulary_of_another_length(files):
    (files / "few.txt").write_text("<S>\n</S>\n<UNK>\n")
    with pytest.raises(
        ConfigurationError, match=r"model\.ckpt-60 predicts 6 words, the vocabulary few\.txt has 3; name"
    ):
        read("trained", vocabulary_file=Path("few.txt"))


def test_no_options_beside_a_file(files, small_model_folder):
    (files / "trained" / "options.json").unlink()
    with pytest.raises(OptionsError, match=r"cannot read the options file trained/options\.json: No such file"):
        read("trained")


def test_archives_that_leave_it_open(files, small_model):
    other = random_bilm(bilm_config(), dtype=torch.float32)
    clips = format_options(small_model.config)
    clips["lstm"]["cell_clip"] = 9.0
    (files / "clips.json").write_text(json.dumps(clips))
    (files / "other.json").write_text(json.dumps(format_options(other.config)))
    for named, message in (
        ({}, r"not here \(its configuration names none\); give it with --options-file"),
        ({"a": {"options_file": "gone"}}, r"not here \(model\.a\.options_file is gone\); give it with"),
        (
            {"a": {"options_file": "other.json"}},
            r"for which its options have no place \(model\.a\.options_file\); name the options file with",
        ),
        (
            {"a": {"options_file": "options.json"}, "b": {"options_file": "clips.json"}},
            r"names options files that differ, model\.a\.options_file, model\.b\.options_file; say which with",
        ),
    ):
        archive_of(files / "a.tar.gz", small_model, {"model": named})
        with pytest.raises(PytorchElmoError, match=message):
            read("a.tar.gz")
    named = {"a": {"options_file": "options.json"}, "b": {"options_file": "other.json"}}
    archive_of(files / "a.tar.gz", small_model, {"model": named})
    assert read("a.tar.gz").bilm.config == small_model.config  # that of b is not of this architecture
    assert read("a.tar.gz", options_file=files / "clips.json").bilm.config.lstm.cell_clip == 9.0


def test_files_that_are_no_model(files):
    with pytest.raises(
        ConfigurationError, match=r"a model's file ends in \.hdf5, .*\.tar\.gz, words\.txt does not; name"
    ):
        read("words.txt")
    (files / "bad.safetensors").write_bytes(b"x" * 40)
    with pytest.raises(WeightsError, match=r"bad\.safetensors is no whole safetensors file: .*; fetch it anew"):
        read("bad.safetensors")
    save_file({"a": torch.ones(1)}, files / "other.safetensors")
    with pytest.raises(WeightsError, match=r"other\.safetensors holds no biLM: none of its 1 tensors"):
        read("other.safetensors")
    save_file({"a": torch.ones(1)}, files / "run.safetensors", metadata={"format": "pytorch_elmo.checkpoint"})
    message = r"run\.safetensors is a run's checkpoint; elmo pretrain writes the model of it to OUTPUT/model"
    with pytest.raises(WeightsError, match=message):
        read("run.safetensors")
