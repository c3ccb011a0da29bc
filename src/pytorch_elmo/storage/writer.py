"""Writing a layer file that may be stopped at any moment and gone on with, and is then the same file."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.files import sync_folder
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.storage.beginning import lay_out, recognize_finished, refuse_another_job, refuse_existing
from pytorch_elmo.storage.contents import find_places, read_token_counts
from pytorch_elmo.storage.creation import mark_complete
from pytorch_elmo.storage.disk import disk_errors, write_at
from pytorch_elmo.storage.job_files import JobFiles
from pytorch_elmo.storage.journal import Journal, read_journal
from pytorch_elmo.storage.layout import (
    LayerFileSpec,
    Texts,
    disk_shape,
    sentence_shape,
    stored_dtype,
    swap_tokens_and_layers,
)
from pytorch_elmo.storage.manifest import Manifest
from pytorch_elmo.storage.opening import damage_errors, open_hdf5


class _Handles(NamedTuple):
    """What an unfinished file is written through."""

    descriptor: int
    journal: Journal


class LayerFileWriter:
    """Puts sentences' vectors into a layer file, in any order, and keeps account of those that are safe.

    Made by `create` or `resume`. It holds the output's lock until `finish` or `close`, and until `finish` the file is
    named `OUTPUT.partial`. One thread at a time may use it.

    Attributes:
        path: the output.
        manifest: what the file will hold.
        batches_done: the caller's number at the last commit, 0 before the first.
        extra: the caller's record at the last commit, None before the first.
    """

    def __init__(
        self,
        *,
        files: JobFiles,
        manifest: Manifest,
        token_counts: NDArray[np.int64],
        places: NDArray[np.int64],
    ) -> None:
        contents = read_journal(files.journal)
        self.path = files.output
        self.manifest = manifest
        self.batches_done = contents.batches_done
        self.extra = contents.extra
        self._files = files
        self._token_counts = token_counts
        self._places = places
        self._written = contents.written
        self._uncommitted: list[int] = []
        self._handles: _Handles | None = _Handles(
            os.open(files.partial, os.O_RDWR), Journal(files.journal, contents.num_bytes)
        )

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        manifest: Manifest,
        token_counts: NDArray[np.int64],
        identity: Mapping[str, object],
        sentences: Texts | None = None,
        keys: Texts | None = None,
        also_sentence_indices: bool = False,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Self:
        """Lay out the whole file and take its room on disk.

        Args:
            path: the output; its folder must exist.
            manifest: what the file will hold.
            token_counts: (num_sentences,) int64.
            identity: what else must be equal for a later `resume`, for example hashes of the settings; JSON values.
            sentences: gives the sentences' texts, afresh each time it is called, for `sentence_to_index`; None
                leaves it out.
            keys: gives the sentences' keys likewise, with a manifest of sentence keys.
            also_sentence_indices: write `sentence_to_index` under the name `sentence_indices` too.
            overwrite: start again where an unfinished file is, and replace the output when the new one is finished.
            progress: hears of the sentences that were given their place.

        Raises:
            ConfigurationError: the arguments contradict each other.
            LayerFileError: the output or an unfinished file of it exists, another process writes it, or it does not
                fit on the disk.
            TextError: a sentence cannot be a key.
        """
        spec = LayerFileSpec(
            manifest=manifest,
            token_counts=np.asarray(token_counts, dtype=np.int64),
            sentences=sentences,
            keys=keys,
            also_sentence_indices=also_sentence_indices,
        )
        files = JobFiles(Path(path))
        with ExitStack() as undo:
            files.lock()
            undo.callback(files.unlock)
            if not overwrite:
                refuse_existing(files)
            with disk_errors(files.output, "nothing was begun; make room or choose another folder"):
                places = lay_out(files, spec, identity, progress or SilentProgress())
                writer = cls(files=files, manifest=manifest, token_counts=spec.token_counts, places=places)
            undo.pop_all()
        return writer

    @classmethod
    def resume(cls, path: Path, *, manifest: Manifest, identity: Mapping[str, object]) -> Self | None:
        """Go on with an unfinished file from its last commit.

        `manifest` and `identity` are those of the job as it would be begun now. They must equal those with which the
        file was begun; of a finished output the manifest alone is known.

        Returns:
            the writer; None if the output is there already, complete and of this job.

        Raises:
            LayerFileError: there is nothing to go on with, or it is another job's, damaged, or being written.
        """
        files = JobFiles(Path(path))
        with ExitStack() as undo:
            files.lock()
            undo.callback(files.unlock)
            if files.state() != "partial":
                recognize_finished(files, manifest)
                return None
            refuse_another_job(files, manifest, identity)
            with open_hdf5(files.partial) as file, damage_errors(files.partial, "the layout"):
                token_counts, places = read_token_counts(file, manifest), find_places(file, manifest)
            writer = cls(files=files, manifest=manifest, token_counts=token_counts, places=places)
            undo.pop_all()
        return writer

    @property
    def written(self) -> NDArray[np.bool_]:
        """Which sentences have been written, (num_sentences,) bool; after a resume, which are safe on disk."""
        return self._written.copy()

    def write(self, index: int, vectors: NDArray[np.floating[Any]]) -> None:
        """Write a sentence; writing it again replaces it.

        Args:
            index: the sentence, from 0.
            vectors: (num_layers, num_tokens, dim), or (num_tokens, dim) in a file without layers; any float dtype.

        Raises:
            LayerFileError: no such sentence, another shape, a value too large for the file's dtype, or a full disk.
        """
        handles, expected = self._open_handles(), self._shape(index)
        if vectors.shape != expected or vectors.dtype.kind != "f":
            raise LayerFileError(
                f"{self.path}: sentence {index} needs floats of shape {expected}, got {vectors.dtype} of shape "
                f"{vectors.shape}; write one array a sentence"
            )
        on_disk = swap_tokens_and_layers(self.manifest, vectors)
        try:
            with np.errstate(over="raise"):
                content = np.ascontiguousarray(on_disk, dtype=stored_dtype(self.manifest))
        except FloatingPointError as error:
            raise LayerFileError(
                f"{self.path}: sentence {index} has values beyond the range of {self.manifest.dtype}; store float32"
            ) from error
        with disk_errors(self.path, self._advice()):
            write_at(handles.descriptor, content.reshape(-1).view(np.uint8).data, int(self._places[index]))
        self.mark_written(index)

    def destination(self, index: int) -> NDArray[Any]:
        """The sentence's place in the file as a writable array of its final shape, for one too long for memory.

        Fill it in any order, with commits between, and then `mark_written`.
        """
        self._open_handles()
        self._shape(index)
        shape = disk_shape(self.manifest, int(self._token_counts[index]))
        dtype = stored_dtype(self.manifest)
        if 0 in shape:
            return np.empty(self._shape(index), dtype=dtype)
        mapped: NDArray[Any] = np.memmap(
            self._files.partial, dtype=dtype, mode="r+", offset=int(self._places[index]), shape=shape
        )
        return swap_tokens_and_layers(self.manifest, mapped)

    def mark_written(self, index: int) -> None:
        """Say that a sentence given by `destination` is filled; `write` does this itself."""
        self._shape(index)
        if not self._written[index]:
            self._written[index] = True
            self._uncommitted.append(int(index))  # NumPy's integers are no JSON

    def commit(self, batches_done: int, extra: Mapping[str, Any] | None = None) -> None:
        """Make all that was written durable, and then the note of it.

        Args:
            batches_done: given back by `resume`; its meaning is the caller's.
            extra: likewise; JSON values.

        Raises:
            LayerFileError: the disk refuses; what was committed before stays safe.
        """
        handles = self._open_handles()
        with disk_errors(self.path, self._advice()):
            os.fsync(handles.descriptor)
            handles.journal.commit(batches_done=int(batches_done), written=self._uncommitted, extra=extra)
        self._uncommitted.clear()
        self.batches_done = int(batches_done)
        self.extra = None if extra is None else dict(extra)

    def finish(self) -> None:
        """Give the file its own name, complete; being stopped between any two steps leaves one that can be resumed.

        Raises:
            LayerFileError: sentences are missing, or the disk refuses.
        """
        handles = self._open_handles()
        missing = np.flatnonzero(~self._written)
        if missing.size:
            raise LayerFileError(
                f"{self.path} needs all its {len(self._written)} sentences, but {missing.size} were not written, "
                f"first sentence {missing[0]}; write them before finish()"
            )
        with disk_errors(self.path, self._advice()):
            os.fsync(handles.descriptor)
            mark_complete(self._files.partial)
            os.fsync(handles.descriptor)
            os.replace(self._files.partial, self.path)
            sync_folder(self.path.parent)
            self._files.journal.unlink()
        self.close()

    def close(self) -> None:
        """Release the file and its lock. What was committed stays for `resume`; closing twice is harmless."""
        if self._handles is not None:
            os.close(self._handles.descriptor)
            self._handles.journal.close()
            self._handles = None
        self._files.unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_handles(self) -> _Handles:
        if self._handles is None:
            raise LayerFileError(f"{self.path}: this writer is closed; go on with LayerFileWriter.resume()")
        return self._handles

    def _shape(self, index: int) -> tuple[int, ...]:
        if not 0 <= index < len(self._token_counts):
            raise LayerFileError(
                f"{self.path} has sentences 0 to {len(self._token_counts) - 1}, got {index}; count sentences from 0"
            )
        return sentence_shape(self.manifest, int(self._token_counts[index]))

    def _advice(self) -> str:
        return f"what was committed ({self.batches_done} batches) is safe; make room and go on with --resume"
