"""`elmo verify`: whole, damaged, incomplete, somebody else's, and another text's."""

import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

from pytorch_elmo.progress import SilentProgress


@pytest.fixture(params=["per-sentence", "packed"])
def layer_file(request, text, embed) -> Path:
    assert embed(text, "out.hdf5", "--layout", request.param).code == 0
    return Path("out.hdf5")


def test_a_whole_file(run_elmo, layer_file, text):
    ended = run_elmo("verify", layer_file)
    assert (ended.code, ended.out) == (0, "out.hdf5 is whole\n")
    ended = run_elmo("verify", layer_file, "--against", text)
    assert (ended.code, ended.out) == (0, "out.hdf5 is whole and holds text.txt\n")
    ended = run_elmo("verify", layer_file, "--against", text, "-q")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_another_text(run_elmo, layer_file, text):
    text.write_text(
        text.read_text("utf-8").replace("dog", "hen").replace("Hello\n", "Hello you\n", 1), encoding="utf-8"
    )
    ended = run_elmo("verify", layer_file, "--against", text)
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "sentence 1 (line 2) has 1 tokens, in the input it has 2",
        "sentence 1 (line 2) of the input is not in the file: 'Hello you'",
        "sentence 2 (line 3) of the input is not in the file: 'The hen saw the cat .'",
        "sentence 2 of the file is not in the input: 'The dog saw the cat .'",
    ]


def test_a_longer_text(run_elmo, layer_file, text):
    text.write_text(text.read_text("utf-8") + "more\n", encoding="utf-8")
    ended = run_elmo("verify", layer_file, "--against", text)
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "the input has 7 sentences, the file 6"


def test_a_text_that_cannot_be_read(run_elmo, layer_file, text):
    text.write_text("one\n\n", encoding="utf-8")
    ended = run_elmo("verify", layer_file, "--against", text, "-q")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("elmo verify: error: text.txt: a line must hold a sentence, line(s) 2 are blank")
    assert len(ended.err.splitlines()) == 1
    ended = run_elmo("verify", layer_file, "--against", "nothing.txt")
    assert ended.code == 2
    assert ended.last_line == "Error: Invalid value for '--against': Path 'nothing.txt' does not exist."


def test_against_reads_as_the_job_did(folder, run_elmo, embed):
    Path("prose.txt").write_text("He hasn't come. Why?\n\nNo answer.\n", encoding="utf-8")
    assert embed("prose.txt", "out.hdf5", "--tokenizer", "moses").code == 0
    against = ("verify", "out.hdf5", "--against", "prose.txt")
    assert run_elmo(*against).code == 0
    assert run_elmo(*against, "--tokenizer", "moses").code == 0
    assert run_elmo(*against, "--tokenizer", "whitespace", "--blank-lines", "empty").code == 1


def test_values_that_are_no_numbers(run_elmo, text, embed):
    assert embed(text, "out.hdf5").code == 0
    with h5py.File("out.hdf5", "r+") as file:
        file["3"][1, 2, 3] = np.nan
        file["4"][:] = 0.0
    ended = run_elmo("verify", "out.hdf5")
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "sentence 3 (line 4) has values that are no numbers (NaN) or infinite",
        "sentence 4 (line 5) has nothing but zeros, as if it had never been written",
    ]


def test_a_sentence_that_is_gone(run_elmo, text, embed):
    assert embed(text, "out.hdf5").code == 0
    with h5py.File("out.hdf5", "r+") as file:
        del file["2"]
    ended = run_elmo("verify", "out.hdf5")
    assert ended.code == 1
    assert ended.out.startswith("sentence 2 (line 3): out.hdf5: sentence 2 ('2') cannot be read")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short(run_elmo, layer_file, share):
    content = layer_file.read_bytes()
    layer_file.write_bytes(content[: int(len(content) * share)])
    ended = run_elmo("verify", layer_file)
    assert ended.code == 1
    assert "out.hdf5" in ended.out
    assert "Traceback" not in ended.err


def test_a_job_that_is_not_finished(run_elmo, text, embed, monkeypatch):
    class Interrupted(SilentProgress):
        def advance(self, amount):
            if amount > 1:  # of the tokens of a batch; reading counts one sentence after the other
                signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("pytorch_elmo.commands.embed_to_hdf5.make_progress", lambda **_: Interrupted())
        assert embed(text, "out.hdf5", "--batch-size", 2).code == 130
    ended = run_elmo("verify", "out.hdf5.partial")
    assert ended.code == 1
    assert ended.out == (
        "a layer file must be complete, but out.hdf5.partial has 2 of 6 sentences; finish the job with --resume\n"
    )
    ended = run_elmo("verify", "out.hdf5")
    assert ended.code == 1
    assert ended.out == (
        "a layer file is needed, but out.hdf5 does not exist; finish out.hdf5.partial with --resume\n"
    )


def test_what_is_no_layer_file(run_elmo, folder, text, small_model_folder):
    ended = run_elmo("verify", text)
    assert ended.code == 1
    assert ended.out == "a layer file must be an HDF5 file, but text.txt is not; name a file of vectors\n"
    ended = run_elmo("verify", small_model_folder / "weights.hdf5")
    assert ended.code == 1
    assert "weights.hdf5 holds a model's weights; name one of vectors" in ended.out


def test_a_missing_file(run_elmo, folder):
    ended = run_elmo("verify", "nothing.hdf5")
    assert ended.code == 1
    assert ended.out == "a layer file is needed, but nothing.hdf5 does not exist; name a file of vectors\n"


def test_files_of_allennlp(run_elmo, folder, golden_folder):
    made = golden_folder / "goldens_0.9.0" / "cli"
    text = golden_folder / "inputs" / "sentences.txt"
    assert run_elmo("verify", made / "all_b2.hdf5", "--against", text).code == 0
    ended = run_elmo("verify", made / "all_b2.hdf5", "--against", golden_folder / "inputs" / "sentences_crlf.txt")
    assert ended.code == 1
