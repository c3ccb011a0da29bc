"""Writing overlaps computing: one thread puts finished batches into the layer file while the next is run."""

import queue
import threading
import time
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.files import whole_file
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.storage import LayerFileWriter
from pytorch_elmo.storage.disk import disk_errors

_SECONDS_BETWEEN_COMMITS = 1.0
_BATCHES_WAITING = 2
_ADVICE = "what was committed is safe; make room and go on with --resume"


class FinishedBatch(NamedTuple):
    """A batch's number from 1, its sentences' vectors by index, and the state carried after it (None: stateless)."""

    number: int
    vectors: list[tuple[int, NDArray[np.float32]]]
    state: LstmState | None


class BackgroundWriter:
    """Takes batches in their order, writes them, and commits about once a second.

    A failure in the thread is raised by the next call from outside, and nothing is written after it.
    """

    def __init__(self, writer: LayerFileWriter) -> None:
        self._writer = writer
        self._queue: queue.Queue[FinishedBatch | None] = queue.Queue(maxsize=_BATCHES_WAITING)
        self._failure: BaseException | None = None
        self._committed = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="layer file writer", daemon=True)
        self._thread.start()

    def put(self, batch: FinishedBatch) -> None:
        """Hand over a batch; waits while two are waiting already.

        Raises:
            LayerFileError: an earlier batch could not be written.
        """
        self._raise_failure()
        self._queue.put(batch)

    def drain(self) -> None:
        """Wait until everything handed over is written."""
        self._queue.join()
        self._raise_failure()

    def close(self) -> None:
        """Write what was handed over, commit it, and end the thread."""
        self._queue.put(None)
        self._thread.join()
        self._raise_failure()

    def _run(self) -> None:
        last: FinishedBatch | None = None
        while (batch := self._queue.get()) is not None:
            if self._failure is None:
                self._attempt(batch)
                last = batch
            self._queue.task_done()
        if last is not None and self._failure is None and self._writer.batches_done < last.number:
            self._guard(lambda: commit(self._writer, last))
        self._queue.task_done()

    def _attempt(self, batch: FinishedBatch) -> None:
        def write() -> None:
            for index, vectors in batch.vectors:
                self._writer.write(index, vectors)
            if time.monotonic() - self._committed >= _SECONDS_BETWEEN_COMMITS:
                commit(self._writer, batch)
                self._committed = time.monotonic()

        self._guard(write)

    def _guard(self, action: Any) -> None:
        try:
            action()
        except BaseException as error:  # handed to the thread that called, which raises it
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def commit(writer: LayerFileWriter, batch: FinishedBatch) -> None:
    """Make a batch durable: first the carried state in a file of its own, then the note, then the old state goes."""
    if batch.state is None:
        writer.commit(batch.number)
        return
    before = (writer.extra or {}).get("state")
    name = f"{writer.path.name}.partial.state-{batch.number}"
    state = save({"hidden": batch.state.hidden.cpu(), "cell": batch.state.cell.cpu()})
    with disk_errors(writer.path, _ADVICE), whole_file(writer.path.with_name(name)) as partial:
        partial.write_bytes(state)
    writer.commit(batch.number, {"state": name})
    if before and before != name:
        writer.path.with_name(before).unlink(missing_ok=True)


def committed_state(writer: LayerFileWriter) -> LstmState | None:
    """The carried state at the last commit, None if there was none.

    Raises:
        LayerFileError: its file is gone or damaged.
    """
    extra: Mapping[str, Any] = writer.extra or {}
    if "state" not in extra:
        return None
    path = writer.path.with_name(extra["state"])
    if not path.is_file():
        raise LayerFileError(f"{path} with the carried state is missing; start again with --overwrite")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise LayerFileError(
            f"{path} with the carried state is damaged ({error}); start again with --overwrite"
        ) from error
    return LstmState(tensors["hidden"], tensors["cell"])


def remove_states(path: Path) -> None:
    """Remove the carried states of a job for the output `path`, and what was left half written."""
    name = escape(f"{path.name}.partial.state-")
    for state in [*path.parent.glob(f"{name}*"), *path.parent.glob(f".{name}*.partial")]:
        state.unlink(missing_ok=True)
