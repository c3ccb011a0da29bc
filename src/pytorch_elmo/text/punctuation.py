"""Punctuation, Unicode's category P, as TensorFlow's text embeddings delete it: what RE2 takes for it.

Which characters these are depends on the edition of Unicode, so there is one place that says so: a vector is found
for a text if the text is cut as the embedding's own was.
"""

import sys
from functools import cache

PUNCTUATION = r"\pP"
_ALL_ELSE = r"\PP"
_FIRST_SURROGATE, _PAST_SURROGATES = 0xD800, 0xE000


def without_punctuation(encoded: list[bytes]) -> list[bytes]:
    """Texts in UTF-8 without their punctuation."""
    return _deleted(PUNCTUATION, encoded)


@cache
def punctuation_table() -> dict[int, None]:
    """A table for `str.translate` that deletes punctuation."""
    codes = [*range(_FIRST_SURROGATE), *range(_PAST_SURROGATES, sys.maxunicode + 1)]
    (punctuation,) = _deleted(_ALL_ELSE, ["".join(map(chr, codes)).encode()])
    return dict.fromkeys(map(ord, punctuation.decode()))


def _deleted(pattern: str, encoded: list[bytes]) -> list[bytes]:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    texts = pc.replace_substring_regex(pa.array(encoded, pa.large_string()), pattern, "")
    left: list[bytes] = texts.cast(pa.large_binary()).to_pylist()
    return left
