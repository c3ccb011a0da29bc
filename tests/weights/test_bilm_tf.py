"""bilm-tf's checkpoints against its own export, and against folders of a slow writer."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from originals import close
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.text.characters import words_to_ids
from pytorch_elmo.weights.arrays import arrays_from_bilm
from pytorch_elmo.weights.bilm_tf import BilmTfCheckpoint, find_checkpoint, is_checkpoint
from pytorch_elmo.weights.hdf5 import read_arrays
from pytorch_elmo.weights.load import model_hash
from pytorch_elmo.weights.options import read_options
from random_models import CONFIGS, bilm_config, random_bilm
from trained_by_bilm_tf import WORDS, random_softmax, write_trained


class Heard(SilentProgress):
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.total = self.done = 0

    def start(self, *, total, unit, done=0, label="") -> None:
        self.total, self.done = total, 0

    def advance(self, amount) -> None:
        self.done += amount


def opened(folder) -> BilmTfCheckpoint:
    prefix = find_checkpoint(folder)
    return BilmTfCheckpoint(prefix, read_options(prefix.with_name("options.json")))


def test_the_checkpoint_of_the_original(golden_folder):
    folder = golden_folder / "bilm_tf_checkpoint"
    checkpoint = opened(folder)
    assert checkpoint.vocabulary_size == 23
    assert checkpoint.notes == ["left out: 33 variables of the optimizer, global_step, train_perplexity"]
    progress = Heard()
    bilm, softmax = checkpoint.read(progress, with_softmax=True)
    assert progress.done == progress.total > 20_000
    exported = read_arrays(folder / "weights.hdf5")
    ours = arrays_from_bilm(bilm)
    assert ours.keys() == exported.keys()
    assert all(ours[name].tobytes() == array.tobytes() for name, array in exported.items())
    with np.load(folder / "tensorflow.npz") as file:
        assert softmax.weight.detach().numpy().tobytes() == file["variable__lm__softmax__W"].tobytes()
        assert softmax.bias.detach().numpy().tobytes() == file["variable__lm__softmax__b"].tobytes()
    assert bilm.config.character_encoder.character_vocabulary_size == 262


def test_its_layers_are_those_of_allennlp(golden_folder):
    folder = golden_folder / "bilm_tf_checkpoint"
    bilm, softmax = opened(folder).read(SilentProgress(), with_softmax=False)
    assert softmax is None
    with np.load(folder / "allennlp_layers.npz") as file:
        for number, line in enumerate((folder / "sentences.txt").read_text("utf-8").splitlines()):
            output = bilm(torch.from_numpy(words_to_ids(line.split()))[None])
            close([layer[0] for layer in output.layer_activations], file[f"layers__{number}"])


@settings(max_examples=15)  # each waits for the disk
@given(CONFIGS)
def test_every_bit_comes_back(tmp_path_factory, config):
    folder, bilm = tmp_path_factory.mktemp("trained"), random_bilm(config, dtype=torch.float32)
    softmax = random_softmax(config.lstm.projection_size)
    write_trained(folder, bilm, softmax)
    again, output_layer = opened(folder).read(SilentProgress(), with_softmax=True)
    assert again.config == config
    assert model_hash(again) == model_hash(bilm)
    for name, parameter in softmax.named_parameters():
        assert torch.equal(output_layer.get_parameter(name), parameter)


def test_one_layer_has_no_stack_of_cells(tmp_path):
    names = []
    bilm = random_bilm(bilm_config(num_lstm_layers=1), dtype=torch.float32)
    write_trained(tmp_path, bilm, change=lambda variables: names.extend(variables))
    assert "lm/RNN_1/rnn/lstm_cell/projection/kernel" in names
    assert opened(tmp_path).vocabulary_size is None
    assert model_hash(opened(tmp_path).read(SilentProgress(), with_softmax=True)[0]) == model_hash(bilm)


def test_without_what_training_needs_there_is_nothing_to_note(tmp_path, small_model):
    def change(variables) -> None:
        for name in [name for name in variables if name.endswith("Adagrad") or not name.startswith("lm/")]:
            del variables[name]

    write_trained(tmp_path, small_model, change=change)
    assert opened(tmp_path).notes == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda v: v.pop("lm/CNN_proj/W_proj"),
            r"misses 1 variable\(s\), first lm/CNN_proj/W_proj \(\d+, 5\); is it the checkpoint that belongs",
        ),
        (
            lambda v: v.update({"lm/embedding": np.zeros(3, np.float32)}),
            r"1 variable\(s\) have no place in the network .*, first lm/embedding; nothing was converted",
        ),
        (
            lambda v: v.update({"lm/char_embed": np.zeros((261, 4), np.float32)}),
            r"lm/char_embed is float32 \(261, 4\), the options promise float32 \(261, 3\); take the options file",
        ),
        (
            lambda v: v.update({"lm/char_embed": np.zeros((261, 3))}),
            r"lm/char_embed is float64 \(261, 3\), the options promise float32 \(261, 3\)",
        ),
        (
            lambda v: v.update({"lm/softmax/W": np.zeros((6, 9), np.float32)}),
            r"lm/softmax/W is float32 \(6, 9\), the options promise float32 \(6, 5\)",
        ),
        (lambda v: v.pop("lm/softmax/b"), r"misses 1 variable\(s\), first lm/softmax/b \(6,\)"),
        (lambda v: v.pop("lm/softmax/W"), r"1 variable\(s\) have no place .*, first lm/softmax/b;"),
    ],
)
def test_variables_that_do_not_fit(tmp_path, small_model, change, message):
    write_trained(tmp_path, small_model, random_softmax(5), change=change)
    with pytest.raises(WeightsError, match=rf"model\.ckpt-60: {message}"):
        opened(tmp_path)


def test_numbers_that_are_none(tmp_path, small_model):
    def change(variables) -> None:
        variables["lm/CNN/b_cnn_0"][0] = np.nan

    write_trained(tmp_path, small_model, change=change)
    with pytest.raises(WeightsError, match="dataset CNN/b_cnn_0 holds NaN or infinity"):
        opened(tmp_path).read(SilentProgress(), with_softmax=False)


def test_a_damaged_data_file(tmp_path, small_model):
    path = write_trained(tmp_path, small_model) / "model.ckpt-60.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[content.index(arrays_from_bilm(small_model)["CNN_proj/W_proj"].tobytes())] ^= 16
    path.write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"00001: lm/CNN_proj/W_proj: its check sum is wrong; fetch the checkpoint anew"
    ):
        opened(tmp_path).read(SilentProgress(), with_softmax=False)


def test_which_checkpoint(tmp_path, small_model):
    assert not is_checkpoint(tmp_path)
    write_trained(tmp_path, small_model, step=60)
    write_trained(tmp_path, small_model, step=120)
    assert is_checkpoint(tmp_path)
    assert find_checkpoint(tmp_path) == tmp_path / "model.ckpt-120"
    assert is_checkpoint(tmp_path / "model.ckpt-60.index")
    assert find_checkpoint(tmp_path / "model.ckpt-60.index") == tmp_path / "model.ckpt-60"
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "C:\\\\runs\\\\model.ckpt-60"\n', encoding="utf-8")
    assert find_checkpoint(tmp_path) == tmp_path / "model.ckpt-60"
    (tmp_path / "checkpoint").write_text(json.dumps(WORDS), encoding="utf-8")
    with pytest.raises(
        WeightsError, match=r"checkpoint names no checkpoint; give the path of one, FOLDER/NAME\.index"
    ):
        find_checkpoint(tmp_path)
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(
        WeightsError, match=r"holds the checkpoints model\.ckpt-120\.index, model\.ckpt-60\.index and"
    ):
        find_checkpoint(tmp_path)
    (tmp_path / "model.ckpt-60.index").unlink()
    assert is_checkpoint(tmp_path)
    assert find_checkpoint(tmp_path) == tmp_path / "model.ckpt-120"
