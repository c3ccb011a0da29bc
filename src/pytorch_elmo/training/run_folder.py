"""The output folder of a training run."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.training.processes import Processes


@contextmanager
def one_run_at_a_time(folder: Path, processes: Processes) -> Iterator[None]:
    """Keep other runs out of `folder`; the first of several processes does.

    Raises:
        ConfigurationError: another run writes there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock") if processes.first else nullcontext()
    try:
        if isinstance(lock, FileLock):
            lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigurationError(
            f"another run writes to {folder}; wait for it, or choose another output folder"
        ) from error
    try:
        yield
    finally:
        if isinstance(lock, FileLock):
            lock.release()
