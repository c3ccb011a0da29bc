"""The contents of an open layer file: which sentences it holds, how long they are, and where their bytes are."""

import json
from collections.abc import Callable, Sequence
from typing import overload

import h5py
import numpy as np
from h5py import h5d, h5o
from numpy.typing import NDArray

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.keys import path_of_key
from pytorch_elmo.storage.layout import (
    KEYS_ATTRIBUTE,
    OFFSETS,
    SENTENCE_INDICES,
    SENTENCE_TO_INDEX,
    TOKEN_COUNTS_ATTRIBUTE,
    VECTORS,
    bytes_per_token,
    disk_shape,
    stored_dtype,
)
from pytorch_elmo.storage.manifest import PACKED, SENTENCE_KEYS, Manifest

_MOST_DIGITS = 18


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS and str(int(name)) == name


class DecimalKeys(Sequence[str]):
    """The keys "0", "1", ... of so many sentences, without holding them."""

    def __init__(self, num_sentences: int) -> None:
        self._indexes = range(num_sentences)

    def __len__(self) -> int:
        return len(self._indexes)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _is_index(name) and int(name) in self._indexes

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """The key of one sentence or of a range."""
        return list(map(str, self._indexes[index])) if isinstance(index, slice) else str(self._indexes[index])


def read_keys(file: h5py.File, manifest: Manifest | None) -> Sequence[str]:
    """The key of each sentence: in the order of the input, or, if the file does not tell it, of the names."""
    if manifest is None:
        return _keys_by_name(file)
    if manifest.keys == SENTENCE_KEYS:
        keys: list[str] = json.loads(file.attrs[KEYS_ATTRIBUTE])
        if len(keys) != manifest.num_sentences:
            raise LayerFileError(
                f"{file.filename}: there must be a key for each of {manifest.num_sentences} sentences, got "
                f"{len(keys)}; make or copy the file again"
            )
        return keys
    return DecimalKeys(manifest.num_sentences)


def _keys_by_name(file: h5py.File) -> Sequence[str]:
    """The keys of a file without a manifest.

    If all are decimal they are indexes up to the highest, though some of these sentences may be missing; numbers far
    apart are texts.
    """
    names = [name for name in file if name not in (SENTENCE_TO_INDEX, SENTENCE_INDICES)]
    if all(_is_index(name) for name in names):
        num_sentences = max(map(int, names), default=-1) + 1
        if num_sentences <= 2 * len(names):
            return DecimalKeys(num_sentences)
    paths: list[str] = []
    visit_datasets(file, paths.append)
    return [path for path in paths if path not in (SENTENCE_TO_INDEX, SENTENCE_INDICES)]


def visit_datasets(file: h5py.File, visitor: Callable[[str], None]) -> None:
    """Call `visitor` with the path of every dataset, in the order of the names."""

    def visit(path: bytes, info: h5o.ObjInfo) -> None:
        if info.type == h5o.TYPE_DATASET:
            visitor(path.decode("utf-8"))

    h5o.visit(file.id, visit, info=True)


def read_offsets(file: h5py.File, manifest: Manifest) -> NDArray[np.int64]:
    """The rows at which the sentences of the packed layout begin, and the end, (num_sentences + 1,) int64.

    Raises:
        LayerFileError: the offsets or the shape of the vectors are not what the manifest says.
    """
    offsets: NDArray[np.int64] = file[OFFSETS][:].astype(np.int64)
    expected = (manifest.num_sentences + 1, 0, manifest.num_tokens)
    found = (len(offsets), *offsets[[0, -1]].tolist())
    if found != expected or (np.diff(offsets) < 0).any():
        raise LayerFileError(
            f"{file.filename}: the offsets must rise to the number of tokens {manifest.num_tokens}, got "
            f"{found[0]} from {found[1]} to {found[2]}; make or copy the file again"
        )
    shape, dtype = file[VECTORS].shape, file[VECTORS].dtype
    if shape != disk_shape(manifest, manifest.num_tokens) or dtype != stored_dtype(manifest):
        raise LayerFileError(
            f"{file.filename}: the vectors must be {stored_dtype(manifest)} of shape "
            f"{disk_shape(manifest, manifest.num_tokens)}, got {dtype} of shape {shape}; make or copy the file again"
        )
    return offsets


def read_token_counts(file: h5py.File, manifest: Manifest) -> NDArray[np.int64]:
    """The number of tokens of each sentence, (num_sentences,) int64, without a look at the vectors.

    Raises:
        LayerFileError: they are not what the manifest says.
    """
    if manifest.layout == PACKED:
        return np.diff(read_offsets(file, manifest))
    counts = np.asarray(file.attrs[TOKEN_COUNTS_ATTRIBUTE], dtype=np.int64)
    if len(counts) != manifest.num_sentences or counts.sum() != manifest.num_tokens:
        raise LayerFileError(
            f"{file.filename}: the manifest must count what the file holds, {len(counts)} sentences and "
            f"{counts.sum()} tokens, got {manifest.num_sentences} and {manifest.num_tokens}; "
            f"make or copy the file again"
        )
    return counts


def find_places(file: h5py.File, manifest: Manifest) -> NDArray[np.int64]:
    """The byte offset of each sentence's vectors, (num_sentences,) int64; 0 for a sentence without tokens."""
    if manifest.layout == PACKED:
        begin = file[VECTORS].id.get_offset() or 0
        return np.asarray(begin + read_offsets(file, manifest)[:-1] * bytes_per_token(manifest), dtype=np.int64)
    places = np.zeros(manifest.num_sentences, dtype=np.int64)
    for index, key in enumerate(read_keys(file, manifest)):
        path = path_of_key(key, index).encode("utf-8")
        places[index] = h5d.open(file.id, path).get_offset() or 0
    return places
