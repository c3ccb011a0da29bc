"""`allennlp embed-to-hdf5`: the command of this package, reached through AllenNLP's program."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("allennlp")

from allennlp import commands

from originals import COMMITTED
from pytorch_elmo.commands.embed_to_hdf5 import command

MODEL = ("--model", str(COMMITTED / "clipped"))


@pytest.fixture
def text(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("text.txt")
    path.write_text("The sea at night .\nHello\n", encoding="utf-8")
    return path


@pytest.fixture
def allennlp(monkeypatch, capsys):
    """Run AllenNLP's program in this process; its exit code, and what it wrote."""

    def allennlp(*arguments):
        monkeypatch.setattr(sys, "argv", ["allennlp", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            commands.main(prog="allennlp")
        return end.value.code, capsys.readouterr()

    return allennlp


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_is_the_commands_own(allennlp, arguments):
    code, captured = allennlp("embed-to-hdf5", *arguments)
    expected = CliRunner().invoke(command, arguments, prog_name="allennlp embed-to-hdf5").stdout
    assert (code, captured.out.split()) == (0, expected.split())  # lines are as wide as the terminal
    assert expected


def test_options_may_come_first_and_the_file_is_written(allennlp, text):
    code, captured = allennlp("embed-to-hdf5", "--top", *MODEL, text, "out.hdf5", "--cuda-device", "-1")
    assert code == 0, captured.err
    assert Path("out.hdf5").exists()
    assert captured.err.splitlines()[-1].startswith("wrote out.hdf5: 2 sentences, 6 tokens")


def test_its_stricter_rules_stay(allennlp, text):
    Path("out.hdf5").write_bytes(b"not to be lost")
    code, captured = allennlp("embed-to-hdf5", text, "out.hdf5", *MODEL)
    assert code == 1
    assert captured.err.splitlines()[-1].startswith("allennlp embed-to-hdf5: error: ")
    assert "--overwrite" in captured.err.splitlines()[-1]
    assert Path("out.hdf5").read_bytes() == b"not to be lost"
    code, captured = allennlp("embed-to-hdf5", text, "missing/out.hdf5", *MODEL)
    assert code == 2
    assert "the folder of the output must exist" in captured.err.splitlines()[-1]


def test_arguments_that_are_missing_or_unknown(allennlp, text):
    code, captured = allennlp("embed-to-hdf5")
    assert code == 2
    assert "Missing argument 'INPUT'" in captured.err
    code, captured = allennlp("embed-to-hdf5", text, "out.hdf5", "--vocab-path", "x")
    assert code == 2
    assert "No such option" in captured.err


@pytest.mark.slow
def test_both_commands_are_listed_in_a_fresh_shell(tmp_path):
    command = [sys.executable, "-m", "allennlp", "--help"]
    ended = subprocess.run(command, env={}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    words = ended.stdout.split()
    assert {"elmo", "embed-to-hdf5"} <= set(words)
