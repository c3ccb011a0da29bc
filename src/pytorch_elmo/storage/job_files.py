"""The files of an unfinished job beside its output, and the lock that gives them to one process."""

from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.files import sync_folder
from pytorch_elmo.storage.disk import disk_errors

PARTIAL_SUFFIX = ".partial"
JOURNAL_SUFFIX = ".journal"


class JobFiles:
    """Names derived from the output's, and what may be done with them.

    `partial` is structurally whole from the moment it exists, and then `journal` exists too. `building` is what
    becomes `partial`.

    Raises:
        LayerFileError: the output is a folder.
    """

    def __init__(self, output: Path) -> None:
        if output.is_dir():
            raise LayerFileError(f"an output must be a file, but {output} is a folder; name a file in it")
        self.output = output
        self.partial = output.with_name(output.name + PARTIAL_SUFFIX)
        self.building = self.partial.with_name(self.partial.name + ".building")
        self.journal = self.partial.with_name(self.partial.name + JOURNAL_SUFFIX)
        self._lock_path = self.partial.with_name(self.partial.name + ".lock")
        # thread_local: the thread that finishes a file need not be the one that began it.
        self._lock = FileLock(self._lock_path, thread_local=False)

    def lock(self) -> None:
        """Keep every other writer out until `unlock`; the system does it, so a killed process leaves no lock behind.

        Raises:
            LayerFileError: there is no folder for the output, it may not be written, or another writer is at work.
        """
        if not self.output.parent.is_dir():
            raise LayerFileError(
                f"the folder of the output must exist, but {self.output.parent} does not; create it or name another"
            )
        with disk_errors(self.output, "nothing was begun; choose another name or folder"):
            try:
                self._lock.acquire(blocking=False)
            except Timeout as error:
                raise LayerFileError(
                    f"one process at a time may write a file, but another process is writing {self.output}; "
                    f"wait for it or choose another output"
                ) from error

    def unlock(self) -> None:
        """Let others in. The lock's file goes first: whoever opened it before finds a lock that guards no name."""
        if self._lock.is_locked:
            self._lock_path.unlink(missing_ok=True)
            self._lock.release()

    def state(self) -> Literal["none", "partial", "complete"]:
        """What a job would find: nothing, a partial file, or (only) a file under the output's own name."""
        if self.partial.exists():
            return "partial"
        return "complete" if self.output.exists() else "none"

    def remove_partial(self) -> None:
        """Remove what an earlier job left; the journal goes after the file that it describes."""
        self.building.unlink(missing_ok=True)
        if self.partial.exists():
            self.partial.unlink()
            sync_folder(self.output.parent)
        self.journal.unlink(missing_ok=True)


def partial_state(path: Path) -> Literal["none", "partial", "complete"]:
    """Whether a job for the output `path` has not begun, is unfinished, or has left a file of that name.

    An unfinished job that replaces an older file is "partial".
    """
    return JobFiles(path).state()
