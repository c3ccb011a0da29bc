"""From sentences to the rows of a table, as TensorFlow's text embeddings find them, for many sentences at once."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError
from pytorch_elmo.static_embeddings.text_settings import TextSettings
from pytorch_elmo.text.fingerprint64 import hash_buckets
from pytorch_elmo.text.token_file import check_tokens

_SPACE = b" "
_UNKNOWN = -1
_SENTENCES_AT_ONCE = 1024  # more would only take more memory
_PUNCTUATION = r"\pP"
TOKENS_PER_WORD = 3  # of the vocabulary, from which on it is looked up as a whole

Ids = NDArray[np.int64]


class TokenRows:
    """The tokens of sentences as numbers of rows: the vocabulary's in its order, then those of the buckets.

    No step takes the tokens one by one in Python: NumPy cuts the text of a thousand sentences after each space, and
    Arrow looks up what lies between the cuts, which is a token and its space, so that nothing is copied.

    Args:
        vocabulary: tokens, each once, none blank.
        settings: how tokens are made.

    Raises:
        TextError: the vocabulary cannot be one.
    """

    def __init__(self, vocabulary: Sequence[str], settings: TextSettings) -> None:
        check_tokens(vocabulary)
        self._settings = settings
        try:
            spellings = [token.encode("utf-8", "surrogateescape") + _SPACE for token in vocabulary]
        except UnicodeEncodeError as error:
            raise TextError(f"a token must be text, {error.object!r} holds a lone surrogate; mend it") from error
        self._rows = dict(zip(spellings, range(len(spellings)), strict=True))

    def find(self, sentences: Sequence[str]) -> tuple[Ids, Ids]:
        """The rows of a batch's tokens.

        Args:
            sentences: strings.

        Returns:
            ids (num_tokens,): of all sentences, end to end; offsets (batch_size,): where each begins. Both int64.

        Raises:
            TypeError: something else than a sequence of strings.
            TextError: a string holds a lone surrogate.
        """
        checked = _checked(sentences)
        ids, offsets, num_tokens = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
        for first in range(0, len(checked), _SENTENCES_AT_ONCE):
            part_ids, part_offsets = self._find_part(self._encoded(checked, first))
            ids.append(part_ids)
            offsets.append(part_offsets + num_tokens)
            num_tokens += len(part_ids)
        return np.concatenate(ids), np.concatenate(offsets)

    def _encoded(self, sentences: list[str], first: int) -> list[bytes]:
        part = sentences[first : first + _SENTENCES_AT_ONCE]
        try:
            encoded = [sentence.encode() for sentence in part]
        except UnicodeEncodeError as error:
            raise TextError(
                f"a sentence must be text, number {first + part.index(error.object)} holds the lone surrogate "
                f"{error.object[error.start]!r}; read its file as UTF-8"
            ) from error
        return _without_punctuation(encoded) if self._settings.remove_punctuation else encoded

    def _find_part(self, encoded: list[bytes]) -> tuple[Ids, Ids]:
        text = _SPACE.join([*encoded, b""])
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        ends = np.cumsum(lengths + 1)
        cuts = np.flatnonzero(np.frombuffer(text, np.uint8) == ord(_SPACE)) + 1 if self._settings.split else ends
        bounds = np.concatenate([[0], cuts])
        first_tokens = np.searchsorted(bounds, ends - lengths - 1)
        ids = self._rows_of(text, bounds)
        kept = ids != _UNKNOWN
        if not self._settings.keep_empty_tokens:
            kept &= _not_empty(np.diff(bounds) > len(_SPACE), first_tokens)
        if kept.all():
            return ids, first_tokens
        return ids[kept], np.concatenate([[0], np.cumsum(kept)])[first_tokens]

    def _rows_of(self, text: bytes, bounds: Ids) -> Ids:
        """Of the tokens between the bounds; -1 for those that have none."""
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.compute as pc  # type: ignore[import-untyped]

        buffers = [None, pa.py_buffer(bounds), pa.py_buffer(text)]
        tokens = pa.Array.from_buffers(pa.large_binary(), len(bounds) - 1, buffers)
        if len(tokens) < TOKENS_PER_WORD * len(self._rows):
            return self._rows_of_distinct(tokens)
        # Twice as fast for each token, but Arrow makes a table of the whole vocabulary first, each time.
        vocabulary = pa.array(self._rows, pa.large_binary())
        rows: Ids = pc.index_in(tokens, vocabulary).fill_null(_UNKNOWN).to_numpy().astype(np.int64)
        unknown = np.flatnonzero(rows == _UNKNOWN)
        rows[unknown] = self._rows_of_distinct(tokens.take(pa.array(unknown)))
        return rows

    def _rows_of_distinct(self, tokens: Any) -> Ids:
        """By one look-up for each token that is not as one before it."""
        encoded = tokens.dictionary_encode()
        spellings = encoded.dictionary.to_pylist()
        rows = np.fromiter(map(self._rows.get, spellings, repeat(_UNKNOWN)), np.int64, len(spellings))
        self._put_into_buckets(rows, spellings)
        found: Ids = rows[encoded.indices.to_numpy()]
        return found

    def _put_into_buckets(self, rows: Ids, spellings: list[bytes]) -> None:
        count = self._settings.num_oov_buckets
        unknown = np.flatnonzero(rows == _UNKNOWN)
        if count == 1:
            rows[unknown] = len(self._rows)
        elif count:
            tokens = [spellings[place].removesuffix(_SPACE) for place in unknown.tolist()]
            rows[unknown] = len(self._rows) + hash_buckets(tokens, count)


def _checked(sentences: Iterable[Any]) -> list[str]:
    is_one = isinstance(sentences, str | bytes) or not hasattr(sentences, "__len__")
    rank = getattr(sentences, "ndim", 0 if is_one else 1)
    if rank != 1:
        raise TypeError(
            f"sentences must be a sequence of strings, got {type(sentences).__name__} of rank {rank}; put one into a "
            "list, or flatten it"
        )
    checked = list(sentences)
    for number, sentence in enumerate(checked):
        if not isinstance(sentence, str):
            raise TypeError(f"a sentence must be a string, number {number} is {type(sentence).__name__}; join tokens")
    return checked


def _without_punctuation(encoded: list[bytes]) -> list[bytes]:
    """By RE2, as TensorFlow does it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.replace_substring_regex(pa.array(encoded, pa.large_string()), _PUNCTUATION, "")
    without: list[bytes] = texts.cast(pa.large_binary()).to_pylist()
    return without


def _not_empty(filled: NDArray[np.bool_], first_tokens: Ids) -> NDArray[np.bool_]:
    """Tokens that are `filled`; the first one of a sentence that has none of these."""
    counts = np.add.reduceat(filled.astype(np.int64), first_tokens)
    filled[first_tokens[counts == 0]] = True
    return filled
