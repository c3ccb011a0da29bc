"""How a command of AllenNLP ends: one line for what is the input's or the configuration's, a traceback for a fault.

The traceback of a line is in the log file of the training, `out.log`, and `ALLENNLP_DEBUG=1`, or
`ALLENNLP_LOG_LEVEL=DEBUG`, which are AllenNLP's own switches, have it on the screen instead of the line.
"""

import functools
import importlib
import logging
import re
import signal
import sys
import textwrap
from collections.abc import Callable
from traceback import walk_tb
from types import ModuleType
from typing import Any

from pytorch_elmo.allennlp_plugin.config_errors import unknown_key
from pytorch_elmo.commands.errors import FAILURE, INTERRUPTED, USAGE, in_one_line
from pytorch_elmo.errors import PytorchElmoError

_TERMINATED = 128 + signal.SIGTERM
_PACKAGES = frozenset({"allennlp", "allennlp_models", "cached_path", "pytorch_elmo"})  # an error of others is a fault
_OF_A_PROCESS = frozenset(
    {"ProcessRaisedException", "WorkerError"}
)  # torch's and AllenNLP's, with the text of another
_LAST_LINE = re.compile(r"^(?P<module>\w+(?:\.\w+)*)\.(?P<name>\w+): ", re.MULTILINE)


def mend_commands(commands: ModuleType) -> None:
    """`allennlp` and `python -m allennlp` call this `main`; what it raises reached the user as a traceback."""
    main: Callable[..., None] = commands.main

    @functools.wraps(main)
    def with_one_line(prog: str | None = None) -> None:
        try:
            main(prog)
        except BrokenPipeError:
            sys.exit(FAILURE)
        except (Exception, KeyboardInterrupt) as error:
            described = describe(error)
            if described is None or logging.getLogger().isEnabledFor(logging.DEBUG):
                raise
            _keep_traceback(error)
            line, code = described
            print(f"{prog or 'allennlp'}{_subcommand()}: error: {line}", file=sys.stderr)
            sys.exit(code)

    commands.main = with_one_line  # type: ignore[attr-defined]


def describe(error: BaseException) -> tuple[str, int] | None:
    """What to tell the user of an error, and the exit code; None for a fault, whose traceback is to be seen.

    Args:
        error: whatever a command of AllenNLP raised, also what one of its processes did.
    """
    if type(error).__name__ in _OF_A_PROCESS:
        return _describe_process(str(error))
    if isinstance(error, _configuration_error()):
        return str(error), USAGE
    if isinstance(error, TypeError) and (line := unknown_key(error)) is not None:
        return line, USAGE
    if isinstance(error, OSError) and _raised_by(error) not in _PACKAGES:
        return None
    if type(error).__name__ == "SigTermReceived":
        return _interrupted("terminated"), _TERMINATED
    if isinstance(error, KeyboardInterrupt):
        return _interrupted("interrupted"), INTERRUPTED
    return in_one_line(error)


def _raised_by(error: BaseException) -> str:
    """The package whose code met the error, not counting Python's own library."""
    passed = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    packages = [name.partition(".")[0] for name in passed]
    return next((name for name in reversed(packages) if name not in sys.stdlib_module_names), "")


def _describe_process(text: str) -> tuple[str, int] | None:
    """The same for an error that came from another process, as the text of its traceback."""
    *_, text = text.rsplit("Traceback", 1)
    found = list(_LAST_LINE.finditer(textwrap.dedent(text.partition("\n")[2])))
    if not found:
        return None
    last = found[-1]
    try:
        kind = getattr(importlib.import_module(last["module"]), last["name"], None)
    except ImportError:
        return None
    message = last.string[last.end() :].strip()
    if isinstance(kind, type) and issubclass(kind, _configuration_error()):
        return message, USAGE
    if isinstance(kind, type) and issubclass(kind, PytorchElmoError):
        return in_one_line(kind(message))
    return None


def _configuration_error() -> Any:
    return importlib.import_module("allennlp.common.checks").ConfigurationError


def _interrupted(how: str) -> str:
    if _subcommand() != " train":
        return how
    return f"{how}; the same command with --recover goes on after the last epoch that ended"


def _subcommand() -> str:
    named = sys.argv[1:2]
    return f" {named[0]}" if named and not named[0].startswith("-") else ""


def _keep_traceback(error: BaseException) -> None:
    """Into the log files alone, where AllenNLP writes the tracebacks of a training."""
    traceback = (type(error), error, error.__traceback__)
    name, text = __name__, "the command ended with"
    record = logging.getLogger(name).makeRecord(name, logging.CRITICAL, __file__, 0, text, (), traceback)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {"allennlp.commands": (mend_commands,)}
