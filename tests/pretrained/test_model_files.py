import pytest

from pytorch_elmo.errors import DownloadError
from pytorch_elmo.pretrained.model_files import ModelFiles, files_in_folder

ORIGINAL = ("elmo_2x_options.json", "elmo_2x_weights.hdf5")


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


def test_this_packages_own_files(tmp_path):
    touch(tmp_path, "bilm.safetensors")
    assert files_in_folder(tmp_path) == ModelFiles(
        name=str(tmp_path), folder=tmp_path, bilm=tmp_path / "bilm.safetensors"
    )
    touch(tmp_path, "softmax.safetensors", "options.json", "weights.hdf5")
    assert files_in_folder(tmp_path, name="mine") == ModelFiles(
        name="mine",
        folder=tmp_path,
        bilm=tmp_path / "bilm.safetensors",
        softmax=tmp_path / "softmax.safetensors",
    )


@pytest.mark.parametrize(
    ("options", "weights"), [("options.json", "weights.hdf5"), ORIGINAL, ("options.json", "model.hdf5")]
)
def test_the_usual_names(tmp_path, options, weights):
    touch(tmp_path, options, weights, "elmo_2x_softmax_weights.hdf5", "vocabulary.txt", "vectors.hdf5")
    assert files_in_folder(tmp_path) == ModelFiles(
        name=str(tmp_path),
        folder=tmp_path,
        options=tmp_path / options,
        weights=tmp_path / weights,
        softmax_weights=tmp_path / "elmo_2x_softmax_weights.hdf5",
    )


def test_of_two_softmax_files_none_is_taken(tmp_path):
    touch(tmp_path, "bilm.safetensors", "softmax_weights.hdf5", "other_softmax.hdf5")
    assert files_in_folder(tmp_path).softmax_weights is None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), "no options file and no weight file"),
        (("options.json",), "options.json and no weight file"),
        (("softmax_weights.hdf5",), "no options file and no weight file"),
        (("weights.hdf5", *ORIGINAL), r"elmo_2x_options.json and elmo_2x_weights.hdf5, weights.hdf5"),
        (("options.json", *ORIGINAL), r"elmo_2x_options.json, options.json and elmo_2x_weights.hdf5"),
    ],
)
def test_one_of_each_is_needed(tmp_path, names, found):
    touch(tmp_path, *names)
    expected = (
        rf"must hold bilm.safetensors, or one options.json and one weights.hdf5; found {found}; name the two with"
    )
    with pytest.raises(DownloadError, match=expected):
        files_in_folder(tmp_path)
