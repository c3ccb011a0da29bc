"""Weight files: there and back without a changed bit, and a clear word about every file that is none."""

import json
import shutil

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import refusal, with_a_changed_bit
from originals import COMMITTED, MODELS, model_files
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.model import BiLM
from pytorch_elmo.weights.arrays import arrays_from_bilm, bilm_from_arrays
from pytorch_elmo.weights.hdf5 import read_arrays, read_hdf5, write_hdf5
from pytorch_elmo.weights.options import parse_options, read_options
from random_models import CONFIGS, random_bilm

TRAINED = COMMITTED / "trained"
CONFIG = read_options(TRAINED / "options.json")


def assert_equal_bits(bilm: BiLM, other: BiLM) -> None:
    assert dict(bilm.named_parameters()).keys() == dict(other.named_parameters()).keys()
    for name, parameter in bilm.named_parameters():
        assert torch.equal(parameter.view(torch.int32), other.get_parameter(name).view(torch.int32)), name


@pytest.fixture
def copy(tmp_path):
    """A weight file to be spoilt."""
    return shutil.copy(TRAINED / "weights.hdf5", tmp_path / "weights.hdf5")


@settings(max_examples=15)  # each waits for the disk
@given(config=CONFIGS, seed=st.integers(0, 9))
def test_write_then_read_is_the_identity(tmp_path_factory, config, seed):
    bilm = random_bilm(config, seed, dtype=torch.float32)
    path = tmp_path_factory.mktemp("weights") / "weights.hdf5"
    write_hdf5(bilm, path)
    again = read_hdf5(path, config)
    assert_equal_bits(bilm, again)
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.mark.parametrize("name", ["clipped", "deep", "trained"])
def test_read_then_write_is_the_identity(tmp_path, name):
    folder = COMMITTED / name
    write_hdf5(read_hdf5(folder / "weights.hdf5", read_options(folder / "options.json")), tmp_path / "again.hdf5")
    assert_same_datasets(tmp_path / "again.hdf5", folder / "weights.hdf5")


@pytest.mark.parametrize("name", MODELS)
def test_read_then_write_gives_the_original_file_s_numbers(golden_folder, tmp_path, name):
    options_file, weight_file = model_files(golden_folder, name)
    write_hdf5(read_hdf5(weight_file, read_options(options_file)), tmp_path / "again.hdf5")
    assert_same_datasets(tmp_path / "again.hdf5", weight_file)


def assert_same_datasets(path, other):
    ours, theirs = read_arrays(path), read_arrays(other)
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name].view(np.uint32), array.view(np.uint32), strict=True, err_msg=name)


def test_the_file_is_written_whole_or_not_at_all(copy, monkeypatch):
    before = copy.read_bytes()
    bilm = read_hdf5(copy, CONFIG)
    monkeypatch.setattr(h5py.Group, "create_dataset", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_hdf5(bilm, copy)
    assert copy.read_bytes() == before
    assert [path.name for path in copy.parent.iterdir()] == ["weights.hdf5"]


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_float_types_are_read(copy, dtype):
    with h5py.File(copy, "r+") as file:
        narrow = file["char_embed"][()].astype(np.float16)
        del file["char_embed"]
        file["char_embed"] = narrow.astype(dtype)
    row = read_hdf5(copy, CONFIG).character_encoder._char_embedding_weights
    np.testing.assert_array_equal(row[1:].numpy(), narrow.astype(np.float32))
    assert not row[0].any()


def test_missing_file(tmp_path):
    with pytest.raises(WeightsError, match=r"^no weight file .*none.hdf5; give the path of a weights.hdf5$"):
        read_hdf5(tmp_path / "none.hdf5", CONFIG)


def test_a_folder(tmp_path):
    with pytest.raises(WeightsError, match=r"no weight file .*; give the path"):
        read_hdf5(tmp_path, CONFIG)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n"])
def test_not_hdf5(tmp_path, content):
    path = tmp_path / "weights.hdf5"
    path.write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"weights.hdf5 cannot be read as HDF5, it is damaged or cut short: [^\n]+$"
    ):
        read_hdf5(path, CONFIG)


@pytest.mark.parametrize("dataset", ["char_embed", "CNN_proj/W_proj", "RNN_1/RNN/MultiRNNCell/Cell1/LSTMCell/B"])
def test_missing_dataset(copy, dataset):
    with h5py.File(copy, "r+") as file:
        del file[dataset]
    message = rf"weights.hdf5: misses 1 dataset\(s\), first {dataset} \(.*\); is it the file that belongs to these o"
    with pytest.raises(WeightsError, match=message):
        read_hdf5(copy, CONFIG)


def test_unknown_dataset(copy):
    with h5py.File(copy, "r+") as file:
        file["softmax/W"] = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(WeightsError, match=r"1 dataset\(s\) have no place .*, first softmax/W; nothing was loaded$"):
        read_hdf5(copy, CONFIG)


def test_wrong_shape(copy):
    with h5py.File(copy, "r+") as file:
        del file["CNN/b_cnn_1"]
        file["CNN/b_cnn_1"] = np.zeros((1, 3), dtype=np.float32)
    message = r"dataset CNN/b_cnn_1 has shape \(1, 3\), the options promise \(3,\); take the options file that came"
    with pytest.raises(WeightsError, match=message):
        read_hdf5(copy, CONFIG)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(copy, value):
    with h5py.File(copy, "r+") as file:
        file["CNN_high_0/b_carry"][2] = value
    with pytest.raises(WeightsError, match=r"dataset CNN_high_0/b_carry holds NaN or infinity; the file is damaged"):
        read_hdf5(copy, CONFIG)


