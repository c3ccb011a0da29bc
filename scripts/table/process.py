"""Commands that a run starts, one at a time on a piece of work, whoever started it."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pytorch_elmo.errors import ConfigurationError

_running: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()
_is_stopped = threading.Event()


class StoppedError(Exception):
    """The work was ended from outside; what is there is gone on with at the next start."""


@contextmanager
def sole(folder: Path) -> Iterator[int]:
    """Wait until nobody works in `folder`; yields a file descriptor to hand on to commands.

    A command that outlives the process that started it keeps the lock, since it has the descriptor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for other work in {folder}", file=sys.stderr, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def run_command(
    program: str, *arguments: object, lock: int, log: Path, variables: Mapping[str, str] | None = None
) -> None:
    """Run a program of this environment to its end; what it says goes to `log`.

    Raises:
        ConfigurationError: it failed, with the last line that it said.
        StoppedError: `stop` was called.
    """
    command = [str(Path(sys.executable).with_name(program)), *map(str, arguments)]
    with log.open("ab") as file:
        with _guard:
            if _is_stopped.is_set():
                raise StoppedError
            child = subprocess.Popen(
                command, stdout=file, stderr=file, env={**os.environ, **(variables or {})}, pass_fds=[lock]
            )
            _running.add(child)
        code = child.wait()
        with _guard:
            _running.discard(child)
    if _is_stopped.is_set():
        raise StoppedError
    if code != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        raise ConfigurationError(
            f"{program} {arguments[0]} must succeed, it ended with code {code}: {last}; all is in {log}"
        )


def allow() -> None:
    """Let commands be started, after a `stop` too."""
    _is_stopped.clear()


def stop() -> None:
    """End all commands, and start no other."""
    _is_stopped.set()
    with _guard:
        for child in _running:
            child.terminate()
