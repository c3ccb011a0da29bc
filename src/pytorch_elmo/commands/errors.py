"""How a command ends: one line on standard error and an exit code, never a traceback."""

import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from pytorch_elmo.errors import ConfigurationError, OptionsError, PytorchElmoError

USAGE, FAILURE, INTERRUPTED = 2, 1, 130
_TORCH_MEMORY = re.compile(r"tried to allocate|out of memory", re.IGNORECASE)


def in_one_line(error: BaseException) -> tuple[str, int] | None:
    """What to tell the user of an error that is not a fault of the program, and the exit code; None for a fault.

    The code is 2 for what was asked wrongly, 130 after Ctrl-C, 1 for the rest. What the system says about a file is
    the input's; an error of the system that names no file is a fault. Want of memory is what was asked for.
    """
    if isinstance(error, PytorchElmoError):
        asked_wrongly = isinstance(error, ConfigurationError) and not isinstance(error, OptionsError)
        return str(error), USAGE if asked_wrongly else FAILURE
    if isinstance(error, OSError) and error.filename is not None:
        return f"the system refuses {error.filename}: {error.strerror}; give another file or folder", FAILURE
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if _is_want_of_memory(error):
        said = " ".join(str(error).split())[-120:] or "no more is said"
        return f"there is not the memory for what was asked ({said}); ask for less at once", FAILURE
    return None


def _is_want_of_memory(error: BaseException) -> bool:
    """Whether Python, NumPy or PyTorch could not have the memory; PyTorch says so in a RuntimeError's text."""
    of_torch = isinstance(error, RuntimeError) and _TORCH_MEMORY.search(str(error))
    return isinstance(error, MemoryError) or bool(of_torch)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn the errors that `in_one_line` knows into a line and an exit code; others go on."""
    try:
        yield
    except BrokenPipeError:
        sys.exit(FAILURE)
    except (PytorchElmoError, OSError, KeyboardInterrupt, MemoryError, RuntimeError) as error:
        described = in_one_line(error)
        if described is None:
            raise
        _end(*described)


def _end(message: str, code: int) -> None:
    name = click.get_current_context().command_path
    click.echo(f"{name}: error: {message}", err=True)
    sys.exit(code)


@contextmanager
def stop_when_asked() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM ask a job to stop at its next safe place; a second one stops at once.

    Yields:
        A function that tells whether the job was asked to stop.
    """
    asked = False

    def ask(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        click.echo("stopping after this batch; once more stops at once", err=True)

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, ask) for number in signals]
    try:
        yield lambda: asked
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
