"""The two programs as they are installed."""

import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from pytorch_elmo import __version__

SUBCOMMANDS = {"convert", "models", "perplexity", "pretrain", "score", "swivel", "verify", "vocabulary"}


def test_the_programs_are_the_commands():
    programs = {program.name: program.value for program in entry_points(group="console_scripts")}
    assert programs["elmo"] == "pytorch_elmo.commands.main:elmo"
    assert programs["embed-to-hdf5"] == "pytorch_elmo.commands.main:embed_to_hdf5"


def test_versions(embed, run_elmo):
    assert embed("--version").out == f"embed-to-hdf5, version {__version__}\n"
    assert run_elmo("--version").out == f"elmo, version {__version__}\n"


def test_every_subcommand_has_help(run_elmo):
    listed = run_elmo("--help").out
    for name in SUBCOMMANDS:
        assert name in listed
        ended = run_elmo(name, "--help")
        assert ended.code == 0
        assert ended.out.startswith(f"Usage: elmo {name} ")


def test_an_unknown_subcommand(run_elmo):
    ended = run_elmo("pretain")
    assert ended.code == 2
    assert "No such command 'pretain'" in ended.last_line


PROGRAMS = {
    "elmo": ["-m", "pytorch_elmo", "verify"],
    "embed-to-hdf5": ["-c", "from pytorch_elmo.commands.main import embed_to_hdf5; embed_to_hdf5()"],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_process_of_its_own(tmp_path, name):
    command = [sys.executable, *PROGRAMS[name], "--sideways"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Usage: {name} ")
    assert "No such option" in ended.stderr.splitlines()[-1]
    assert os.listdir(tmp_path) == []


def test_the_version_is_told_without_loading_torch():
    """A guard that can fail: the embedder does load it."""
    code = (
        "import sys, pytorch_elmo.commands.main; print('torch' in sys.modules); "
        "import pytorch_elmo.embedder; print('torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "True"]
