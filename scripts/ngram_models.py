"""Models that only count: a unigram and an interpolated Kneser-Ney trigram over sentences of ids.

The vocabulary is closed, its first three ids are those of `<S>`, `</S>` and `<UNK>`, and `<UNK>` is counted and
predicted like any token. A sentence of n tokens is n + 1 predictions, as for the biLM: forward, each token and then
`</S>`, beginning from `<S>`; backward, each token from the last to the first and then `<S>`, beginning from `</S>`.
The boundary that a direction begins from is never predicted, so probabilities sum to 1 over the other V - 1 tokens.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import ConfigurationError

BEGIN_ID, END_ID, UNKNOWN_ID = range(3)
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)  # those that KenLM offers when counts of counts give none
MAX_VOCABULARY_SIZE = 1 << 21  # a trigram is one int64

Ids = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Direction(Enum):
    """The order in which the tokens of a sentence are predicted; the value is the step through the text."""

    FORWARD = 1
    BACKWARD = -1


class NgramCounts(NamedTuple):
    """Keys, ascending, one int64 an n-gram (its ids as digits in base V), and how often each was seen (int64)."""

    keys: Ids
    counts: Ids


def boundary_stream(sentences_ids: Iterable[Sequence[int]], vocabulary_size: int, direction: Direction) -> Ids:
    """All sentences end to end in the order of prediction, each between its boundaries.

    Raises:
        ConfigurationError: the vocabulary is too large, there is no sentence, or an id is no token's.
    """
    if vocabulary_size > MAX_VOCABULARY_SIZE:
        raise ConfigurationError(
            f"vocabulary_size must be at most {MAX_VOCABULARY_SIZE}, got {vocabulary_size}; leave rare tokens out"
        )
    stream, num_sentences = array("q"), 0
    for sentence_ids in sentences_ids:
        stream.append(BEGIN_ID)
        stream.extend(sentence_ids)
        stream.append(END_ID)
        num_sentences += 1
    if not num_sentences:
        raise ConfigurationError("a text must hold at least one sentence, got 0; name another text")
    ids = np.frombuffer(stream, dtype=np.int64)
    is_token = (ids >= UNKNOWN_ID) & (ids < vocabulary_size)
    if len(ids) - np.count_nonzero(is_token) != 2 * num_sentences:
        raise ConfigurationError(
            f"ids of tokens must lie from {UNKNOWN_ID} to {vocabulary_size - 1}, got a range from {ids.min()} to "
            f"{ids.max()} or a boundary in a sentence; give sentences without boundaries, in this vocabulary's ids"
        )
    return ids[:: direction.value]


def count_ngrams(stream: Ids, order: int, vocabulary_size: int) -> NgramCounts:
    """The n-grams of a boundary stream; none crosses from one sentence to the next."""
    num_places = max(len(stream) - order + 1, 0)
    keys = np.zeros(num_places, dtype=np.int64)
    inside = np.ones(num_places, dtype=bool)
    for offset in range(order):
        tokens = stream[offset : offset + num_places]
        keys = keys * vocabulary_size + tokens
        if offset:
            inside &= tokens != stream[0]
    return NgramCounts(*np.unique(keys[inside], return_counts=True))


def count_left_contexts(ngrams: NgramCounts, suffix_limit: int) -> NgramCounts:
    """Continuation counts N1+(. suffix): before how many different tokens each suffix of the n-grams was seen."""
    return NgramCounts(*np.unique(ngrams.keys % suffix_limit, return_counts=True))


def modified_discounts(counts: Ids) -> tuple[float, float, float]:
    """What is taken from counts of 1, of 2, and of 3 and more (Chen and Goodman 1999, eq. 26).

    Returns `FALLBACK_DISCOUNTS` where the formula is of no use: one of n1 to n4 is 0, or a discount not in (0, k].
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == count)) for count in (1, 2, 3, 4))
    if not all((n1, n2, n3, n4)):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    discounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return discounts if all(0 < discount <= k for k, discount in enumerate(discounts, 1)) else FALLBACK_DISCOUNTS


