"""`allennlp elmo`, against the runs of AllenNLP 0.9.0's command of this name on the same arguments."""

import argparse
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner

pytest.importorskip("allennlp")

from original_command import FINISHED as FINISHED_BY_BOTH
from original_command import assert_equal_files, content, file_of, lay_out, read_runs
from originals import COMMITTED
from pytorch_elmo.allennlp_plugin.elmo_command import ElmoCommand
from pytorch_elmo.commands.embed_to_hdf5 import command as embed_to_hdf5
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.storage import verify_layer_file

SENTENCES = ("The sea at night .", "Hello", "The dog saw the sea .")
MODEL = (
    *("--options-file", COMMITTED / "clipped" / "options.json"),
    *("--weight-file", COMMITTED / "clipped" / "weights.hdf5"),
)
FINISHED = (*FINISHED_BY_BOTH, "output_exists", "vocab_path")
# What 0.9 ends with too: its exit code, and a message of ours.
REFUSED = {
    "no_mode": "one of the arguments --all --top --average is required",
    "two_modes": "argument --top: not allowed with argument --all",
    "no_output": "the following arguments are required: output_file",
    "input_missing": "no file 'nothing.txt'",
    "batch_size_text": "at least 1, got 'two'",
    "unknown_flag": "unrecognized arguments: --sideways",
    "sentence_keys_duplicates": "but lines 4 and 6 are the same: 'The same line twice .'",
    "sentence_keys_prefix": "would be a dataset and a group of one name",
    "sentence_keys_dot": "must name something, got '.' in line 2",
    "blank_lines": "sentences_blank_lines.txt: a line must hold a sentence, line(s) 2, 4 are blank; remove them",
    "bad_utf8": "sentences_bad_utf8.txt, line 2: not UTF-8 at byte 5",
    "output_is_folder": "an output must be a file, but folder is a folder",
    "weights_missing": "no weight file nothing.hdf5",
    "weights_not_hdf5": "options.json cannot be read as HDF5",
    "options_missing": "cannot read the options file nothing.json",
}
# Where the command does something else on purpose, or cannot be compared with a file.
DIFFERENT = {
    "batch_size_0": "is refused, where 0.9 writes a file without a sentence",
    "batch_size_minus_1": "is a mistake in the command line, where 0.9 fails later",
    "cuda_device_0": "depends on the machine",
    "help": "is in words of our own",
    "no_skip_connections": "is run",
    "output_in_missing_folder": "has no file among the goldens",
}


class Ended:
    """How a command ended: its exit code, and what it wrote."""

    def __init__(self, code, captured):
        self.code, self.out, self.err = code, captured.out, captured.err

    @property
    def last_line(self):
        return self.err.splitlines()[-1]


@pytest.fixture
def elmo(tmp_path, monkeypatch, capsys):
    """Run `allennlp elmo` in an empty folder, in this process: a traceback fails the test by itself."""
    monkeypatch.chdir(tmp_path)

    def elmo(*arguments) -> Ended:
        parser = argparse.ArgumentParser(prog="allennlp")
        ElmoCommand().add_subparser(parser.add_subparsers())
        capsys.readouterr()
        try:
            args = parser.parse_args(["elmo", *map(str, arguments)])
            args.func(args)
            code = 0
        except SystemExit as end:
            code = end.code
        return Ended(code, capsys.readouterr())

    return elmo


@pytest.fixture
def text(elmo) -> Path:
    path = Path("text.txt")
    path.write_text("".join(f"{line}\n" for line in SENTENCES), encoding="utf-8")
    return path


@pytest.fixture
def runs(golden_folder) -> dict:
    return read_runs(golden_folder)


