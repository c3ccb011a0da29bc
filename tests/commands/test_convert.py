"""`elmo convert`: what it says, what it writes, and how it ends."""

import json
import re
from pathlib import Path

import pytest

from pytorch_elmo.pretrained.model_files import files_in_folder
from pytorch_elmo.weights.load import load_pretrained, model_hash, save_pretrained
from pytorch_elmo.weights.own_format import read_softmax
from random_models import bilm_config, random_bilm
from small_archives import archive_of
from trained_by_bilm_tf import WORDS, random_softmax, write_trained


@pytest.fixture
def trained(folder, small_model) -> Path:
    """`trained`, a folder as bilm-tf leaves it, with a softmax."""
    return write_trained(Path("trained"), small_model, random_softmax(5))


def test_what_is_said(run_elmo, folder, small_model_folder, small_model):
    ended = run_elmo(
        "convert", small_model_folder, "own", "--vocabulary", small_model_folder.parent / "vocabulary.txt"
    )
    assert (ended.code, ended.err) == (0, "")
    first, *files, parameters, hash_line = ended.out.splitlines()
    assert first == "allennlp to own: own"
    sizes = {name: Path("own", name).stat().st_size for name in ("bilm.safetensors", "softmax.safetensors")}
    assert {line.split()[0]: int(line.split()[1].replace(",", "")) for line in files} == sizes
    assert parameters == f"  {sum(p.numel() for p in small_model.parameters()):,} parameters"
    assert hash_line == f"  hash {model_hash(small_model)}"


def test_there_and_back(run_elmo, folder, small_model, embed, text):
    """Vectors from the files are equal to the last bit, whatever way they took."""
    save_pretrained(small_model, Path("own"))
    assert run_elmo("convert", "own", "allennlp", "-q").out == ""
    assert run_elmo("convert", "allennlp", "again").out.startswith("allennlp to own: again")
    outputs = []
    for model in ("own", "allennlp", "again"):
        assert embed(text, f"{model}.hdf5", "--model", model, "-q").code == 0
        outputs.append(Path(f"{model}.hdf5"))
    import h5py

    for output in outputs[1:]:
        with h5py.File(outputs[0]) as one, h5py.File(output) as other:
            assert all((one[str(index)][()] == other[str(index)][()]).all() for index in range(6))


def test_a_checkpoint(run_elmo, trained, small_model):
    ended = run_elmo("convert", trained, "own", "--vocabulary", trained / "vocab.txt", "-q")
    note = "left out: 36 variables of the optimizer, global_step, train_perplexity"
    assert (ended.code, ended.out) == (0, "")
    assert re.sub(r"\d+ variables", "36 variables", ended.err) == f"{note}\n"
    assert read_softmax(Path("own/softmax.safetensors"))[1].tokens == WORDS
    ended = run_elmo("convert", trained / "model.ckpt-60.index", "allennlp", "--to", "allennlp")
    assert ended.err.splitlines()[-1].startswith("left out: the softmax over 6 words; name them with --vocabulary")
    assert files_in_folder(Path("allennlp")).softmax_weights is None
    for model in ("own", "allennlp"):
        assert model_hash(load_pretrained(model)) == model_hash(small_model)


def test_an_archive(run_elmo, folder, small_model, small_model_folder):
    archive_of(Path("task.tar.gz"), small_model, {"model": {"options_file": "/there/options.json"}})
    ended = run_elmo("convert", "task.tar.gz", "own")
    assert ended.code == 2
    assert ended.err == (
        "elmo convert: error: the options file of the biLM in task.tar.gz is not here (model.options_file is "
        "/there/options.json); give it with --options-file\n"
    )
    ended = run_elmo("convert", "task.tar.gz", "own", "--options-file", small_model_folder / "options.json")
    assert (ended.code, ended.err) == (
        0,
        "left out: 1 tensors of the task model around _text_field_embedder.elmo._elmo._elmo_lstm\n",
    )


def test_two_models_in_one(run_elmo, folder, small_model):
    import torch

    other = random_bilm(bilm_config(), dtype=torch.float32)
    both = {f"a.{name}": tensor for name, tensor in small_model.state_dict().items()}
    torch.save(both | {f"b.{name}": tensor for name, tensor in other.state_dict().items()}, "task.th")
    from pytorch_elmo.weights.options import format_options

    Path("options.json").write_text(json.dumps(format_options(other.config)))
    ended = run_elmo("convert", "task.th", "own", "--options-file", "options.json")
    assert ended.code == 2
    assert "task.th holds 2 biLMs with different numbers: 'a', 'b'; choose one with --prefix" in ended.err
    ended = run_elmo("convert", "task.th", "own", "--options-file", "options.json", "--prefix", "b")
    assert ended.code == 0
    assert load_pretrained("own").config == other.config


def test_force(run_elmo, folder, small_model_folder):
    assert run_elmo("convert", small_model_folder, "own").code == 0
    ended = run_elmo("convert", small_model_folder, "own")
    assert ended.code == 2
    assert ended.err == "elmo convert: error: own exists; name another folder, or replace it with --force\n"
    assert run_elmo("convert", small_model_folder, "own", "--force").code == 0
    assert [path.name for path in Path("own").iterdir()] == ["bilm.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nothing",), 1, "no model or folder is called 'nothing'; models are default, small, "),
        (
            ("words.txt",),
            2,
            "a model's file ends in .hdf5, .h5, .safetensors, .th, .pt, .pth, .bin, .index, .tar.gz, ",
        ),
        (
            ("default", "--vocabulary", "words.txt"),
            2,
            "softmax.safetensors has its own vocabulary, --vocabulary words.t",
        ),
        (
            ("trained", "--vocabulary", "few.txt"),
            2,
            "trained/model.ckpt-60 predicts 6 words, the vocabulary few.txt has 3",
        ),
        (
            ("cut",),
            1,
            "cut/model.ckpt-60.index: it does not end as a table does: it is cut off, or a file of another kind",
        ),
        (
            ("gone",),
            1,
            "gone/model.ckpt-60.data-00000-of-00001: lm/char_embed: cannot read it: No such file or directory",
        ),
        (("cut.tar.gz",), 1, "an archive must be a whole .tar.gz file, cut.tar.gz is cut off or none: "),
        (("unsafe.tar.gz",), 1, "an archive's members must stay in its folder, '../x' does not; do not trust it"),
    ],
)
def test_one_line_and_nothing_written(run_elmo, trained, small_model, arguments, code, message):
    Path("words.txt").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    Path("few.txt").write_text("<S>\n</S>\n<UNK>\n")
    index = write_trained(Path("cut"), small_model) / "model.ckpt-60.index"
    index.write_bytes(index.read_bytes()[:-9])
    (write_trained(Path("gone"), small_model) / "model.ckpt-60.data-00000-of-00001").unlink()
    archive_of(Path("unsafe.tar.gz"), small_model, {}, **{"../x": b""})
    Path("cut.tar.gz").write_bytes(Path("unsafe.tar.gz").read_bytes()[:200])
    ended = run_elmo("convert", arguments[0], "out", *arguments[1:])
    assert ended.code == code
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.err.startswith("elmo convert: error: ")
    assert message in ended.err
    assert not list(Path().glob("*out*"))


def test_many_languages(run_elmo, folder, golden_folder):
    ended = run_elmo("convert", golden_folder / "elmoformanylangs" / "model", "own")
    assert ended.code == 1
    assert "has no place for word_emb_layer.embedding.weight (38, 5), vectors of words" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert list(folder.iterdir()) == []
