import numpy as np
import pytest
from safetensors.numpy import save_file

from pytorch_elmo.errors import OptionsError, WeightsError
from pytorch_elmo.pretrained.model_files import files_in_folder
from pytorch_elmo.weights.hdf5 import read_arrays
from pytorch_elmo.weights.load import save_pretrained
from pytorch_elmo.weights.size import config_in_files, count_parameters


def test_both_kinds_of_files_say_their_shape(small_model_folder, small_model, tmp_path):
    save_pretrained(small_model, tmp_path)
    for folder in (small_model_folder, tmp_path):
        assert config_in_files(files_in_folder(folder)) == small_model.config


def test_parameters_are_counted_as_a_weight_file_has_them(small_model_folder, small_model):
    arrays = read_arrays(small_model_folder / "weights.hdf5")
    assert count_parameters(small_model.config) == sum(array.size for array in arrays.values()) > 0


def test_options_that_do_not_say_it(tmp_path):
    (tmp_path / "options.json").write_text("{}")
    (tmp_path / "weights.hdf5").touch()
    with pytest.raises(OptionsError, match=r"options.json"):
        config_in_files(files_in_folder(tmp_path))


@pytest.mark.parametrize("metadata", [None, {}, {"document": "{"}, {"document": "[]"}, {"document": "{}"}])
def test_a_file_that_does_not_say_it(tmp_path, metadata):
    save_file({"x": np.zeros(1)}, tmp_path / "bilm.safetensors", metadata=metadata)
    with pytest.raises(WeightsError, match=r"bilm.safetensors does not say its model's shape: .*; fetch it anew$"):
        config_in_files(files_in_folder(tmp_path))


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "bilm.safetensors").write_bytes(b"short")
    with pytest.raises(WeightsError, match=r"bilm.safetensors does not say its model's shape: .*; fetch it anew$"):
        config_in_files(files_in_folder(tmp_path))
