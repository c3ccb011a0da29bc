"""Word senses by the nearest of the training part's senses (Peters et al. 2018, section 5.3, table 5)."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from probes.data import Answers, Predicate


class SenseInventory:
    """The senses of the training part, by lemma.

    `first` is a lemma's most frequent sense, the first in alphabetical order of equals. A lemma without training
    data gets its frame's first sense, number 01.
    """

    def __init__(self, train: Sequence[Predicate]) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        for predicate in train:
            self._counts[predicate.lemma][predicate.sense] += 1

    def __contains__(self, lemma: str) -> bool:
        return lemma in self._counts

    def senses(self, lemma: str) -> list[str]:
        """A lemma's senses in train, the most frequent first."""
        counts = self._counts[lemma] if lemma in self else Counter[str]()
        return sorted(counts, key=lambda sense: (-counts[sense], sense))

    def first(self, lemma: str) -> str:
        """The first-sense baseline's answer."""
        return self.senses(lemma)[0] if lemma in self else f"{lemma}.01"


def nearest_senses(
    inventory: SenseInventory,
    train: Sequence[Predicate],
    train_vectors: Tensor,
    asked: Sequence[Predicate],
    vectors: Tensor,
) -> list[str]:
    """For each predicate asked for the sense of its lemma whose mean vector in train is nearest by cosine.

    Args:
        inventory: of `train`.
        train: predicates with known senses.
        train_vectors: (num_train, dim) float, theirs.
        asked: predicates whose senses are asked for.
        vectors: (num_asked, dim) float, theirs.

    Returns:
        A sense for each; the lemma's first where train has none of it.
    """
    means = _mean_vectors(train, train_vectors)
    answers = []
    for predicate, vector in zip(asked, F.normalize(vectors, dim=-1), strict=True):
        senses = inventory.senses(predicate.lemma)
        if len(senses) > 1:
            similarities = torch.stack([means[predicate.lemma, sense] for sense in senses]) @ vector
            answers.append(senses[int(similarities.argmax())])
        else:
            answers.append(inventory.first(predicate.lemma))
    return answers


def right(answers: Sequence[str], asked: Sequence[Predicate]) -> Answers:
    """Which predicates got their sense, (num_asked,) bool."""
    return np.array([answer == predicate.sense for answer, predicate in zip(answers, asked, strict=True)], dtype=bool)


def _mean_vectors(train: Sequence[Predicate], vectors: Tensor) -> dict[tuple[str, str], Tensor]:
    """The mean vector, of length one, of each lemma's senses."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, predicate in enumerate(train):
        places[predicate.lemma, predicate.sense].append(place)
    return {sense: F.normalize(vectors[found].mean(dim=0), dim=-1) for sense, found in places.items()}
