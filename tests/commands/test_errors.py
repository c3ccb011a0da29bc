"""How commands end."""

import signal

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pytorch_elmo.commands.errors import one_line_errors, stop_when_asked
from pytorch_elmo.errors import ConfigurationError, LayerFileError, OptionsError, TextError, WeightsError


def run_raising(error: BaseException):
    @click.command("trial")
    def trial() -> None:
        with one_line_errors():
            raise error

    return CliRunner().invoke(trial, prog_name="trial")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("asked wrongly"), 2),
        (OptionsError("asked rightly, but the file is wrong"), 1),
        (LayerFileError("a file"), 1),
        (TextError("a text"), 1),
        (WeightsError("weights"), 1),
    ],
)
def test_errors_of_this_package(error, code):
    result = run_raising(error)
    assert (result.exit_code, result.stderr) == (code, f"trial: error: {error}\n")


def test_what_the_system_says_of_a_file():
    result = run_raising(PermissionError(13, "Permission denied", "secret.txt"))
    assert result.exit_code == 1
    assert result.stderr == (
        "trial: error: the system refuses secret.txt: Permission denied; give another file or folder\n"
    )


@pytest.mark.parametrize(
    ("allocate", "said"),
    [
        (lambda: torch.empty(2**50), "you tried to allocate 4503599627370496 bytes"),
        (lambda: np.empty(2**50), "Unable to allocate 8.00 PiB for an array"),
        (lambda: [0] * 2**50, "no more is said"),
    ],
)
def test_want_of_memory(allocate, said):
    with pytest.raises((MemoryError, RuntimeError)) as raised:
        allocate()
    result = run_raising(raised.value)
    assert result.exit_code == 1
    assert result.stderr.startswith("trial: error: there is not the memory for what was asked (")
    assert said in result.stderr
    assert result.stderr.endswith("); ask for less at once\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [OSError("of no file"), ValueError("a fault of ours"), RuntimeError("shapes differ"), AssertionError("too")],
)
def test_our_own_faults_are_not_hidden(error):
    result = run_raising(error)
    assert result.exception is error
    assert result.stderr == ""


def test_a_reader_that_went_away():
    result = run_raising(BrokenPipeError(32, "Broken pipe"))
    assert (result.exit_code, result.stderr) == (1, "")


def test_interrupted():
    result = run_raising(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (130, "trial: error: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number, capsys):
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_when_asked() as stop:
        assert not stop()
        signal.raise_signal(number)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert capsys.readouterr().err == "stopping after this batch; once more stops at once\n"
