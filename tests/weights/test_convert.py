"""Whole conversions: every pair of kinds, nothing lost, nothing half, and AllenNLP reads what comes out."""

import json
import os
import re
import resource
import shutil

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from safetensors.torch import save_file

from originals import COMMITTED, MODELS, close, model_files, read_committed
from pytorch_elmo.elmo import Elmo
from pytorch_elmo.errors import ConfigurationError, DownloadError, WeightsError
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.softmax import AdaptiveSoftmax
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights import convert as convert_module
from pytorch_elmo.weights.arrays import arrays_from_bilm
from pytorch_elmo.weights.convert import convert
from pytorch_elmo.weights.hdf5 import read_arrays, write_hdf5
from pytorch_elmo.weights.load import load_bilm, load_pretrained, model_hash, save_pretrained
from pytorch_elmo.weights.options import format_options
from pytorch_elmo.weights.own_format import read_softmax, save_softmax
from pytorch_elmo.weights.source_model import SourceOptions
from random_models import CONFIGS, bilm_config, random_bilm
from trained_by_bilm_tf import WORDS, random_softmax, write_trained

SENTENCES = [["The", "sea", "at", "night", "."], ["Zoë"], ["日本語", "x" * 60]]


def own_folder(folder, bilm, softmax=None, words=WORDS):
    save_pretrained(bilm, folder)
    if softmax is not None:
        save_softmax(softmax, Vocabulary(words), folder / "softmax.safetensors")
    return folder


def same_bits(one, other) -> bool:
    return all(
        torch.equal(parameter.view(torch.int32), other.get_parameter(name).view(torch.int32))
        for name, parameter in one.named_parameters()
    )


@settings(max_examples=15)  # each waits for the disk
@given(CONFIGS)
def test_there_and_back_every_bit_stays(tmp_path_factory, config):
    folder, bilm = tmp_path_factory.mktemp("model"), random_bilm(config, dtype=torch.float32)
    softmax = random_softmax(config.lstm.projection_size)
    own_folder(folder / "own", bilm, softmax)
    there = convert(folder / "own", folder / "allennlp")
    back = convert(folder / "allennlp", folder / "again")
    assert (there.kind, there.layout, back.kind, back.layout) == ("own", "allennlp", "allennlp", "own")
    assert there.model_hash == back.model_hash == model_hash(bilm)
    again = load_pretrained(folder / "again")
    assert again.config == config
    assert same_bits(bilm, again)
    output_layer, vocabulary = read_softmax(folder / "again" / "softmax.safetensors")
    assert vocabulary.tokens == WORDS
    assert same_bits(softmax, output_layer)
    assert there.num_parameters == sum(parameter.numel() for parameter in bilm.parameters())
    assert there.sizes == {path.name: path.stat().st_size for path in (folder / "allennlp").iterdir()}
    assert there.sizes.keys() == {"options.json", "weights.hdf5", "softmax_weights.hdf5", "vocabulary.txt"}


@pytest.mark.parametrize("name", MODELS)
def test_files_of_allennlp_through_our_own(golden_folder, tmp_path, name):
    options_file, weight_file = model_files(golden_folder, name)
    told = SourceOptions(options_file=options_file)
    convert(weight_file, tmp_path / "own", told=told)
    done = convert(tmp_path / "own", tmp_path / "allennlp")
    assert done.notes == []
    theirs, ours = read_arrays(weight_file), read_arrays(tmp_path / "allennlp" / "weights.hdf5")
    assert ours.keys() == theirs.keys()
    assert all(ours[key].tobytes() == array.tobytes() for key, array in theirs.items())
    before, after = (json.loads(path.read_text("utf-8")) for path in (options_file, done_options(tmp_path)))
    assert after["lstm"] == before["lstm"]
    assert after["char_cnn"] == before["char_cnn"] | {"n_characters": 262}


def done_options(tmp_path):
    return tmp_path / "allennlp" / "options.json"


