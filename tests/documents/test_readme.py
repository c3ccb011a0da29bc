"""The README's commands run, its Python runs, and every option that the documents name exists.

They run in a folder of their own, where the model called `default` is a small one.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from pytorch_elmo.commands import main
from pytorch_elmo.pretrained import fetch
from pytorch_elmo.weights.load import save_pretrained

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ").split("  #")[0].strip()
    for language, block in BLOCKS
    for line in block.splitlines()
    if language == "console" and line.startswith("$ ")
]
PYTHON = [block for language, block in BLOCKS if language == "python"]
NOT_RUN = {
    "make demo": "makes a virtual environment with PyTorch in it",
    "make test": "runs these tests",
    ".venv/bin/python scripts/reproduce_table.py ner --data DATA --results mine": "trains; scripts/ has its tests",
}
OF_OTHERS = {"--include-package", "--predictor", "--use-dataset-reader", "--tags", "--output", "--nproc-per-node"}
PROGRAMS = {"embed-to-hdf5": "embed_to_hdf5", "elmo": "elmo"}
PROGRAM = """#!{python}
from pathlib import Path
from pytorch_elmo.commands.main import {entry}
from pytorch_elmo.pretrained import fetch
fetch._PACKAGED = Path({model!r})
{entry}()
"""


@pytest.fixture
def world(tmp_path, small_model, monkeypatch) -> Path:
    """A folder to run in; beside it, in `programs`, the two commands, and in `default` the model that they find."""
    for name in ("here", "here/configs", "programs"):
        (tmp_path / name).mkdir()
    shutil.copytree(PROJECT / "docs" / "demo", tmp_path / "here" / "docs" / "demo")
    walk_through = (PROJECT / "configs" / "alice_bilm.jsonnet").read_text("utf-8")
    assert walk_through.count("num_steps: 600") == 1
    shortened = walk_through.replace("num_steps: 600", "num_steps: 5")
    (tmp_path / "here" / "configs" / "alice_bilm.jsonnet").write_text(shortened, encoding="utf-8")
    model = tmp_path / "default"
    save_pretrained(small_model, model)
    for name, entry in PROGRAMS.items():
        program = tmp_path / "programs" / name
        program.write_text(PROGRAM.format(python=sys.executable, entry=entry, model=str(model)), encoding="utf-8")
        program.chmod(0o755)
    python = tmp_path / "programs" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(fetch, "_PACKAGED", model)  # for the Python, which runs in this process
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_the_commands_are_found():
    assert len(COMMANDS) >= 5
    assert len(PYTHON) >= 3
    assert set(NOT_RUN) <= set(COMMANDS)
    assert len(set(COMMANDS) - set(NOT_RUN)) >= 3


def test_commands_and_python(world, small_model_folder):
    """In one test, since the Python reads what the commands write."""
    for command in COMMANDS:
        if command not in NOT_RUN:
            ended = subprocess.run(command, shell=True, cwd=world, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, f"{command}: {ended.stderr}"
    given = {
        "options_file": small_model_folder / "options.json",
        "weight_file": small_model_folder / "weights.hdf5",
    }
    for block in PYTHON:
        exec(compile(block, "README.md", "exec"), dict(given))


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_every_option_that_is_named_exists():
    known = {"--help"} | OF_OTHERS
    for module in ("embed_to_hdf5", *main._SUBCOMMANDS):
        known |= options_of(import_module(f"pytorch_elmo.commands.{module}").command)
    setup = [sys.executable, "-m", "pytorch_elmo.setup_allennlp", "--help"]
    its_help = subprocess.run(setup, capture_output=True, text=True, check=True).stdout
    known |= set(re.findall(r"--[a-z0-9-]+", its_help))
    scripts = (path.read_text(encoding="utf-8") for path in (PROJECT / "scripts").glob("*.py"))
    known |= {option for text in scripts for option in re.findall(r'add_argument\("(--[a-z0-9-]+)"', text)}
    named = {
        (path.name, option)
        for path in DOCUMENTS
        for code in re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8"))
        for option in re.findall(r"(?<!\S)--[a-z0-9-]+", code)
    }
    assert len(named) >= 10
    assert {(name, option) for name, option in named if option not in known} == set()


def test_every_link_leads_somewhere():
    links = [
        (path, target)
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert len(links) >= 2
    assert [f"{path.name}: {target}" for path, target in links if not (path.parent / target).exists()] == []
