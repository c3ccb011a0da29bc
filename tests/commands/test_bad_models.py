"""Models that cannot be run: one line, exit code 1 for what the files hold, and no output begun."""

import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest


@pytest.fixture
def model(folder, small_model_folder) -> Path:
    """A copy of the small model to do harm to."""
    shutil.copytree(small_model_folder, folder / "model")
    return Path("model")


@pytest.fixture
def refused(text, embed):
    """Run the command with a model that must be refused."""

    def refused(*arguments: object, message: str, code: int = 1) -> None:
        ended = embed(text, "out.hdf5", "-q", *arguments)
        assert ended.code == code
        assert len(ended.err.splitlines()) == 1, ended.err
        assert re.match("embed-to-hdf5: error: " + message, ended.err), ended.err
        assert list(Path().glob("out*")) == []

    return refused


def without(options: dict, section: str, key: str) -> dict:
    return {**options, section: {name: value for name, value in options[section].items() if name != key}}


def with_value(options: dict, section: str, key: str, value: object) -> dict:
    return {**options, section: {**options[section], key: value}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: without(o, "lstm", "dim"), r"lstm misses the key\(s\) dim; a biLM needs them"),
        (lambda o: with_value(o, "lstm", "peepholes", True), r"lstm has unknown key\(s\) peepholes; known are .*dim"),
        (lambda o: {**o, "colour": "red"}, r"options has unknown key\(s\) colour; known are"),
        (lambda o: with_value(o, "lstm", "dim", "8"), "lstm.dim must be a whole number from 1, got '8'"),
        (
            lambda o: with_value(o, "lstm", "cell_clip", -1),
            "lstm.cell_clip must be a number from 0, or null .* got -1",
        ),
        (lambda o: with_value(o, "lstm", "use_skip_connections", 1), "must be true or false, got 1"),
        (
            lambda o: with_value(o, "char_cnn", "filters", [[1]]),
            r"filters holds \[width, number\] pairs .* got \[1\]",
        ),
        (lambda o: {**o, "char_cnn": 3}, "char_cnn must be an object, got 3"),
        (lambda o: [o], "the options must be an object, got"),
        (
            lambda o: {"lstm": o["lstm"]},
            "options without 'char_cnn' describe a word-input biLM, which is not run here",
        ),
        (
            lambda o: {**o, "bidirectional": False},
            "'bidirectional' must be true, got false: one direction alone is not",
        ),
        (lambda o: with_value(o, "char_cnn", "max_characters_per_token", 30), "must be 50, got 30: not run here"),
        (lambda o: with_value(o, "char_cnn", "activation", "gelu"), "activation .*got 'gelu'"),
        (lambda o: with_value(o, "char_cnn", "n_characters", 128), "n_characters is 261 .* or 262, got 128"),
    ],
)
def test_options(refused, model, change, message):
    path = model / "options.json"
    path.write_text(json.dumps(change(json.loads(path.read_text("utf-8")))), encoding="utf-8")
    refused("--model", model, message=f"model/options.json: .*{message}")


@pytest.mark.parametrize("content", [b"{", b"\xff{}", b""])
def test_options_that_are_not_json(refused, model, content):
    (model / "options.json").write_bytes(content)
    refused("--model", model, message="the options file model/options.json is not JSON: ")


def delete(file: h5py.File) -> None:
    del file["RNN_0/RNN/MultiRNNCell/Cell1/LSTMCell/B"]


def add(file: h5py.File) -> None:
    file["CNN/W_cnn_7"] = np.zeros(3, dtype=np.float32)


def reshape(file: h5py.File) -> None:
    del file["char_embed"]
    file["char_embed"] = np.zeros((261, 4), dtype=np.float32)


def not_a_number(file: h5py.File) -> None:
    file["CNN_proj/W_proj"][0, 0] = np.nan


def integers(file: h5py.File) -> None:
    del file["CNN_proj/b_proj"]
    file["CNN_proj/b_proj"] = np.zeros(5, dtype=np.int32)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (delete, r"misses 1 dataset\(s\), first RNN_0/RNN/MultiRNNCell/Cell1/LSTMCell/B \(32,\); is it the file"),
        (add, r"1 dataset\(s\) have no place in the network .* first CNN/W_cnn_7; nothing was loaded"),
        (reshape, r"dataset char_embed has shape \(261, 4\), the options promise \(261, 3\); take the options file"),
        (not_a_number, "dataset CNN_proj/W_proj holds NaN or infinity; the file is damaged, fetch it anew"),
        (integers, "dataset CNN_proj/b_proj holds int32, weights are floating point numbers"),
    ],
)
def test_weights(refused, model, harm, message):
    with h5py.File(model / "weights.hdf5", "r+") as file:
        harm(file)
    refused("--model", model, message=f"model/weights.hdf5: {message}")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_weights_cut_short(refused, model, share):
    path = model / "weights.hdf5"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused("--model", model, message="model/weights.hdf5 cannot be read as HDF5, it is damaged or cut short: ")


def test_weights_that_are_not_hdf5(refused, model):
    shutil.copy(model / "options.json", model / "weights.hdf5")
    refused("--model", model, message="model/weights.hdf5 cannot be read as HDF5, it is damaged or cut short: ")


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_a_layer_file_given_as_weights(refused, model, text, embed, layout):
    assert embed(text, model / "vectors.hdf5", "--layout", layout, "--forget-sentences").code == 0
    files = ("--options-file", model / "options.json", "--weight-file", model / "vectors.hdf5")
    message = (
        r"model/vectors\.hdf5 is a layer file \(vectors of sentences\), not a weight file; give the model's weights"
    )
    refused(*files, message=message)


def test_one_file_without_the_other(refused, model):
    message = "options_file and weight_file go together, got {} alone; give both, or a model"
    refused("--options-file", model / "options.json", code=2, message=message.format("options_file"))
    refused("--weight-file", model / "weights.hdf5", code=2, message=message.format("weight_file"))


def test_files_and_a_model_as_well(refused, model):
    files = ("--options-file", model / "options.json", "--weight-file", model / "weights.hdf5")
    refused(
        *files, "--model", model, code=2, message="--model and --options-file exclude each other, both were given"
    )


def test_files_that_are_missing(refused, model):
    options, weights = ("--options-file", model / "options.json"), ("--weight-file", model / "weights.hdf5")
    refused("--options-file", "no.json", *weights, message=r"cannot read the options file no\.json: No such file")
    refused(
        *options, "--weight-file", "no.hdf5", message=r"no weight file no\.hdf5; give the path of a weights\.hdf5"
    )


def test_a_folder_without_a_model(refused, folder):
    Path("empty").mkdir()
    message = (
        "empty must hold bilm.safetensors, or one options.json and one weights.hdf5; found no options file and no"
    )
    refused("--model", "empty", message=message)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("orignal", "did you mean original"), ("smal", r"did you mean small\?"), ("pubmet", r"did you mean pubmed\?")],
)
def test_an_unknown_name(refused, name, hint):
    refused("--model", name, message=f"no model or folder is called '{name}'; {hint}.*models are default, small, ")


def test_own_format_cut_short(refused, model, small_model):
    from pytorch_elmo.weights.load import save_pretrained

    save_pretrained(small_model, Path("own"))
    path = Path("own/bilm.safetensors")
    path.write_bytes(path.read_bytes()[:-40])
    refused("--model", "own", message=r"own/bilm\.safetensors is no whole safetensors file: .*; fetch it anew")