@pytest.mark.parametrize("layout", ["own", "allennlp"])
def test_a_checkpoint_of_bilm_tf(golden_folder, tmp_path, layout):
    folder = golden_folder / "bilm_tf_checkpoint"
    told = SourceOptions(vocabulary_file=folder / "vocab.txt")
    done = convert(folder, tmp_path / "model", layout, told=told)
    assert done.notes == ["left out: 33 variables of the optimizer, global_step, train_perplexity"]
    ours, theirs = arrays_from_bilm(load_pretrained(tmp_path / "model")), read_arrays(folder / "weights.hdf5")
    assert all(ours[name].tobytes() == array.tobytes() for name, array in theirs.items())
    with np.load(folder / "tensorflow.npz") as file:
        weight, bias = (file[f"variable__lm__softmax__{name}"] for name in "Wb")
    if layout == "own":
        softmax, vocabulary = read_softmax(tmp_path / "model" / "softmax.safetensors")
        assert (softmax.weight.detach().numpy().tobytes(), softmax.bias.detach().numpy().tobytes()) == (
            weight.tobytes(),
            bias.tobytes(),
        )
        assert vocabulary.tokens == (folder / "vocab.txt").read_text("utf-8").split()
    else:
        assert json.loads((tmp_path / "model" / "options.json").read_text())["char_cnn"]["n_characters"] == 262
        with h5py.File(tmp_path / "model" / "softmax_weights.hdf5") as file:
            assert file["softmax/W"][()].tobytes() == weight.tobytes()
            assert file["softmax/b"][()].tobytes() == bias.tobytes()
        assert (tmp_path / "model" / "vocabulary.txt").read_bytes() == (folder / "vocab.txt").read_bytes()


def test_a_softmax_without_its_words_is_left_out(tmp_path, small_model):
    write_trained(tmp_path / "trained", small_model, random_softmax(5))
    done = convert(tmp_path / "trained", tmp_path / "own")
    assert done.notes[1:] == ["left out: the softmax over 6 words; name them with --vocabulary to keep it"]
    assert done.sizes.keys() == {"bilm.safetensors"}


def test_archives(golden_folder, tmp_path):
    """The fine-tuned biLM of the archive, not that of the weight file that it began with."""
    folder = golden_folder / "archive_0.9.0"
    done = convert(folder / "model_requires_grad.tar.gz", tmp_path / "own")
    assert done.kind == "archive"
    around = "text_field_embedder.token_embedder_elmo._elmo._elmo_lstm"
    assert done.notes == [f"left out: 17 tensors of the task model around {around}"]
    bilm = load_pretrained(tmp_path / "own")
    with np.load(folder / "archive_requires_grad.npz") as file:
        for name, tensor in bilm.state_dict().items():
            np.testing.assert_allclose(tensor.numpy(), file[f"weights__{around}.{name}"], rtol=0, atol=1.2e-7)
    frozen = convert(folder / "model.tar.gz", tmp_path / "frozen")
    assert frozen.model_hash != done.model_hash


