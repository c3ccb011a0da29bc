"""`sentence_to_index`: a JSON object from a sentence's text to its key, made without holding the texts.

As in AllenNLP 0.9: texts stand in the order in which they first come, the last of equal sentences gives the key, and
keys are strings.
"""

import hashlib
import json
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.storage.layout import Texts, exactly

_DIGEST_BYTES = 16


def _digests(sentences: Texts, num_sentences: int) -> NDArray[np.uint64]:
    """(num_sentences, 2) uint64: 128 bits of every text, too many for two texts to share them by chance."""
    digests = bytearray()
    for text in exactly(sentences(), num_sentences):
        digests += hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
    return np.frombuffer(digests, dtype=np.uint64).reshape(num_sentences, 2)


def last_of_equals(sentences: Texts, num_sentences: int) -> NDArray[np.int64]:
    """For each sentence that is the first with its text, the index of the last one; -1 for the others.

    Returns:
        (num_sentences,) int64
    """
    last = np.full(num_sentences, -1, dtype=np.int64)
    if num_sentences == 0:
        return last
    digests = _digests(sentences, num_sentences)
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal texts stay in the order of the input
    ordered = digests[order]
    begins = np.flatnonzero(np.concatenate(([True], (ordered[1:] != ordered[:-1]).any(axis=1))))
    ends = np.append(begins[1:], num_sentences)
    last[order[begins]] = order[ends - 1]
    return last


def index_entries(sentences: Texts, num_sentences: int) -> Iterator[tuple[str, int]]:
    """The distinct texts in the order in which they first come, each with the index of its last sentence."""
    last = last_of_equals(sentences, num_sentences)
    for text, index in zip(exactly(sentences(), num_sentences), last, strict=True):
        if index >= 0:
            yield text, int(index)


def index_json(sentences: Texts, num_sentences: int) -> Iterator[bytes]:
    """The pieces of the JSON object, ASCII-escaped, spelled as `json.dumps` spells a dict."""
    separator = b"{"
    for text, index in index_entries(sentences, num_sentences):
        yield separator + f'{json.dumps(text)}: "{index}"'.encode("ascii")
        separator = b", "
    yield b"{}" if separator == b"{" else b"}"
