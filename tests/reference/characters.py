"""Words as 50 character ids: UTF-8 bytes plus one, boundaries above them, 0 where no word stands."""

import numpy as np

from .model import Ids

WIDTH = 50
BEGIN_SENTENCE, END_SENTENCE, BEGIN_WORD, END_WORD, PADDING = range(257, 262)


def frame(content: list[int]) -> list[int]:
    """Begin of word, content, end of word, padding."""
    ids = [BEGIN_WORD, *content, END_WORD]
    while len(ids) < WIDTH:
        ids.append(PADDING)
    return ids


def token_ids(token: str) -> list[int]:
    """The 50 ids of one token; bytes beyond 48 and lone surrogates are lost."""
    if token == "<S>":
        return frame([BEGIN_SENTENCE])
    if token == "</S>":
        return frame([END_SENTENCE])
    return frame([byte + 1 for byte in token.encode("utf-8", errors="ignore")[:48]])


def batch_ids(sentences: list[list[str]]) -> Ids:
    """(batch_size, num_tokens, 50) int64, padded on the right with zeros; no sentence boundaries are added."""
    ids = np.zeros((len(sentences), max(map(len, sentences)), WIDTH), dtype=np.int64)
    for b, sentence in enumerate(sentences):
        for t, token in enumerate(sentence):
            ids[b, t] = token_ids(token)
    return ids
