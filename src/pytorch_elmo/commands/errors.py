"""How a command ends: one line on standard error and an exit code, never a traceback."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from pytorch_elmo.errors import ConfigurationError, OptionsError, PytorchElmoError

USAGE, FAILURE, INTERRUPTED = 2, 1, 130


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn this package's errors into a line and an exit code: 2 for what was asked wrongly, 1 for the rest.

    So also what the system says about a file. An error that names no file is a fault of this package and goes on.
    """
    try:
        yield
    except PytorchElmoError as error:
        asked_wrongly = isinstance(error, ConfigurationError) and not isinstance(error, OptionsError)
        _end(str(error), USAGE if asked_wrongly else FAILURE)
    except BrokenPipeError:
        sys.exit(FAILURE)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"the system refuses {error.filename}: {error.strerror}; give another file or folder", FAILURE)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


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