def look_up(keys: Ids, values: Numbers, wanted: Ids, absent: float) -> Numbers:
    """The values of the `wanted` keys, `absent` for those that `keys` (ascending, not empty) does not hold."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], absent)


@dataclass(frozen=True, kw_only=True)
class InterpolatedOrder:
    """One order of the model: a discounted share for each n-gram, and what each context leaves to the lower order."""

    vocabulary_size: int
    discounts: tuple[float, float, float]
    keys: Ids
    shares: Numbers
    context_keys: Ids
    leftovers: Numbers

    @classmethod
    def from_counts(cls, ngrams: NgramCounts, vocabulary_size: int) -> Self:
        """Discount the counts and divide by the totals of their contexts."""
        discounts = modified_discounts(ngrams.counts)
        taken = np.array((0.0, *discounts))[np.minimum(ngrams.counts, 3)]
        contexts = ngrams.keys // vocabulary_size
        first_places = np.flatnonzero(np.diff(contexts, prepend=-1))
        totals = np.add.reduceat(ngrams.counts, first_places)
        return cls(
            vocabulary_size=vocabulary_size,
            discounts=discounts,
            keys=ngrams.keys,
            shares=(ngrams.counts - taken) / np.repeat(totals, np.diff(first_places, append=len(contexts))),
            context_keys=contexts[first_places],
            leftovers=np.add.reduceat(taken, first_places) / totals,
        )

    def probabilities(self, contexts: Ids, tokens: Ids, lower: Numbers | float) -> Numbers:
        """The share of each token after its context, plus what the context leaves over times `lower`."""
        shares = look_up(self.keys, self.shares, contexts * self.vocabulary_size + tokens, absent=0.0)
        return shares + look_up(self.context_keys, self.leftovers, contexts, absent=1.0) * lower


@dataclass(frozen=True, kw_only=True)
class KneserNeyTrigram:
    """Interpolated Kneser-Ney of orders 3, 2 and 1 over 1 / (V - 1), with modified discounts (Chen and Goodman 1999).

    Order 3 uses plain counts, the lower orders continuation counts. N-grams that begin with the boundary keep plain
    counts in order 2 too, for nothing stands before them; the first token of a sentence is predicted from order 2.
    """

    vocabulary_size: int
    direction: Direction
    orders: tuple[InterpolatedOrder, InterpolatedOrder, InterpolatedOrder]

    @classmethod
    def fit(
        cls,
        sentences_ids: Iterable[Sequence[int]],
        vocabulary_size: int,
        direction: Direction = Direction.FORWARD,
    ) -> Self:
        """Count sentences of ids, in the order of the text and without boundaries.

        Raises:
            ConfigurationError: there is no token at all, or `boundary_stream` refuses the ids.
        """
        stream = boundary_stream(sentences_ids, vocabulary_size, direction)
        trigrams = count_ngrams(stream, 3, vocabulary_size)
        if not len(trigrams.keys):
            raise ConfigurationError("a trigram model needs text with at least one token, got 0; name another text")
        bigrams = count_ngrams(stream, 2, vocabulary_size)
        at_beginning = bigrams.keys // vocabulary_size == stream[0]
        # Every other bigram is the end of a trigram, so these two cover all bigrams and share none.
        continued = count_left_contexts(trigrams, vocabulary_size**2)
        keys = np.concatenate([bigrams.keys[at_beginning], continued.keys])
        counts = np.concatenate([bigrams.counts[at_beginning], continued.counts])
        ascending = np.argsort(keys)
        bigrams = NgramCounts(keys[ascending], counts[ascending])
        unigrams = count_left_contexts(bigrams, vocabulary_size)
        first, second, third = (
            InterpolatedOrder.from_counts(ngrams, vocabulary_size) for ngrams in (unigrams, bigrams, trigrams)
        )
        return cls(vocabulary_size=vocabulary_size, direction=direction, orders=(first, second, third))

    def log_probabilities(self, sentence_ids: Sequence[int]) -> Numbers:
        """Natural logarithms of the n + 1 predictions of one sentence, in the order of prediction; float64.

        Raises:
            ConfigurationError: an id is a boundary's or outside the vocabulary.
        """
        stream = boundary_stream([sentence_ids], self.vocabulary_size, self.direction)
        contexts, tokens = stream[:-1], stream[1:]
        first, second, third = self.orders
        predicted = first.probabilities(np.zeros_like(tokens), tokens, lower=1 / (self.vocabulary_size - 1))
        predicted = second.probabilities(contexts, tokens, lower=predicted)
        pairs = contexts[:-1] * self.vocabulary_size + contexts[1:]
        predicted[1:] = third.probabilities(pairs, tokens[1:], lower=predicted[1:])
        logarithms: Numbers = np.log(predicted)
        return logarithms


@dataclass(frozen=True, kw_only=True)
class Unigram:
    """Relative frequencies with one added to each count (Laplace), so that no token is impossible.

    Both boundaries occur once a sentence, so its perplexity is the same in both directions.
    """

    logarithms: Numbers

    @classmethod
    def fit(cls, sentences_ids: Iterable[Sequence[int]], vocabulary_size: int) -> Self:
        """Count sentences of ids without boundaries; raises what `boundary_stream` raises."""
        stream = boundary_stream(sentences_ids, vocabulary_size, Direction.FORWARD)
        counts = np.bincount(stream, minlength=vocabulary_size) + 1
        return cls(logarithms=np.log(counts / (counts.sum() - counts[BEGIN_ID])))

    def log_probabilities(self, sentence_ids: Sequence[int]) -> Numbers:
        """Natural logarithms of the n + 1 predictions of one sentence (forward); float64."""
        return self.logarithms[boundary_stream([sentence_ids], len(self.logarithms), Direction.FORWARD)[1:]]