def test_an_archive_whose_options_are_elsewhere(golden_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = golden_folder / "archive_2.10.1" / "model.tar.gz"
    message = (
        r"the options file of the biLM in .*model\.tar\.gz is not here \(model\.text_field_embedder\."
        r"token_embedders\.elmo\.options_file is models/syn1/options\.json\); give it with --options-file"
    )
    with pytest.raises(ConfigurationError, match=message):
        convert(path, tmp_path / "own")
    right, _ = model_files(golden_folder, "syn1")
    wrong, _ = model_files(golden_folder, "syn2")
    with pytest.raises(WeightsError, match=r"model\.tar\.gz: .*promise.*; name the options file of this model"):
        convert(path, tmp_path / "own", told=SourceOptions(options_file=wrong))
    assert convert(path, tmp_path / "own", told=SourceOptions(options_file=right)).kind == "archive"


@pytest.mark.parametrize("suffix", [".safetensors", ".th"])
def test_a_fine_tuned_elmo_goes_back_to_a_weight_file(tmp_path, small_model_folder, suffix):
    """Vectors of the trained module and of the files that come out of it are equal."""
    options_file = small_model_folder / "options.json"
    elmo = Elmo(options_file, small_model_folder / "weights.hdf5", 1, requires_grad=True, dropout=0.0)
    ids = batch_to_ids(SENTENCES)
    elmo(ids)["elmo_representations"][0].square().sum().backward()
    with torch.no_grad():
        for parameter in elmo.parameters():
            if parameter.grad is not None:
                parameter -= 0.01 * parameter.grad
    save = save_file if suffix == ".safetensors" else torch.save
    save({f"encoder.{name}": tensor for name, tensor in elmo.state_dict().items()}, tmp_path / f"task{suffix}")
    with pytest.raises(ConfigurationError, match=r"holds parameters alone; .*name it with --options-file"):
        convert(tmp_path / f"task{suffix}", tmp_path / "files")
    told = SourceOptions(options_file=options_file)
    done = convert(tmp_path / f"task{suffix}", tmp_path / "files", "allennlp", told=told)
    assert done.kind == "state dict"
    assert done.notes == ["left out: 4 tensors of the task model around encoder._elmo_lstm"]
    again = load_bilm(tmp_path / "files" / "options.json", tmp_path / "files" / "weights.hdf5")
    assert not torch.equal(again.get_parameter("_token_embedder._projection.weight"),
                           read_committed("clipped").get_parameter("_token_embedder._projection.weight"))  # fmt: skip
    close(again(ids).layer_activations, torch.stack(elmo._elmo_lstm(ids).layer_activations).detach().numpy(), 2e-6)


def test_cached_words_and_digits_that_are_left_out(tmp_path, small_model):
    tensors = {name: tensor.double() for name, tensor in small_model.state_dict().items()}
    torch.save(tensors | {"_word_embedding.weight": torch.ones(2, 5)}, tmp_path / "a.pt")
    (tmp_path / "options.json").write_text(json.dumps(format_options(small_model.config)))
    done = convert(tmp_path / "a.pt", tmp_path / "own", told=SourceOptions(options_file=tmp_path / "options.json"))
    assert done.notes == [
        "left out: 1 tensors of the task model around the biLM",
        "left out: _word_embedding.weight, which is computed from the biLM",
        f"left out: digits beyond float32 of {len(tensors)} tensors",
    ]


def test_allennlps_own_classes_compute_the_same(golden_folder, tmp_path):
    """From our export, what our files give: tokens alone, and all layers."""
    theirs = pytest.importorskip("allennlp.modules.elmo")
    folder = golden_folder / "bilm_tf_checkpoint"
    sources = {"checkpoint": folder, "own": own_folder(tmp_path / "model", read_committed("deep"))}
    ids = batch_to_ids(SENTENCES)
    for name, source in sources.items():
        convert(source, tmp_path / name, "allennlp")
        files = [str(tmp_path / name / file) for file in ("options.json", "weights.hdf5")]
        bilm = load_bilm(*files)
        output = bilm(ids)
        expected = theirs._ElmoBiLm(*files)(ids)
        close(output.layer_activations, torch.stack(expected["activations"]).detach().numpy())
        tokens = theirs._ElmoCharacterEncoder(*files)(ids)["token_embedding"]
        mask = output.mask.unsqueeze(-1)
        close(output.layer_activations[0][..., : bilm.config.lstm.projection_size], (tokens * mask).detach().numpy())


def test_what_allennlp_does_not_run_is_said(tmp_path):
    bilm = random_bilm(bilm_config(use_skip_connections=False), dtype=torch.float32)
    done = convert(own_folder(tmp_path / "own", bilm), tmp_path / "allennlp")
    assert done.notes == ["AllenNLP itself runs no biLM without skip connections; this package does"]


def test_a_start_state_stays_in_our_own_files_alone(tmp_path, small_model):
    """And how much its loss changes is measured: nothing where it is zeros, much where it is large."""
    for number, note in ((0.0, r"by 0\.0% \(root mean square\)"), (0.4, r"by [1-9]\d*\.\d% \(root mean square\)")):
        start = small_model.lstm.zero_state(1)
        small_model.lstm.start = LstmState(*(part + number for part in start))
        own = own_folder(tmp_path / f"own{number}", small_model)
        kept = convert(own, tmp_path / f"kept{number}", "own")
        assert (kept.model_hash, kept.notes) == (model_hash(small_model), [])
        assert torch.equal(load_pretrained(tmp_path / f"kept{number}").lstm.start.cell, start.cell + number)
        (found,) = convert(own, tmp_path / f"allennlp{number}").notes
        assert found.startswith(
            "left out: the start state, for AllenNLP's sentences begin from zeros; on a sentence of"
        )
        assert re.search(note, found), found
        assert load_pretrained(tmp_path / f"allennlp{number}").lstm.start is None


def test_a_padding_row_has_no_place_in_the_file(tmp_path, small_model):
    with torch.no_grad():
        small_model.get_parameter("_token_embedder._char_embedding_weights")[0] = 1.0
    own_folder(tmp_path / "own", small_model)
    assert convert(tmp_path / "own", tmp_path / "same", "own").model_hash == model_hash(small_model)
    done = convert(tmp_path / "own", tmp_path / "allennlp")
    assert done.notes == ["left out: the characters' row for padded positions, which no vector depends on"]
    ids = batch_to_ids(SENTENCES)
    again = load_pretrained(tmp_path / "allennlp")(ids).layer_activations
    assert all(map(torch.equal, again, small_model(ids).layer_activations))


def test_an_adaptive_softmax_has_no_place_there_either(tmp_path):
    words = [*WORDS, *map(str, range(20))]
    bilm = random_bilm(bilm_config(projection_size=16), dtype=torch.float32)
    own_folder(tmp_path / "own", bilm, AdaptiveSoftmax(len(words), 16, [8, 16]), words)
    done = convert(tmp_path / "own", tmp_path / "allennlp")
    assert done.notes == ["left out: the adaptive softmax, for the authors' file holds a full one"]
    assert done.sizes.keys() == {"options.json", "weights.hdf5"}
    assert convert(tmp_path / "own", tmp_path / "again", "own").notes == []


@pytest.mark.parametrize("word", [" x", "", "!!!MAXTERMID", "a\rb"])
def test_words_that_a_line_cannot_hold(tmp_path, small_model, word):
    own_folder(tmp_path / "own", small_model, random_softmax(5, num_words=7), [*WORDS, word])
    with pytest.raises(WeightsError, match=r"a word a line, word 6 of this one is '.*'; convert with --to own"):
        convert(tmp_path / "own", tmp_path / "allennlp")
    assert not (tmp_path / "allennlp").exists()


def test_a_softmax_of_the_authors(tmp_path, small_model, small_model_folder):
    """`softmax_weights.hdf5` beside the weights, with words and without."""
    folder = shutil.copytree(small_model_folder, tmp_path / "model")
    done = convert(folder, tmp_path / "without")
    note = "left out: softmax_weights.hdf5, whose words are not known; name them with --vocabulary"
    assert done.notes == [note]
    told = SourceOptions(vocabulary_file=COMMITTED / "vocabulary.txt")
    convert(folder, tmp_path / "with", told=told)
    softmax, vocabulary = read_softmax(tmp_path / "with" / "softmax.safetensors")
    with h5py.File(folder / "softmax_weights.hdf5") as file:
        assert softmax.weight.detach().numpy().tobytes() == file["softmax/W"][()].tobytes()
    assert vocabulary.tokens == Vocabulary.from_file(COMMITTED / "vocabulary.txt").tokens
    (tmp_path / "few.txt").write_text("<S>\n</S>\n<UNK>\n")
    with pytest.raises(
        ConfigurationError, match=r"predicts \d+ words, the vocabulary .*few\.txt has 3; name the one"
    ):
        convert(folder, tmp_path / "none", told=SourceOptions(vocabulary_file=tmp_path / "few.txt"))


def names_beside(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_existing_destination(tmp_path, small_model):
    own = own_folder(tmp_path / "own", small_model)
    done = convert(own, tmp_path / "out")
    with pytest.raises(ConfigurationError, match=r"out exists; name another folder, or replace it with --force"):
        convert(own, tmp_path / "out")
    assert convert(own, tmp_path / "out", "own", force=True).layout == "own"
    assert names_beside(tmp_path / "out") == {"bilm.safetensors"}  # nothing of the model before is left
    assert convert(tmp_path / "out", tmp_path / "out", force=True).sizes == done.sizes  # onto itself
    (tmp_path / "out" / "thesis.tex").touch()
    with pytest.raises(ConfigurationError, match=r"--force replaces a folder of model files alone, .* thesis\.tex"):
        convert(own, tmp_path / "out", force=True)
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigurationError, match=r"DESTINATION is a folder to make, .*file is a file or a link; name"
    ):
        convert(own, tmp_path / "file", force=True)
    with pytest.raises(
        ConfigurationError, match=r"the folder of DESTINATION must exist, .*nowhere does not; make it"
    ):
        convert(own, tmp_path / "nowhere" / "out")
    assert names_beside(tmp_path) == {"own", "out", "file"}


def test_a_failure_leaves_what_was_there(tmp_path, small_model, monkeypatch):
    own = own_folder(tmp_path / "own", small_model)
    convert(own, tmp_path / "out")
    before = (tmp_path / "out" / "weights.hdf5").read_bytes()

    def full(bilm, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(convert_module, "write_hdf5", full)
    message = r"out cannot be written: .*No space left on device.*; nothing was left there, make room or name another"
    with pytest.raises(WeightsError, match=message):
        convert(own, tmp_path / "out", force=True)
    assert (tmp_path / "out" / "weights.hdf5").read_bytes() == before
    assert names_beside(tmp_path) == {"own", "out"}


def test_a_writer_that_loses_something_is_found_out(tmp_path, small_model, monkeypatch):
    own = own_folder(tmp_path / "own", small_model)

    def careless(bilm, path):
        with torch.no_grad():
            next(bilm.parameters())[3, 1] += 1e-6
        write_hdf5(bilm, path)

    monkeypatch.setattr(convert_module, "write_hdf5", careless)
    with pytest.raises(
        WeightsError, match=r"out came out another model than .*own; nothing was written, report this"
    ):
        convert(own, tmp_path / "out")
    assert names_beside(tmp_path) == {"own"}


def test_the_folder_is_readable_by_others(tmp_path, small_model):
    convert(own_folder(tmp_path / "own", small_model), tmp_path / "out")
    (tmp_path / "new").mkdir()
    assert os.stat(tmp_path / "out").st_mode == os.stat(tmp_path / "new").st_mode


@pytest.mark.parametrize("layout", ["own", "allennlp"])
def test_no_room(tmp_path, small_model, layout):
    own = own_folder(tmp_path / "own", small_model)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(
            WeightsError, match=r"out cannot be written: .*; nothing was left there, make room"
        ) as caught:
            convert(own, tmp_path / "out", layout)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)
    assert names_beside(tmp_path) == {"own"}


def test_stages_are_told(tmp_path, small_model):
    heard = []

    class Listener(SilentProgress):
        def start(self, *, total, unit, done=0, label="") -> None:
            heard.append((label, unit, done))

    write_trained(tmp_path / "trained", small_model)
    convert(tmp_path / "trained", tmp_path / "out", progress=Listener())
    stages = [("reading", "stage", 0), ("reading", "B", 0), ("writing", "stage", 1), ("reading back", "stage", 2)]
    assert heard == stages


def test_sources_that_are_none(tmp_path):
    with pytest.raises(DownloadError, match=r"no model or folder is called 'orignal'; did you mean original"):
        convert("orignal", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DownloadError, match=r"empty must hold bilm\.safetensors, or one options\.json and one"):
        convert(tmp_path / "empty", tmp_path / "out")
    assert names_beside(tmp_path) == {"empty"}
