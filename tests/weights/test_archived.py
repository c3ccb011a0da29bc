"""Task models in AllenNLP's archives, and which options file is theirs."""

import json
import resource

import pytest

from originals import read_original
from pytorch_elmo.errors import ConfigurationError, OptionsError, WeightsError
from pytorch_elmo.weights.archived import is_archive, read_archive
from pytorch_elmo.weights.fine_tuned import find_bilm
from pytorch_elmo.weights.options import format_options
from small_archives import archive_of


def config_of(options_file: str) -> dict:
    return {"model": {"text_field_embedder": {"token_embedders": {"elmo": {"options_file": options_file}}}}}


PLACE = "model.text_field_embedder.token_embedders.elmo.options_file"


def test_archives_of_0_9_bring_their_options(golden_folder):
    for suffix in ("", "_requires_grad"):
        path = golden_folder / "archive_0.9.0" / f"model{suffix}.tar.gz"
        assert is_archive(path)
        archived = read_archive(path)
        expected = read_original(golden_folder, "syn2").config
        assert archived.options == {"model.text_field_embedder.elmo.options_file": expected}
        assert archived.absent == {}
        prefix, _ = find_bilm(archived.tensors, "it")
        assert prefix == "text_field_embedder.token_embedder_elmo._elmo._elmo_lstm."


def test_an_archive_of_2_names_files_that_are_elsewhere(golden_folder, tmp_path, monkeypatch):
    path = golden_folder / "archive_2.10.1" / "model.tar.gz"
    monkeypatch.chdir(tmp_path)
    archived = read_archive(path)
    assert archived.options == {}
    assert archived.absent == {PLACE: "models/syn1/options.json"}
    monkeypatch.chdir(golden_folder)
    assert read_archive(path).options == {PLACE: read_original(golden_folder, "syn1").config}
    assert read_archive(path, with_options=False).options == {}


def test_options_by_the_name_or_the_folder_of_a_model(tmp_path, small_model, small_model_folder):
    for named in ("default", str(small_model_folder)):
        config = {"model": {"a": [{"type": "elmo_token_embedder", "model": named}, {"type": "other", "model": "x"}]}}
        archived = read_archive(archive_of(tmp_path / "a.tar.gz", small_model, config))
        assert archived.options.keys() == {"model.a.0.model"}
        assert (archived.options["model.a.0.model"] == small_model.config) == (named != "default")


@pytest.mark.parametrize(
    "publisher", ["https://allennlp.s3.amazonaws.com", "https://s3-us-west-2.amazonaws.com/allennlp"]
)
def test_a_published_model_that_is_not_cached(tmp_path, small_model, monkeypatch, publisher):
    monkeypatch.setenv("PYTORCH_ELMO_CACHE", str(tmp_path / "cache"))
    stem = "2x1024_128_2048cnn_1xhighway"
    address = f"{publisher}/models/elmo/{stem}/elmo_{stem}_options.json"
    archived = read_archive(archive_of(tmp_path / "a.tar.gz", small_model, config_of(address)))
    assert archived.absent == {PLACE: address}


def test_archives_that_are_damaged(tmp_path, small_model):
    archive_of(tmp_path / "a.tar.gz", small_model, config_of("x"), **{"config.json": b"{"})
    with pytest.raises(WeightsError, match=r"config\.json of .*a\.tar\.gz must be JSON: .*; get the archive again"):
        read_archive(tmp_path / "a.tar.gz")
    archive_of(tmp_path / "a.tar.gz", small_model, config_of("x"), **{"files_to_archive.json": b"[]"})
    with pytest.raises(
        WeightsError, match=r"files_to_archive\.json of .* must be a JSON object; get the archive again"
    ):
        read_archive(tmp_path / "a.tar.gz")
    archive_of(tmp_path / "a.tar.gz", small_model, config_of("x"), **{"meta.json": b'{"version": "4.0"}'})
    with pytest.raises(ConfigurationError, match=r"from AllenNLP 0\.9, 1\.x or 2\.x, .* says version '4\.0'"):
        read_archive(tmp_path / "a.tar.gz")
    listed = {"files_to_archive.json": json.dumps({PLACE: "x"}).encode(), f"fta/{PLACE}": b"{}"}
    archive_of(tmp_path / "a.tar.gz", small_model, config_of("x"), **listed)
    with pytest.raises(OptionsError, match="options without 'char_cnn'"):
        read_archive(tmp_path / "a.tar.gz")


def test_options_that_the_archive_brings_go_before_files_of_that_name(tmp_path, small_model, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("not looked at")
    kept = json.dumps(format_options(small_model.config)).encode()
    listed = {"files_to_archive.json": json.dumps({PLACE: "x"}).encode(), f"fta/{PLACE}": kept}
    archive_of(tmp_path / "a.tar.gz", small_model, config_of("x"), **listed)
    assert read_archive(tmp_path / "a.tar.gz").options == {PLACE: small_model.config}


def test_no_room_to_unpack(tmp_path, small_model):
    path = archive_of(tmp_path / "a.tar.gz", small_model, config_of("x"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(WeightsError, match=r"a\.tar\.gz cannot be unpacked into a temporary folder: .*TMPDIR"):
            read_archive(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
