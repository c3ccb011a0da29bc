"""`elmo models`, and named models as `embed-to-hdf5` takes them; a folder stands in for the server."""

import json
import re
import shutil

import h5py
import pytest

from pytorch_elmo.files import sha256_of
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


def test_all_are_listed_with_sizes_and_what_is_here(run_elmo, cache):
    ended = run_elmo("models")
    assert ended.code == 0
    heading, *rows, place = ended.out.splitlines()
    assert heading.split() == ["name", "parameters", "download", "dim", "sha256", "here", "trained", "on"]
    assert [row.split()[0] for row in rows] == list(MODELS)
    assert len({row.index(MODELS[row.split()[0]].description) for row in rows} | {heading.index("trained")}) == 1
    cells = {row.split()[0]: re.split(" {2,}", row)[1:-1] for row in rows}
    assert cells["small"] == ["13.6 M", "54.4 MB", "256", "known", "no"]
    assert cells["medium"] == ["28.0 M", "~112.1 MB", "512", "?", "no"]
    assert cells["pt-wikipedia"] == ["?", "?", "?", "?", "no"]
    assert cells["default"][1:] == ["none", "256", "none", "yes"]
    assert place == f"downloads are kept in {cache}"


def test_what_is_here_is_described_from_its_files(run_elmo, cache, small_model):
    assert run_elmo("models", "pt-wikipedia", "--trust-first-download").code == 0
    (cache / "pt-brwac").mkdir()
    (cache / "pt-brwac" / "weights.hdf5.partial").write_bytes(bytes(1_500_000))
    rows = {line.split()[0]: re.split(" {2,}", line)[1:-1] for line in run_elmo("models").out.splitlines()}
    assert rows["pt-wikipedia"] == ["0.0 M", "~0.0 MB", str(small_model.config.dim), "recorded", "yes"]
    assert rows["pt-brwac"][-1] == "1.5 MB of it"
    models = {model["name"]: model for model in json.loads(run_elmo("models", "--json").out)}
    here = models["pt-wikipedia"]
    with h5py.File(cache / "pt-wikipedia" / "weights.hdf5") as file:
        sizes = []
        file.visititems(lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    assert (here["parameters"], here["dim"], here["folder"]) == (sum(sizes), 10, str(cache / "pt-wikipedia"))
    (cache / "pt-wikipedia" / "options.json").write_text("{")
    assert " no " in run_elmo("models").out.splitlines()[1 + list(MODELS).index("pt-wikipedia")]


def test_the_list_as_json(run_elmo):
    models = {model["name"]: model for model in json.loads(run_elmo("models", "--json").out)}
    assert list(models) == list(MODELS)
    small = MODELS["small"]
    assert models["small"] == {
        "name": "small",
        "parameters": 13_593_296,
        "dim": 256,
        "download_bytes": small.weights.size,
        "sha256": small.weights.sha256,
        "folder": None,
        "bytes_begun": 0,
        "trained_on": small.description,
        "licence": small.licence,
    }
    assert models["pubmed"]["download_bytes"] is None
    assert models["default"]["folder"].endswith("default")


def test_a_folder(run_elmo, small_model_folder, small_model):
    ended = run_elmo("models", small_model_folder)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        f"folder  {small_model_folder}",
        "layers  3 of 10 dimensions",
        f"hash    {model_hash(small_model)}",
    ]
    assert json.loads(run_elmo("models", small_model_folder, "--json").out) == {
        "name": str(small_model_folder),
        "folder": str(small_model_folder),
        "layers": 3,
        "dim": 10,
        "hash": model_hash(small_model),
        "licence": None,
    }


def test_an_unknown_name(run_elmo):
    ended = run_elmo("models", "midium")
    assert ended.code == 1
    assert ended.out == ""
    assert re.fullmatch(
        r"elmo models: error: no model or folder is called 'midium'; did you mean medium\? models are .*\n", ended.err
    )


def test_where_no_sha256_is_known_a_model_is_fetched_only_when_it_is_trusted(run_elmo, small_model, cache):
    ended = run_elmo("models", "pt-wikipedia")
    assert ended.code == 1
    assert ended.last_line.startswith("elmo models: error: pt-wikipedia: its sha256 is not known")
    assert list(cache.iterdir()) == []
    ended = run_elmo("models", "pt-wikipedia", "--trust-first-download")
    assert ended.code == 0, ended.err
    assert f"hash    {model_hash(small_model)}" in ended.out
    assert f"licence {MODELS['pt-wikipedia'].licence}" in ended.out


def test_a_sha256_decides(run_elmo, small_model_folder):
    sha256 = sha256_of(small_model_folder / "weights.hdf5")
    refused = run_elmo("models", "pt-wikipedia", "--sha256", "0" * 64)
    assert refused.code == 1
    assert f"the file must have sha256 {'0' * 64}, it has {sha256}; (1) download" in refused.last_line
    assert run_elmo("models", "pt-wikipedia", "--sha256", sha256).code == 0
    assert run_elmo("models", "pt-wikipedia").code == 0
    assert run_elmo("models", "pt-wikipedia", "--sha256", "abc").code == 2
    assert run_elmo("models", small_model_folder, "--sha256", sha256).code == 2


def test_embedding_with_a_named_model(cache, text, embed, monkeypatch):
    refused = embed(text, "out.hdf5", "--model", "pt-wikipedia", "-q")
    assert refused.code == 1
    assert refused.err.startswith("embed-to-hdf5: error: pt-wikipedia: its sha256 is not known")
    assert embed(text, "out.hdf5", "--model", "pt-wikipedia", "--trust-first-download").code == 0
    sha256 = sha256_of(cache / "pt-wikipedia" / "weights.hdf5")
    assert embed(text, "known.hdf5", "--model", "pt-wikipedia", "--sha256", sha256).code == 0
    assert embed(text, "no.hdf5", "--model", "pt-wikipedia", "--sha256", "0" * 64).code == 1
    assert embed(text, "no.hdf5", "--options-file", "o", "--weight-file", "w", "--sha256", sha256).code == 2
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
