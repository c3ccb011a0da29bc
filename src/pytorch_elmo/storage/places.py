"""Which sentences an HDF5 file holds, how long they are, and where their bytes are."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from h5py import h5d, h5o
from numpy.typing import NDArray

from pytorch_elmo.storage.keys import path_of_key
from pytorch_elmo.storage.layout import (
    KEYS_ATTRIBUTE,
    OFFSETS,
    SENTENCE_INDICES,
    SENTENCE_TO_INDEX,
    TOKEN_COUNTS_ATTRIBUTE,
    VECTORS,
    bytes_per_token,
)
from pytorch_elmo.storage.manifest import PACKED, SENTENCE_KEYS, Manifest


class DecimalKeys(Sequence[str]):
    """The keys "0", "1", ... of so many sentences, without holding them."""

    def __init__(self, num_sentences: int) -> None:
        self._indexes = range(num_sentences)

    def __len__(self) -> int:
        return len(self._indexes)

    def __getitem__(self, index: Any) -> Any:
        """The key of one sentence, or a list of keys."""
        return list(map(str, self._indexes[index])) if isinstance(index, slice) else str(self._indexes[index])


def read_keys(file: Any, manifest: Manifest | None) -> Sequence[str]:
    """The key of each sentence: in the order of the input, or, if the file does not tell it, of the names."""
    if manifest is None:
        return _keys_by_name(file)
    if manifest.keys == SENTENCE_KEYS:
        keys: list[str] = json.loads(file.attrs[KEYS_ATTRIBUTE])
        return keys
    return DecimalKeys(manifest.num_sentences)


def _keys_by_name(file: Any) -> Sequence[str]:
    """The keys of a file without a manifest; if all are decimal, up to the highest, whether all are there or not."""
    names = [name for name in file if name not in (SENTENCE_TO_INDEX, SENTENCE_INDICES)]
    if all(name.isascii() and name.isdigit() for name in names):
        return DecimalKeys(max(map(int, names), default=-1) + 1)
    paths: list[str] = []

    def collect(path: bytes, info: Any) -> None:
        if info.type == h5o.TYPE_DATASET and path.decode("utf-8") not in (SENTENCE_TO_INDEX, SENTENCE_INDICES):
            paths.append(path.decode("utf-8"))

    h5o.visit(file.id, collect, info=True)
    return paths


def read_token_counts(file: Any, manifest: Manifest) -> NDArray[np.int64]:
    """The number of tokens of each sentence, (num_sentences,) int64, without a look at the vectors."""
    if manifest.layout == PACKED:
        return np.diff(file[OFFSETS][:]).astype(np.int64)
    return np.asarray(file.attrs[TOKEN_COUNTS_ATTRIBUTE], dtype=np.int64)


def find_places(file: Any, manifest: Manifest) -> NDArray[np.int64]:
    """The byte offset of each sentence's vectors, (num_sentences,) int64; 0 for a sentence without tokens."""
    if manifest.layout == PACKED:
        begin = file[VECTORS].id.get_offset() or 0
        offsets: NDArray[np.int64] = file[OFFSETS][:-1]
        return begin + offsets * bytes_per_token(manifest)
    places = np.zeros(manifest.num_sentences, dtype=np.int64)
    for index, key in enumerate(read_keys(file, manifest)):
        path = path_of_key(key, index).encode("utf-8")
        places[index] = h5d.open(file.id, path).get_offset() or 0
    return places
