"""`elmo models`, and named models as `embed-to-hdf5` takes them; a folder stands in for the server."""

import re
import shutil

import pytest

from pytorch_elmo.pretrained import MODELS
from pytorch_elmo.weights.load import model_hash


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch, small_model_folder):
    """An empty cache, and a mirror that has one model: not the one that the name means, but a small one."""
    cache, mirror = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("mirror")
    there = mirror / "contributed" / "pt" / "wikipedia"
    there.mkdir(parents=True)
    shutil.copy(small_model_folder / "options.json", there / "options.json")
    shutil.copy(small_model_folder / "weights.hdf5", there / "elmo_pt_weights.hdf5")
    monkeypatch.setenv("PYTORCH_ELMO_CACHE", str(cache))
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", mirror.as_uri())
    return cache


def test_all_are_listed(run_elmo):
    ended = run_elmo("models")
    assert ended.code == 0
    lines = {line.split()[0]: line for line in ended.out.splitlines()}
    assert set(lines) == set(MODELS)
    assert all(entry.description in lines[name] for name, entry in MODELS.items())
    assert "  here  " not in lines["pt-wikipedia"]


def test_a_folder(run_elmo, small_model_folder, small_model):
    ended = run_elmo("models", small_model_folder)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        f"folder  {small_model_folder}",
        "layers  3 of 10 dimensions",
        f"hash    {model_hash(small_model)}",
    ]


def test_an_unknown_name(run_elmo):
    ended = run_elmo("models", "midium")
    assert ended.code == 1
    assert ended.out == ""
    assert re.fullmatch(
        r"elmo models: error: no model or folder is called 'midium'; did you mean medium\? models are .*\n", ended.err
    )


def test_an_unverified_model_is_fetched_only_when_that_is_accepted(run_elmo, small_model, cache):
    ended = run_elmo("models", "pt-wikipedia")
    assert ended.code == 1
    assert ended.last_line.startswith("elmo models: error: pt-wikipedia: its sha256 is not known")
    assert list(cache.iterdir()) == []
    ended = run_elmo("models", "pt-wikipedia", "--accept-unverified")
    assert ended.code == 0, ended.err
    assert f"hash    {model_hash(small_model)}" in ended.out
    assert f"licence {MODELS['pt-wikipedia'].licence}" in ended.out
    assert "  here  " in run_elmo("models").out.splitlines()[list(MODELS).index("pt-wikipedia")]


def test_embedding_with_a_named_model(run_elmo, text, embed, monkeypatch):
    refused = embed(text, "out.hdf5", "--model", "pt-wikipedia", "-q")
    assert refused.code == 1
    assert refused.err.startswith("embed-to-hdf5: error: pt-wikipedia: its sha256 is not known")
    assert embed(text, "out.hdf5", "--model", "pt-wikipedia", "--accept-unverified").code == 0
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", "file:///nowhere")  # what is cached never asks again
    assert embed(text, "again.hdf5", "--model", "pt-wikipedia").code == 0


def test_a_download_that_fails_names_the_ways_to_go_on(text, embed, monkeypatch, cache):
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", (cache / "nothing").as_uri())
    ended = embed(text, "out.hdf5", "--model", "small", "-q")
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert "small could not be fetched" in ended.err
    for way in ("--options-file and --weight-file", "PYTORCH_ELMO_MIRROR", "'default'"):
        assert way in ended.err
    assert not (cache.parent / "out.hdf5").exists()
