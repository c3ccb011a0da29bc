"""Numbers for the distinct words of a batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.text.characters import BEGIN_OF_SENTENCE, END_OF_SENTENCE


def number_words(sentences: Sequence[Sequence[str]]) -> tuple[list[str], list[NDArray[np.int64]]]:
    """The distinct words, begin and end of sentence first, and each sentence as their numbers with boundaries."""
    numbers = {BEGIN_OF_SENTENCE: 0, END_OF_SENTENCE: 1}
    places = []
    for sentence in sentences:
        row = np.empty(len(sentence) + 2, dtype=np.int64)
        row[0], row[-1] = 0, 1
        row[1:-1] = [numbers.setdefault(word, len(numbers)) for word in sentence]
        places.append(row)
    return list(numbers), places
