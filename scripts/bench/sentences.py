"""Made-up text for benchmarks: sentence lengths and word frequencies as in English prose, the same every time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

_WORDS = 120_000
_LETTERS = np.array(list("etaoinshrdlcumwfgypbvkjxqz"))
_SEED = 20180215


def _vocabulary(random: np.random.Generator) -> list[str]:
    """Distinct made-up words, short ones first, as frequent words are short."""
    weights = 1.0 / np.arange(1, len(_LETTERS) + 1)
    letters = random.choice(_LETTERS, size=(3 * _WORDS, 16), p=weights / weights.sum())
    lengths = np.clip(random.poisson(np.linspace(2.5, 7.0, 3 * _WORDS)) + 1, 1, 16)
    words = dict.fromkeys("".join(row[:length]) for row, length in zip(letters, lengths, strict=True))
    return list(words)[:_WORDS]


def sentences(count: int) -> Iterator[list[str]]:
    """Sentences of 1 to 120 tokens, 23 on average; word frequencies follow Zipf's law."""
    random = np.random.default_rng(_SEED)
    words = _vocabulary(random)
    shares = (np.arange(len(words)) + 2.7) ** -1.28
    cumulative = np.cumsum(shares / shares.sum())
    for _ in range(count):
        length = int(np.clip(random.lognormal(mean=2.93, sigma=0.62), 1, 120))
        places = np.searchsorted(cumulative, random.random(length))
        yield [words[min(place, len(words) - 1)] for place in places]


def sentences_of_natural_length(count: int) -> list[list[str]]:
    """The first `count` sentences."""
    return list(sentences(count))


def write_sentences(path: Path, count: int) -> int:
    """Write sentences a line each; how many tokens they have."""
    num_tokens = 0
    with path.open("w", encoding="utf-8") as file:
        for sentence in sentences(count):
            num_tokens += len(sentence)
            file.write(" ".join(sentence) + "\n")
    return num_tokens
