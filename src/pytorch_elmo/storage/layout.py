"""The names and shapes in a layer file, for both layouts.

Per-sentence (as `allennlp elmo` 0.9): one contiguous dataset a sentence, named by its decimal index, and
`sentence_to_index`. Packed: all tokens in one dataset `vectors`, sentence i in rows `offsets[i]` to `offsets[i + 1]`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import ConfigurationError, LayerFileError
from pytorch_elmo.storage.manifest import PACKED, SENTENCE_KEYS, Manifest

MANIFEST_ATTRIBUTE = "pytorch_elmo_manifest"
COMPLETE_ATTRIBUTE = "pytorch_elmo_complete"
TOKEN_COUNTS_ATTRIBUTE = "pytorch_elmo_token_counts"  # per-sentence: (num_sentences,) int64
KEYS_ATTRIBUTE = "pytorch_elmo_keys"  # sentence keys: a JSON list in the order of the input
SENTENCE_TO_INDEX = "sentence_to_index"
SENTENCE_INDICES = "sentence_indices"
VECTORS = "vectors"
OFFSETS = "offsets"

_HEADER_BYTES_PER_DATASET = 512  # more than HDF5 needs for a dataset's header and name
_HEADER_BYTES = 64 * 1024
_OFFSET_BYTES = 8

Texts = Callable[[], Iterable[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerFileSpec:
    """Everything about a layer file but its vectors, known before the first is computed.

    `token_counts` is (num_sentences,) int64. `sentences` and `keys` give a fresh iterator of texts, one a sentence,
    whenever they are called. `sentences` become `sentence_to_index`; None leaves it out. `keys` name the datasets;
    None means decimal indexes.

    Raises:
        ConfigurationError: the parts contradict each other.
    """

    manifest: Manifest
    token_counts: NDArray[np.int64]
    sentences: Texts | None = None
    keys: Texts | None = None
    also_sentence_indices: bool = False

    def __post_init__(self) -> None:
        counted = (len(self.token_counts), int(self.token_counts.sum()))
        promised = (self.manifest.num_sentences, self.manifest.num_tokens)
        if counted != promised:
            raise ConfigurationError(
                f"the manifest must count what the token counts do: {counted[0]} sentences and {counted[1]} tokens, "
                f"got {promised[0]} and {promised[1]}"
            )
        if (self.keys is not None) != (self.manifest.keys == SENTENCE_KEYS):
            given = "none" if self.keys is None else "some"
            raise ConfigurationError(
                f"keys go with a manifest of sentence keys, got {given} with {self.manifest.keys!r} keys"
            )
        if self.keys is not None and self.sentences is not None:
            raise ConfigurationError(
                "a file with sentence keys has no sentence_to_index, got both keys and sentences; give one"
            )

    @property
    def index_names(self) -> tuple[str, ...]:
        """The datasets that map sentences to indexes."""
        if self.sentences is None:
            return ()
        return (SENTENCE_TO_INDEX, SENTENCE_INDICES) if self.also_sentence_indices else (SENTENCE_TO_INDEX,)

    @property
    def file_bytes(self) -> int:
        """As `file_bytes` of the manifest."""
        return file_bytes(self.manifest)


def header_bytes(manifest: Manifest) -> int:
    """Enough for what HDF5 itself writes; names of datasets that are sentences take more."""
    per_sentence = _OFFSET_BYTES if manifest.layout == PACKED else _HEADER_BYTES_PER_DATASET
    return _HEADER_BYTES + per_sentence * manifest.num_sentences


def file_bytes(manifest: Manifest) -> int:
    """About the size of the file, without `sentence_to_index`."""
    return header_bytes(manifest) + manifest.num_tokens * bytes_per_token(manifest)


def stored_dtype(manifest: Manifest) -> np.dtype[Any]:
    """The vectors' dtype, little-endian on every machine."""
    return np.dtype(manifest.dtype).newbyteorder("<")


def bytes_per_token(manifest: Manifest) -> int:
    """Bytes of one token's vectors."""
    return (manifest.num_layers or 1) * manifest.dim * stored_dtype(manifest).itemsize


def sentence_shape(manifest: Manifest, num_tokens: int) -> tuple[int, ...]:
    """A sentence's shape as readers see it: (num_layers, num_tokens, dim), or (num_tokens, dim) without layers."""
    if manifest.num_layers is None:
        return (num_tokens, manifest.dim)
    return (manifest.num_layers, num_tokens, manifest.dim)


def disk_shape(manifest: Manifest, num_tokens: int) -> tuple[int, ...]:
    """The shape of a sentence's bytes on disk; in the packed layout tokens come before layers."""
    if manifest.layout == PACKED and manifest.num_layers is not None:
        return (num_tokens, manifest.num_layers, manifest.dim)
    return sentence_shape(manifest, num_tokens)


def swap_tokens_and_layers(manifest: Manifest, vectors: NDArray[Any]) -> NDArray[Any]:
    """A view that turns a sentence's shape into the shape on disk, and back."""
    if manifest.layout == PACKED and manifest.num_layers is not None:
        return vectors.swapaxes(0, 1)
    return vectors


def exactly(texts: Iterable[str], num_sentences: int) -> Iterator[str]:
    """Pass `texts` on.

    Raises:
        LayerFileError: there are not `num_sentences` of them.
    """
    found = 0
    for text in texts:
        found += 1
        if found <= num_sentences:
            yield text
    if found != num_sentences:
        raise LayerFileError(
            f"the input must not change while it is read: {num_sentences} sentences were counted, now there are "
            f"{found}; start again"
        )