@pytest.fixture
def folder_of_0_9(golden_folder, elmo, tmp_path, monkeypatch) -> Path:
    """The folder that AllenNLP was run in, as far as its arguments tell."""
    lay_out(golden_folder, tmp_path)
    stdin = io.TextIOWrapper(io.BytesIO((tmp_path / "sentences_unique.txt").read_bytes()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stdin)
    return tmp_path


@pytest.mark.parametrize("name", FINISHED)
def test_the_same_file_as_0_9s(golden_folder, folder_of_0_9, runs, elmo, name):
    arguments = runs[name]["arguments"]
    if name == "output_exists":
        Path(arguments[1]).write_bytes(b"what is overwritten")
    ended = elmo(*arguments)
    assert ended.code == runs[name]["exit"] == 0, ended.err
    assert_equal_files(Path(arguments[1]), file_of(golden_folder, runs[name]))
    assert verify_layer_file(Path(arguments[1])) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_0_9_ends_with_too(folder_of_0_9, runs, elmo, name):
    before = sorted(folder_of_0_9.rglob("*"))
    ended = elmo(*runs[name]["arguments"])
    assert ended.code == runs[name]["exit"] != 0
    assert REFUSED[name] in ended.last_line
    assert ended.last_line.startswith(("allennlp elmo: error: ", "allennlp: error: "))
    assert sorted(folder_of_0_9.rglob("*")) == before


def test_every_run_is_accounted_for(runs):
    assert {*FINISHED, *REFUSED, *DIFFERENT} == set(runs)


def test_the_folder_of_the_output_is_made(golden_folder, folder_of_0_9, runs, elmo):
    ended = elmo(*runs["output_in_missing_folder"]["arguments"])
    assert ended.code == runs["output_in_missing_folder"]["exit"] == 0
    theirs = file_of(golden_folder, runs["output_in_folder"])
    assert_equal_files(Path("missing", "out.hdf5"), theirs)


def test_a_model_without_skip_connections_is_run(folder_of_0_9, runs, elmo):
    assert elmo(*runs["no_skip_connections"]["arguments"]).code == 0


@pytest.mark.parametrize("size", [0, -1])
def test_batches_have_sentences(text, elmo, size):
    ended = elmo(text, "out.hdf5", "--all", *MODEL, "--batch-size", size)
    assert ended.code == 2
    assert f"at least 1, got '{size}'" in ended.last_line


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(text, elmo):
    ended = elmo(text, "out.hdf5", "--all", *MODEL, "--cuda-device", 0)
    assert ended.code == 2
    assert "cuda:0 was asked for, but PyTorch sees no GPU here; use cpu" in ended.last_line


def test_one_file_of_the_model_alone(text, elmo):
    ended = elmo(text, "out.hdf5", "--all", *MODEL[:2])
    assert ended.code == 2
    assert ended.last_line == (
        "allennlp elmo: error: --options-file and --weight-file go together, got --options-file alone; give both"
    )


def test_the_original_model_where_it_cannot_be_fetched(text, elmo, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTORCH_ELMO_DEFAULT", raising=False)
    monkeypatch.setenv("PYTORCH_ELMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", (tmp_path / "nothing").as_uri())
    ended = elmo(text, "out.hdf5", "--all")
    assert ended.code == 1
    assert ended.last_line.startswith("allennlp elmo: error: original could not be fetched: ")
    assert ended.last_line.endswith("; set PYTORCH_ELMO_DEFAULT to a model's name or folder to use another")
    assert not Path("out.hdf5").exists()


def test_the_model_that_the_environment_names(text, elmo, monkeypatch):
    assert elmo(text, "expected.hdf5", "--all", *MODEL).code == 0
    monkeypatch.setenv("PYTORCH_ELMO_DEFAULT", str(COMMITTED / "clipped"))
    ended = elmo(text, "out.hdf5", "--all")
    assert ended.code == 0, ended.err
    assert_equal_files(Path("out.hdf5"), Path("expected.hdf5"))


def test_what_it_says(text, elmo):
    ended = elmo(text, "out.hdf5", "--all", *MODEL, "--vocab-path", "words.txt")
    assert ended.out == ""
    lines = ended.err.splitlines()
    assert lines[0] == "--vocab-path words.txt is ignored, as AllenNLP ignored it"
    assert lines[1].startswith("ElmoEmbedder(")
    assert lines[1].endswith(", stateful)")
    assert lines[-1].startswith("wrote out.hdf5 in ")


def test_a_failed_run_leaves_the_old_file(text, elmo):
    Path("out.hdf5").write_bytes(b"the old one")
    text.write_text("a\n\nb\n")
    assert elmo(text, "out.hdf5", "--all", *MODEL).code == 1
    assert Path("out.hdf5").read_bytes() == b"the old one"


def test_an_unfinished_file_is_begun_anew(text, elmo):
    Path("out.hdf5.partial").write_bytes(b"of a run that was killed")
    assert elmo(text, "out.hdf5", "--all", *MODEL).code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["out.hdf5", "text.txt"]


def test_an_interrupted_run_can_be_gone_on_with(text, elmo, monkeypatch):
    assert elmo(text, "expected.hdf5", "--all", *MODEL, "--batch-size", 1).code == 0
    batches = []

    class Interrupting(SilentProgress):
        """Ctrl-C at the second batch."""

        def start(self, *, total, unit, done=0, label=""):
            self.label = label

        def advance(self, amount):
            if self.label == "embedding":
                batches.append(amount)
                if len(batches) == 2:
                    raise KeyboardInterrupt

        def note(self, line):
            click.echo(line, err=True)

    monkeypatch.setattr("pytorch_elmo.allennlp_plugin.elmo_command.make_progress", lambda **_: Interrupting())
    ended = elmo(text, "out.hdf5", "--all", *MODEL, "--batch-size", 1)
    assert ended.code == 130
    unfinished, last = ended.err.splitlines()[-2:]
    assert last == "allennlp elmo: error: interrupted"
    assert "out.hdf5.partial is unfinished" in unfinished
    assert "--stateful, --batch-size 1 and --resume goes on" in unfinished
    goes_on = (text, "out.hdf5", "--all", *MODEL, "--stateful", "--batch-size", 1, "--resume", "-q")
    assert CliRunner().invoke(embed_to_hdf5, [*map(str, goes_on)]).exit_code == 0
    assert Path("out.hdf5").read_bytes() == Path("expected.hdf5").read_bytes()


@pytest.mark.parametrize("name", ["text.csv", "text.jsonl", "text.parquet"])
def test_whatever_the_text_is_called(text, elmo, name):
    assert elmo(text, "expected.hdf5", "--top", *MODEL).code == 0
    text.rename(name)
    assert elmo(name, "out.hdf5", "--top", *MODEL).code == 0
    assert_equal_files(Path("out.hdf5"), Path("expected.hdf5"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe(text, elmo):
    assert elmo(text, "expected.hdf5", "--top", *MODEL).code == 0
    os.mkfifo("pipe")
    with subprocess.Popen(["cp", text, "pipe"]) as writer:
        ended = elmo("pipe", "out.hdf5", "--top", *MODEL)
    assert (ended.code, writer.returncode) == (0, 0)
    assert_equal_files(Path("out.hdf5"), Path("expected.hdf5"))


@pytest.mark.slow
def test_in_a_fresh_shell(text):
    """No plug-in file, no `--include-package`, an empty environment."""
    command = [sys.executable, "-m", "allennlp", "elmo", text, "new/out.hdf5", "--average", *MODEL]
    ended = subprocess.run(list(map(str, command)), env={}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = content(Path("new", "out.hdf5"))
    assert [found[str(index)].shape for index in range(3)] == [(5, 10), (1, 10), (6, 10)]
    assert json.loads(found["sentence_to_index"]) == {text: str(index) for index, text in enumerate(SENTENCES)}
