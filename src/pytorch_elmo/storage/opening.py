"""Opening a layer file, or saying in one line what it is instead."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.job_files import JOURNAL_SUFFIX, PARTIAL_SUFFIX
from pytorch_elmo.storage.journal import read_journal
from pytorch_elmo.storage.layout import COMPLETE_ATTRIBUTE, MANIFEST_ATTRIBUTE
from pytorch_elmo.storage.manifest import Manifest

_LEAST_METADATA_CACHE = 4 << 20
_MOST_METADATA_CACHE = 128 << 20  # HDF5's own limit
# What h5py raises on a damaged file depends on where the damage is; a wild size is a MemoryError.
_SIGNS_OF_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)


def bound_metadata_cache(file: h5py.File, num_names: int) -> None:
    """Keep HDF5 from remembering every dataset it has seen, which takes 2 kB for each.

    The cache must hold the table of a group's names, for decimal indexes at most 16 bytes a name: with less, each
    look-up would read the table again.
    """
    config = file.id.get_mdc_config()
    config.max_size = min(max(_LEAST_METADATA_CACHE, 16 * num_names), _MOST_METADATA_CACHE)
    file.id.set_mdc_config(config)


@contextmanager
def damage_errors(path: Path, what: str) -> Iterator[None]:
    """Turn what h5py raises while it reads `what` from `path` into one line.

    Raises:
        LayerFileError: `what` cannot be read.
    """
    try:
        yield
    except _SIGNS_OF_DAMAGE as error:
        raise LayerFileError(f"{path}: {what} cannot be read ({error}); make or copy the file again") from error


def open_hdf5(path: Path) -> h5py.File:
    """The file, open for reading.

    Raises:
        LayerFileError: it is missing, not an HDF5 file, damaged, or the weight file of a model.
    """
    if path.is_dir() or not path.exists():
        found = "is a folder" if path.is_dir() else "does not exist"
        partial = path.with_name(path.name + PARTIAL_SUFFIX)
        advice = f"finish {partial.name} with --resume" if partial.exists() else "name a file of vectors"
        raise LayerFileError(f"a layer file is needed, but {path} {found}; {advice}")
    with damage_errors(path, "the file"):
        path.open("rb").close()
        if not h5py.is_hdf5(path):
            raise LayerFileError(f"a layer file must be an HDF5 file, but {path} is not; name a file of vectors")
        file = h5py.File(path, "r")
    with damage_errors(path, "the list of sentences"):
        if "char_embed" in file and "CNN" in file:
            file.close()
            raise LayerFileError(f"a layer file is needed, but {path} holds a model's weights; name one of vectors")
        bound_metadata_cache(file, len(file))
    return file


def read_manifest(file: h5py.File, path: Path) -> Manifest | None:
    """The manifest of an open HDF5 file; None if it has none, as the files of AllenNLP.

    Raises:
        LayerFileError: the manifest cannot be read.
    """
    with damage_errors(path, "the manifest"):
        if MANIFEST_ATTRIBUTE not in file.attrs:
            return None
        text, complete = file.attrs[MANIFEST_ATTRIBUTE], bool(file.attrs[COMPLETE_ATTRIBUTE])
    try:
        return Manifest.from_json(text, complete=complete)
    except LayerFileError as error:
        raise LayerFileError(f"{path}: {error}") from error


def refuse_partial(path: Path, manifest: Manifest) -> None:
    """Refuse to read a file whose job is not finished.

    Raises:
        LayerFileError: it is not complete.
    """
    if not manifest.complete:
        journal = path.with_name(path.name + JOURNAL_SUFFIX)
        safe = f"{read_journal(journal).written.sum()}" if journal.exists() else "not all"
        raise LayerFileError(
            f"a layer file must be complete, but {path} has {safe} of {manifest.num_sentences} sentences; "
            f"finish the job with --resume"
        )


def open_layer_file(path: Path) -> tuple[h5py.File, Manifest | None]:
    """The file, open for reading, and its manifest (None: a file of AllenNLP's).

    Raises:
        LayerFileError: it is not a layer file that can be read, or not complete.
    """
    file = open_hdf5(path)
    try:
        manifest = read_manifest(file, path)
        if manifest is not None:
            refuse_partial(path, manifest)
    except LayerFileError:
        file.close()
        raise
    return file, manifest
