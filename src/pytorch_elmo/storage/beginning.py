"""What must hold before a layer file is begun or gone on with, and the steps of beginning it."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.files import sync_folder
from pytorch_elmo.progress import Progress
from pytorch_elmo.storage.creation import create_blank_file
from pytorch_elmo.storage.disk import size_of, try_room
from pytorch_elmo.storage.job_files import JobFiles
from pytorch_elmo.storage.journal import Journal, read_journal
from pytorch_elmo.storage.layout import LayerFileSpec, header_bytes
from pytorch_elmo.storage.manifest import Manifest, first_difference
from pytorch_elmo.storage.opening import open_layer_file


def refuse_existing_output(output: Path) -> None:
    """`refuse_existing`, for a caller that has long work before it makes its writer.

    Raises:
        LayerFileError: the output exists, or an unfinished file of it, or another process writes it.
    """
    files = JobFiles(output)
    files.lock()
    try:
        refuse_existing(files)
    finally:
        files.unlock()


def refuse_existing(files: JobFiles) -> None:
    """Refuse to begin where something would be lost.

    Raises:
        LayerFileError: the output exists, or an unfinished file of it.
    """
    state = files.state()
    if state == "partial":
        written = read_journal(files.journal).written
        raise LayerFileError(
            f"{files.partial} is a partial file: {written.sum()} of {len(written)} sentences are safe; "
            f"go on with --resume, or start again with --overwrite"
        )
    if state == "complete":
        raise LayerFileError(f"an output must be a new file, but {files.output} exists; name another or --overwrite")


def lay_out(
    files: JobFiles, spec: LayerFileSpec, identity: Mapping[str, object], progress: Progress
) -> NDArray[np.int64]:
    """Put a blank partial file and its journal in place; an older partial file is removed.

    The journal comes first and the partial file gets its name last, so that it is whole as soon as it can be seen.

    Returns:
        the byte offset of each sentence's vectors, (num_sentences,) int64.
    """
    files.remove_partial()
    free = shutil.disk_usage(files.output.parent).free
    if spec.file_bytes > free:
        raise LayerFileError(
            f"{files.output} needs about {size_of(spec.file_bytes)}, but its disk has {size_of(free)} free; "
            f"make room or choose another folder"
        )
    progress.start(total=spec.manifest.num_sentences, unit="sentence", label="laying out the file")
    try:
        try_room(files.building, num_bytes=header_bytes(spec.manifest), file_bytes=spec.file_bytes)
        places = create_blank_file(files.building, spec, progress)
        Journal.begin(files.journal, manifest=spec.manifest.to_dict(), identity=identity).close()
        os.replace(files.building, files.partial)
        sync_folder(files.output.parent)
    finally:
        files.building.unlink(missing_ok=True)
    progress.finish()
    return places


def refuse_another_job(files: JobFiles, manifest: Manifest, identity: Mapping[str, object]) -> None:
    """Refuse to go on with an unfinished file that was begun with other settings.

    Raises:
        LayerFileError: the first field that differs, with both values.
    """
    begun = read_journal(files.journal)
    given = json.loads(json.dumps(identity))  # tuples become lists, as they did in the journal
    difference = first_difference(begun.manifest, manifest.to_dict()) or first_difference(begun.identity, given)
    if difference is not None:
        raise LayerFileError(
            f"{files.partial} must be gone on with as it was begun, but {difference}; "
            f"use the former value, or start again with --overwrite"
        )


def recognize_finished(files: JobFiles, manifest: Manifest) -> None:
    """Accept an output that the same job has finished, and clear away what it may have left.

    Raises:
        LayerFileError: there is no output, it is not complete, or it is not this job's.
    """
    if files.state() == "none":
        raise LayerFileError(f"there is nothing to go on with: {files.partial} does not exist; leave out --resume")
    file, found = open_layer_file(files.output)
    file.close()
    if found is None:
        raise LayerFileError(
            f"only a file with a manifest can be gone on with, but {files.output} has none; choose another output, "
            f"or --overwrite"
        )
    difference = first_difference(found.to_dict(), manifest.to_dict())
    if difference is not None:
        raise LayerFileError(
            f"{files.output} is complete and another job's: {difference}; choose another output, or --overwrite"
        )
    files.remove_partial()
