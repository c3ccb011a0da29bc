"""What tests of scripts share: running one as people do."""

import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


class Done(NamedTuple):
    """What a process would have left."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_script(monkeypatch, capsys):
    """Run a script's `main` with arguments, in this process: starting Python costs more than all that it does."""

    def run(name, *arguments) -> Done:
        monkeypatch.setattr("sys.argv", [name, *map(str, arguments)])
        code = 0
        try:
            import_module(name.removesuffix(".py")).main()
        except SystemExit as stop:
            code = 1
            print(stop.code, file=sys.stderr)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def refusal(run_script):
    """Run a script that must fail; returns what it says, in one line."""

    def refuse(name, *arguments) -> str:
        done = run_script(name, *arguments)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        return done.stderr

    return refuse
