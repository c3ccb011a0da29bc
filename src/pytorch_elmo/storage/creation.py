"""The whole of a layer file but its vectors, laid out on disk before the first vector is computed.

From then on HDF5 is not needed to write: every sentence has its place in the file, and putting bytes there cannot
damage the structure around it. HDF5 itself is not safe against being stopped while it writes.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t
from numpy.typing import NDArray

from pytorch_elmo.progress import Progress
from pytorch_elmo.storage.disk import reserve
from pytorch_elmo.storage.keys import path_of_key, refuse_conflict
from pytorch_elmo.storage.layout import (
    COMPLETE_ATTRIBUTE,
    KEYS_ATTRIBUTE,
    MANIFEST_ATTRIBUTE,
    OFFSETS,
    TOKEN_COUNTS_ATTRIBUTE,
    VECTORS,
    LayerFileSpec,
    Texts,
    bytes_per_token,
    disk_shape,
    exactly,
)
from pytorch_elmo.storage.long_string import append_string
from pytorch_elmo.storage.manifest import PACKED, Manifest
from pytorch_elmo.storage.opening import bound_metadata_cache
from pytorch_elmo.storage.sentence_index import index_json

# What HDF5 1.8 and later can read, and no flag in the file that a stopped process leaves behind.
_VERSIONS = ("earliest", "v108")
_SENTENCES_PER_ADVANCE = 1000


def _create_dataset(file: h5py.File, path: str, manifest: Manifest, num_tokens: int, settings: h5p.PropDCID) -> int:
    """Create a dataset of vectors whose bytes have their place at once; returns its offset, 0 if it has no bytes."""
    file_type = h5t.IEEE_F16LE if manifest.dtype == "float16" else h5t.IEEE_F32LE
    space = h5s.create_simple(disk_shape(manifest, num_tokens))
    name, link = path.encode("utf-8"), None
    if "/" in path or not path.isascii():
        link = h5p.create(h5p.LINK_CREATE)
        link.set_create_intermediate_group(True)
        link.set_char_encoding(h5t.CSET_ASCII if path.isascii() else h5t.CSET_UTF8)
    dataset = h5d.create(file.id, name, file_type, space, settings, link)
    return dataset.get_offset() or 0


def _early_and_unfilled() -> h5p.PropDCID:
    """Settings of a contiguous dataset that is allocated when it is created and holds no fill value."""
    settings = h5p.create(h5p.DATASET_CREATE)
    settings.set_layout(h5d.CONTIGUOUS)
    settings.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5d.FILL_TIME_NEVER)
    settings.set_obj_track_times(False)  # the same job gives the same bytes
    return settings


def _paths(keys: Texts | None, num_sentences: int) -> Iterator[str]:
    """The path of each sentence's dataset."""
    if keys is None:
        yield from map(str, range(num_sentences))
    else:
        for index, key in enumerate(exactly(keys(), num_sentences)):
            yield path_of_key(key, index)


def _create_sentence_datasets(file: h5py.File, spec: LayerFileSpec, progress: Progress) -> NDArray[np.int64]:
    """Create one dataset a sentence; returns their offsets, (num_sentences,) int64."""
    settings = _early_and_unfilled()
    places = np.zeros(len(spec.token_counts), dtype=np.int64)
    for index, path in enumerate(_paths(spec.keys, len(places))):
        try:
            places[index] = _create_dataset(file, path, spec.manifest, int(spec.token_counts[index]), settings)
        except (ValueError, RuntimeError, KeyError):  # as which of them HDF5 reports a taken name is not documented
            if spec.keys is not None:
                refuse_conflict(spec.keys, index)
            raise
        if (index + 1) % _SENTENCES_PER_ADVANCE == 0:
            progress.advance(_SENTENCES_PER_ADVANCE)
    progress.advance(len(places) % _SENTENCES_PER_ADVANCE)
    return places


def _create_packed_datasets(file: h5py.File, spec: LayerFileSpec) -> NDArray[np.int64]:
    """Create the one dataset of all vectors and the offsets; returns where each sentence lies, (num_sentences,)."""
    offsets = np.concatenate(([0], np.cumsum(spec.token_counts))).astype(np.int64)
    file.create_dataset(OFFSETS, data=offsets, dtype="<i8")
    begin = _create_dataset(file, VECTORS, spec.manifest, spec.manifest.num_tokens, _early_and_unfilled())
    return begin + offsets[:-1] * bytes_per_token(spec.manifest)


def _create_attributes(file: h5py.File, spec: LayerFileSpec) -> None:
    """Create the attributes of the root."""
    file.attrs[COMPLETE_ATTRIBUTE] = np.bool_(False)
    file.attrs[MANIFEST_ATTRIBUTE] = spec.manifest.to_json()
    if spec.manifest.layout != PACKED:
        # Of variable length, since an attribute of fixed length holds no more than 64 kB.
        counts = np.empty((), dtype=object)
        counts[()] = spec.token_counts
        file.attrs.create(TOKEN_COUNTS_ATTRIBUTE, counts, dtype=h5py.vlen_dtype(np.dtype("<i8")))
    if spec.keys is not None:
        file.attrs[KEYS_ATTRIBUTE] = json.dumps(list(spec.keys()))


def _create_index_datasets(file: h5py.File, spec: LayerFileSpec) -> list[int]:
    """Create empty strings for `sentence_to_index`; returns the offsets of their elements."""
    settings = h5p.create(h5p.DATASET_CREATE)
    settings.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    settings.set_obj_track_times(False)
    string = h5t.py_create(h5py.string_dtype(), logical=True)
    space = h5s.create_simple((1,))
    return [h5d.create(file.id, name.encode(), string, space, settings).get_offset() for name in spec.index_names]


def create_blank_file(path: Path, spec: LayerFileSpec, progress: Progress) -> NDArray[np.int64]:
    """Write a layer file whose vectors are still to come, and make it durable.

    Returns:
        the byte offset of each sentence's vectors, (num_sentences,) int64.

    Raises:
        TextError: sentences cannot be keys.
        LayerFileError: the number of texts is not the number of token counts.
        OSError: the system refuses, for example because the disk is full.
    """
    with h5py.File(path, "w", libver=_VERSIONS, locking=False) as file:
        bound_metadata_cache(file, spec.manifest.num_sentences)
        _create_attributes(file, spec)
        if spec.manifest.layout == PACKED:
            places = _create_packed_datasets(file, spec)
        else:
            places = _create_sentence_datasets(file, spec, progress)
        elements = _create_index_datasets(file, spec)
    descriptor = os.open(path, os.O_RDWR)
    try:
        if spec.sentences is not None:
            for element in elements:
                append_string(descriptor, element, index_json(spec.sentences, spec.manifest.num_sentences))
        reserve(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return places


def mark_complete(path: Path) -> None:
    """Set the flag that makes a file one to be read.

    It is one byte in place: being stopped here leaves the flag set or not set, and everything else as it was.
    """
    with h5py.File(path, "r+", libver=_VERSIONS, locking=False) as file:
        file.attrs.modify(COMPLETE_ATTRIBUTE, np.bool_(True))