def test_numbers_too_large_for_single_precision(copy):
    with h5py.File(copy, "r+") as file:
        del file["CNN/b_cnn_1"]
        file["CNN/b_cnn_1"] = np.array([0.0, 1e300, 0.0])
    with pytest.raises(WeightsError, match=r"dataset CNN/b_cnn_1 holds NaN or infinity"):
        read_hdf5(copy, CONFIG)


def test_whole_numbers(copy):
    with h5py.File(copy, "r+") as file:
        del file["CNN/b_cnn_1"]
        file["CNN/b_cnn_1"] = np.zeros(3, dtype=np.int32)
    with pytest.raises(WeightsError, match=r"dataset CNN/b_cnn_1 holds int32, weights are floating point numbers$"):
        read_hdf5(copy, CONFIG)


def test_original_layer_files(golden_folder):
    """Vectors given as weights: AllenNLP's command with and without its map of sentences."""
    for name in ("all_b2", "forget"):
        with pytest.raises(
            WeightsError, match=rf"{name}.hdf5 is a layer file .*, not a weight file; give the model's"
        ):
            read_hdf5(golden_folder / "goldens_0.9.0" / "cli" / f"{name}.hdf5", CONFIG)


@pytest.mark.parametrize("dataset", ["sentence_to_index", "0", "vectors"])
def test_layer_file(tmp_path, dataset):
    with h5py.File(tmp_path / "layers.hdf5", "w") as file:
        file[dataset] = np.zeros((3, 2, 4), dtype=np.float32)
    with pytest.raises(WeightsError, match=r"layers.hdf5 is a layer file .*, not a weight file"):
        read_hdf5(tmp_path / "layers.hdf5", CONFIG)


# AllenNLP 2.10.1 in the same places, as goldens_2.10.1/errors.json has it: "Invalid weight file", or a raw KeyError.
OTHER_OPTIONS = {
    "filter count differs from the file": (("char_cnn", "filters"), [[1, 2], [2, 4]], "CNN/W_cnn_1 has shape"),
    "filter width differs from the file": (("char_cnn", "filters"), [[1, 2], [3, 3]], "CNN/W_cnn_1 has shape"),
    "more filters than in the file": (("char_cnn", "filters"), [[1, 2], [2, 3], [3, 1]], "first CNN/W_cnn_2"),
    "more highways than in the file": (("char_cnn", "n_highway"), 2, "first CNN_high_1/W_carry"),
    "more layers than in the file": (("lstm", "n_layers"), 3, "first RNN_0/RNN/MultiRNNCell/Cell2/LSTMCell/B"),
    "fewer layers than in the file": (
        ("lstm", "n_layers"),
        1,
        "no place .* first RNN_0/RNN/MultiRNNCell/Cell1/LSTMCell/B",
    ),
    "projection_dim differs from the file": (("lstm", "projection_dim"), 3, "CNN_proj/W_proj has shape"),
    "lstm dim differs from the file": (("lstm", "dim"), 4, "LSTMCell/W_0 has shape"),
    "embedding dim differs from the file": (("char_cnn", "embedding", "dim"), 4, "char_embed has shape"),
}


@pytest.mark.parametrize("case", OTHER_OPTIONS)
def test_options_of_another_model(case):
    (*sections, key), value, message = OTHER_OPTIONS[case]
    options = json.loads((TRAINED / "options.json").read_text("utf-8"))
    section = options
    for name in sections:
        section = section[name]
    section[key] = value
    with pytest.raises(WeightsError, match=message) as caught:
        read_hdf5(TRAINED / "weights.hdf5", parse_options(options))
    assert "\n" not in str(caught.value)


def test_a_file_cut_anywhere(tmp_path):
    whole, path = (TRAINED / "weights.hdf5").read_bytes(), tmp_path / "weights.hdf5"
    for length in range(0, len(whole), 293):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"weights.hdf5.*(cut short|misses)"):
            read_hdf5(path, CONFIG)


def test_a_file_with_a_changed_bit(tmp_path):
    """HDF5 has no checksum: a bit in a number gives another number; elsewhere it must not escape as a raw error."""
    path, messages = tmp_path / "weights.hdf5", []
    for damaged in with_a_changed_bit((TRAINED / "weights.hdf5").read_bytes(), 150):
        path.write_bytes(damaged)
        messages.append(refusal(lambda file: read_hdf5(file, CONFIG), path))
    refusals = list(filter(None, messages))
    assert 0 < len(refusals) < 150
    assert all(str(path) in message for message in refusals)


def test_arrays_are_those_of_the_file(small_model, small_model_folder):
    arrays = arrays_from_bilm(small_model)
    for name, array in read_arrays(small_model_folder / "weights.hdf5").items():
        np.testing.assert_array_equal(arrays.pop(name), array, strict=True)
    assert not arrays


def test_arrays_of_a_double_precision_network_are_single(small_model):
    expected = arrays_from_bilm(small_model)
    for name, array in arrays_from_bilm(small_model.double()).items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected[name])


def test_arrays_are_copied_into_the_network(small_model):
    arrays = arrays_from_bilm(small_model)
    bilm = bilm_from_arrays(arrays, small_model.config, "memory")
    for array in arrays.values():
        array[...] = 0
    assert_equal_bits(bilm, small_model)
