"""Reading layer files: both layouts, and those of AllenNLP."""

import json
import math
import operator
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self, overload

import h5py
import numpy as np
from h5py import h5d, h5s
from numpy.typing import NDArray

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.contents import DecimalKeys, read_keys, read_offsets, read_token_counts
from pytorch_elmo.storage.keys import path_of_key
from pytorch_elmo.storage.layout import (
    SENTENCE_TO_INDEX,
    VECTORS,
    disk_shape,
    sentence_shape,
    stored_dtype,
    swap_tokens_and_layers,
)
from pytorch_elmo.storage.manifest import PACKED
from pytorch_elmo.storage.opening import damage_errors, open_layer_file


class SentenceIndexError(LayerFileError, IndexError):
    """A layer file has no sentence of this index."""


class LayerFileReader:
    """The sentences' vectors in a layer file, usable as a map-style `torch.utils.data.Dataset`.

    `reader[i]` is the array of sentence i, (num_layers, num_tokens, dim) or (num_tokens, dim) in the file's dtype,
    whatever the layout; `reader[a:b]` is a list of arrays. It can be pickled and lives through a fork: each process
    opens the file for itself.

    Sentences stand in the order of the input. AllenNLP's files with sentences as keys do not tell this order; there
    they stand in the order of their names.

    Attributes:
        path: the file.
        manifest: what the file says of itself; None for AllenNLP's own.
        keys: the sentences' names, decimal indexes unless sentences are keys.

    Raises:
        LayerFileError: no such file, not a layer file, damaged, or not complete.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._is_closed = False
        self._process = os.getpid()
        self._file: h5py.File | None
        self._file, self.manifest = open_layer_file(self.path)
        self._num_bytes = self.path.stat().st_size
        with damage_errors(self.path, "the list of sentences"):
            self.keys = read_keys(self._file, self.manifest)
            self._offsets: NDArray[np.int64] | None = None
            self._packed: h5d.DatasetID | None = None  # opened once, since that takes longer than to read a sentence
            if self.manifest is not None and self.manifest.layout == PACKED:
                self._offsets = read_offsets(self._file, self.manifest)

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[Any]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[Any] | list[NDArray[Any]]:
        """The vectors of one sentence or of a range; negative indexes count from the end."""
        if isinstance(index, slice):
            return [self._read(position) for position in range(*index.indices(len(self)))]
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise SentenceIndexError(f"{self.path} has {len(self)} sentences, got index {position}; count from 0")
        return self._read(position % len(self))

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return map(self._read, range(len(self)))

    def by_sentence(self, text: str) -> NDArray[Any]:
        """The vectors of the sentence with this text, as it stood in the input without white space around it.

        Of equal sentences it is the last one.

        Raises:
            LayerFileError: no sentence has this text, or the file does not know its texts.
        """
        if text not in self.sentence_to_index:
            raise LayerFileError(
                f"{self.path} has no sentence {text!r}; ask for the text as it stood in the input, or by its index"
            )
        return self[self.sentence_to_index[text]]

    @property
    def knows_sentences(self) -> bool:
        """Whether sentences can be asked for by their text."""
        return not isinstance(self.keys, DecimalKeys) or SENTENCE_TO_INDEX in self._open_file()

    @cached_property
    def sentence_to_index(self) -> Mapping[str, int]:
        """From a sentence's text to its index.

        Raises:
            LayerFileError: the file does not know its texts.
        """
        if not isinstance(self.keys, DecimalKeys):
            return {key: index for index, key in enumerate(self.keys)}
        if not self.knows_sentences:
            raise LayerFileError(
                f"{self.path} was made without sentence_to_index (--forget-sentences); ask for sentences by index"
            )
        with damage_errors(self.path, SENTENCE_TO_INDEX):
            return {text: int(key) for text, key in json.loads(self._open_file()[SENTENCE_TO_INDEX][0]).items()}

    @cached_property
    def token_counts(self) -> NDArray[np.int64]:
        """The number of tokens of each sentence, (num_sentences,) int64; no vectors are read."""
        if self.manifest is not None:
            with damage_errors(self.path, "the list of sentences"):
                return read_token_counts(self._open_file(), self.manifest)
        counts = (self._dataset(index).shape[-2] for index in range(len(self)))
        return np.fromiter(counts, dtype=np.int64, count=len(self))

    @property
    def num_layers(self) -> int | None:
        """Layers of each sentence; None if there is one vector a token, without an axis for the layers."""
        if self.manifest is not None:
            return self.manifest.num_layers
        shape = self._first_dataset().shape
        return int(shape[0]) if len(shape) == 3 else None

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._first_dataset().shape[-1]) if self.manifest is None else self.manifest.dim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The vectors' dtype."""
        if self.manifest is not None:
            return stored_dtype(self.manifest)
        dtype: np.dtype[Any] = self._first_dataset().dtype
        return dtype

    def close(self) -> None:
        """Close the file; reading is an error from then on."""
        self._is_closed = True
        if self._file is not None:
            self._file.close()
        self._file, self._packed = None, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None, "_packed": None}

    def _open_file(self) -> h5py.File:
        """The file as this process has opened it."""
        if self._is_closed:
            raise LayerFileError(f"{self.path}: this reader is closed; make another LayerFileReader")
        if self._file is None or self._process != os.getpid():
            if self._file is not None:
                self._file.close()  # the copy that came with a fork
            self._file, self._packed = None, None
            file, manifest = open_layer_file(self.path)
            if manifest != self.manifest:
                file.close()
                raise LayerFileError(f"{self.path} was replaced while it was read; make another LayerFileReader")
            self._file, self._process = file, os.getpid()
        return self._file

    def _read(self, index: int) -> NDArray[Any]:
        if self._offsets is not None:
            return self._read_packed(*self._offsets[index : index + 2].tolist())
        dataset = self._dataset(index)
        vectors: NDArray[Any] = np.empty(dataset.shape, dtype=dataset.dtype)
        if vectors.size:
            with damage_errors(self.path, f"sentence {index}"):
                dataset.read(h5s.ALL, h5s.ALL, vectors)
        return vectors

    def _read_packed(self, begin: int, end: int) -> NDArray[Any]:
        assert self.manifest is not None
        file, vectors = self._open_file(), np.empty(disk_shape(self.manifest, end - begin), dtype=self.dtype)
        if vectors.size:
            with damage_errors(self.path, "the packed vectors"):
                if self._packed is None:
                    self._packed = h5d.open(file.id, VECTORS.encode())
                rows = self._packed.get_space()
                rows.select_hyperslab((begin, *[0] * (vectors.ndim - 1)), vectors.shape)
                self._packed.read(h5s.create_simple(vectors.shape), rows, vectors)
        return np.ascontiguousarray(swap_tokens_and_layers(self.manifest, vectors))

    def _dataset(self, index: int) -> h5d.DatasetID:
        """The dataset of one sentence, in the per-sentence layout."""
        path = path_of_key(self.keys[index], index)
        with damage_errors(self.path, f"sentence {index} ({path!r})"):
            dataset = h5d.open(self._open_file().id, path.encode("utf-8"))
            shape, dtype = dataset.shape, dataset.dtype
        is_plausible = len(shape) in (2, 3) and math.prod(shape) * dtype.itemsize <= self._num_bytes
        if self.manifest is not None:
            promised = sentence_shape(self.manifest, int(self.token_counts[index]))
            is_plausible = (shape, dtype) == (promised, self.dtype)
        if not is_plausible or dtype.kind != "f":
            raise LayerFileError(
                f"{self.path}: sentence {index} ({path!r}) must hold the vectors of its tokens, got {dtype} of shape "
                f"{shape}; make or copy the file again"
            )
        return dataset

    def _first_dataset(self) -> h5d.DatasetID:
        if len(self) == 0:
            raise LayerFileError(f"{self.path} has no sentences, so none tells the shape; name another file")
        return self._dataset(0)
