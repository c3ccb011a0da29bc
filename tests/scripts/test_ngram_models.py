"""The counting models against numbers worked out by hand and against a literal implementation with fractions."""

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ngram_models
from pytorch_elmo.errors import ConfigurationError

FORWARD, BACKWARD = ngram_models.Direction.FORWARD, ngram_models.Direction.BACKWARD
KneserNeyTrigram, Unigram = ngram_models.KneserNeyTrigram, ngram_models.Unigram

VOCABULARY_SIZE = 5
UNKNOWN, A, B = 2, 3, 4
HAND_CORPUS = [[A, B], [A]]  # "a b", "a"


@st.composite
def texts(draw):
    """A vocabulary size and sentences of its ids, among them at least one token."""
    vocabulary_size = draw(st.integers(3, 8))
    sentences = st.lists(st.lists(st.integers(UNKNOWN, vocabulary_size - 1), max_size=6), min_size=1, max_size=12)
    return vocabulary_size, draw(sentences.filter(any))


def zipf_corpus(vocabulary_size, num_sentences):
    """Sentences whose counts of counts fall off as those of language do."""
    generator = np.random.default_rng(7)
    shares = 1 / np.arange(1, vocabulary_size - 1) ** 1.2
    return [
        generator.choice(
            np.arange(2, vocabulary_size), size=generator.integers(1, 12), p=shares / shares.sum()
        ).tolist()
        for _ in range(num_sentences)
    ]


def exact_discounts(counts):
    """Chen and Goodman 1999, eq. 26, with the fallback as documented."""
    n = Counter(counts)
    fallback = [Fraction(0), Fraction(1, 2), Fraction(1), Fraction(3, 2)]
    if 0 in (n[1], n[2], n[3], n[4]):
        return fallback
    y = Fraction(n[1], n[1] + 2 * n[2])
    found = [k - (k + 1) * y * Fraction(n[k + 1], n[k]) for k in (1, 2, 3)]
    return [Fraction(0), *found] if all(0 < d <= k for k, d in enumerate(found, 1)) else fallback


class ExactTrigram:
    """Interpolated Kneser-Ney term by term: dictionaries of tuples, one formula a line, nothing shared."""

    def __init__(self, sentences, vocabulary_size, direction):
        self.vocabulary_size = vocabulary_size
        self.start, self.end = (0, 1) if direction is FORWARD else (1, 0)
        self.reverse = direction is BACKWARD
        padded = [self.padded(sentence) for sentence in sentences]
        plain = {
            order: Counter(tuple(s[i : i + order]) for s in padded for i in range(len(s) - order + 1))
            for order in (2, 3)
        }
        left_of_bigrams, left_of_tokens = defaultdict(set), defaultdict(set)
        for u, v, w in plain[3]:
            left_of_bigrams[v, w].add(u)
        for v, w in plain[2]:
            left_of_tokens[w].add(v)
        bigrams = {
            (v, w): count if v == self.start else len(left_of_bigrams[v, w]) for (v, w), count in plain[2].items()
        }
        unigrams = {(w,): len(left) for w, left in left_of_tokens.items()}
        self.after = []
        self.discounts = []
        for counts in (unigrams, bigrams, plain[3]):
            after = defaultdict(dict)
            for ngram, count in counts.items():
                after[ngram[:-1]][ngram[-1]] = count
            self.after.append(after)
            self.discounts.append(exact_discounts(counts.values()))

    def padded(self, sentence):
        return [self.start, *(reversed(sentence) if self.reverse else sentence), self.end]

    def probability(self, history, token):
        lower = self.probability(history[1:], token) if history else Fraction(1, self.vocabulary_size - 1)
        counts, discounts = self.after[len(history)].get(tuple(history)), self.discounts[len(history)]
        if not counts:
            return lower
        total = sum(counts.values())
        leftover = sum(discounts[min(count, 3)] for count in counts.values()) / total
        count = counts.get(token, 0)
        return (count - discounts[min(count, 3)]) / total + leftover * lower

    def probabilities(self, sentence):
        stream = self.padded(sentence)
        return [self.probability(stream[max(i - 2, 0) : i], stream[i]) for i in range(1, len(stream))]


class TestHandWorkedCorpus:
    """All counts of counts are too few for the formula, so the discounts are 1/2, 1, 3/2.

    Forward, order 1: N1+(. a) = 1 (<S>), N1+(. b) = 1 (a), N1+(. </S>) = 2 (a, b), total 4;
        leftover (1/2 + 1/2 + 1) / 4 = 1/2 over a base of 1/4: 1/8 for each token;
        p(a) = p(b) = (1 - 1/2) / 4 + 1/8 = 1/4, p(</S>) = (2 - 1) / 4 + 1/8 = 3/8, p(<UNK>) = 1/8.
    Order 2: after <S>: a 2 (plain); after a: b 1, </S> 1; after b: </S> 1; each context leaves 1/2;
        p(a|<S>) = (2 - 1) / 2 + 1/8 = 5/8, p(b|a) = (1 - 1/2) / 2 + 1/8 = 3/8,
        p(</S>|a) = 1/4 + 3/16 = 7/16, p(</S>|b) = 1/2 + 3/16 = 11/16.
    Order 3: after <S> a: b 1, </S> 1; after a b: </S> 1; each context leaves 1/2;
        p(b|<S> a) = 1/4 + 3/16 = 7/16, p(</S>|<S> a) = 1/4 + 7/32 = 15/32, p(</S>|a b) = 1/2 + 11/32 = 27/32.
    """

    @pytest.mark.parametrize(
        ("sentence", "expected"),
        [
            ([A, B], [5 / 8, 7 / 16, 27 / 32]),
            ([A], [5 / 8, 15 / 32]),
            # Never seen: p(b|<S>) = 1/2 * 1/4; p(<UNK>|<S> b) = p(<UNK>|b) = 1/2 * 1/8; p(</S>|b <UNK>) = p(</S>).
            ([B, UNKNOWN], [1 / 8, 1 / 16, 3 / 8]),
            # p(</S>|<S>) = 1/2 * 3/8.
            ([], [3 / 16]),
        ],
    )
    def test_forward(self, sentence, expected):
        model = KneserNeyTrigram.fit(HAND_CORPUS, VOCABULARY_SIZE)
        np.testing.assert_allclose(np.exp(model.log_probabilities(sentence)), expected, rtol=1e-14)

    def test_backward(self):
        # Order 1: b 1 (</S>), a 2 (</S>, b), <S> 1 (a): p(b) = p(<S>) = 1/4, p(a) = 3/8.
        # Order 2: after </S>: b 1, a 1 (plain): p(b|</S>) = 1/4 + 1/8 = 3/8;
        # after b: a 1: p(a|b) = 1/2 + 3/16 = 11/16; after a: <S> 2 (</S>, b): p(<S>|a) = (2 - 1) / 2 + 1/8 = 5/8.
        # Order 3: p(a|</S> b) = 1/2 + 11/32 = 27/32, p(<S>|b a) = 1/2 + 5/16 = 13/16.
        model = KneserNeyTrigram.fit(HAND_CORPUS, VOCABULARY_SIZE, BACKWARD)
        np.testing.assert_allclose(np.exp(model.log_probabilities([A, B])), [3 / 8, 27 / 32, 13 / 16], rtol=1e-14)

    def test_unigram_adds_one(self):
        # a 2, b 1, </S> 2, <UNK> 0, one more each: out of 9.
        model = Unigram.fit(HAND_CORPUS, VOCABULARY_SIZE)
        np.testing.assert_allclose(
            np.exp(model.log_probabilities([A, B, UNKNOWN])), [3 / 9, 2 / 9, 1 / 9, 3 / 9], rtol=1e-14
        )


@pytest.mark.parametrize(
    ("counts_of_counts", "expected"),
    [
        # Y = 8 / (8 + 8) = 1/2: D1 = 1 - 2/2 * 4/8, D2 = 2 - 3/2 * 2/4, D3+ = 3 - 4/2 * 1/2.
        ((8, 4, 2, 1), (1 / 2, 5 / 4, 2.0)),
        # No trigram of count 4: the formula would take 3 from a count of 3.
        ((8, 4, 2, 0), (0.5, 1.0, 1.5)),
        # Y = 1 / (1 + 2) = 1/3: D2 = 2 - 3/3 * 2/1 = 0 would leave unseen tokens impossible.
        ((1, 1, 2, 1), (0.5, 1.0, 1.5)),
    ],
)
def test_discounts_come_from_counts_of_counts(counts_of_counts, expected):
    counts = np.repeat([1, 2, 3, 4, 9], [*counts_of_counts, 5])
    assert ngram_models.modified_discounts(counts) == pytest.approx(expected, rel=1e-14)


@given(texts(), st.sampled_from([FORWARD, BACKWARD]), st.integers(1, 3))
def test_counts_are_those_of_a_dictionary(text, direction, order):
    vocabulary_size, sentences = text
    padded = [[0, *sentence, 1][:: direction.value] for sentence in sentences]
    expected = Counter(tuple(s[i : i + order]) for s in padded for i in range(len(s) - order + 1))
    stream = ngram_models.boundary_stream(sentences, vocabulary_size, direction)
    keys, counts = ngram_models.count_ngrams(stream, order, vocabulary_size)
    digits = [tuple(key // vocabulary_size**power % vocabulary_size for power in range(order)[::-1]) for key in keys]
    assert dict(zip(digits, counts, strict=True)) == expected
    assert np.all(np.diff(keys) > 0)


@given(texts(), st.sampled_from([FORWARD, BACKWARD]), st.data())
def test_small_corpora_give_the_exact_numbers(text, direction, data):
    vocabulary_size, sentences = text
    sentence = data.draw(st.lists(st.integers(UNKNOWN, vocabulary_size - 1), max_size=6))
    expected = ExactTrigram(sentences, vocabulary_size, direction).probabilities(sentence)
    found = KneserNeyTrigram.fit(sentences, vocabulary_size, direction).log_probabilities(sentence)
    np.testing.assert_allclose(found, np.log(np.array(expected, dtype=float)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
def test_estimated_discounts_give_the_exact_numbers(direction):
    sentences = zipf_corpus(vocabulary_size=300, num_sentences=400)
    model = KneserNeyTrigram.fit(sentences[:300], 300, direction)
    exact = ExactTrigram(sentences[:300], 300, direction)
    for order, discounts in zip(model.orders, exact.discounts, strict=True):
        assert order.discounts != ngram_models.FALLBACK_DISCOUNTS
        assert order.discounts == pytest.approx([float(discount) for discount in discounts[1:]], rel=1e-12)
    for sentence in sentences[290:]:
        expected = np.array(exact.probabilities(sentence), dtype=float)
        np.testing.assert_allclose(model.log_probabilities(sentence), np.log(expected), rtol=1e-12, atol=1e-12)


def total_probability(model, history, vocabulary_size, direction=FORWARD):
    """The sum over all that can follow `history` (in the order of prediction), the ending boundary among them."""
    step = direction.value
    ends = model.log_probabilities(history[::step])[-1]
    tokens = [
        model.log_probabilities([*history, token][::step])[len(history)] for token in range(UNKNOWN, vocabulary_size)
    ]
    return np.exp([ends, *tokens]).sum()


@settings(deadline=None)
@given(texts(), st.sampled_from([FORWARD, BACKWARD]), st.data())
def test_probabilities_sum_to_one(text, direction, data):
    vocabulary_size, sentences = text
    history = data.draw(st.lists(st.integers(UNKNOWN, vocabulary_size - 1), max_size=4))
    trigram = KneserNeyTrigram.fit(sentences, vocabulary_size, direction)
    assert total_probability(trigram, history, vocabulary_size, direction) == pytest.approx(1, abs=1e-12)
    unigram = Unigram.fit(sentences, vocabulary_size)
    assert total_probability(unigram, history, vocabulary_size) == pytest.approx(1, abs=1e-12)


def test_probabilities_sum_to_one_after_seen_and_unseen_histories():
    sentences = zipf_corpus(vocabulary_size=60, num_sentences=300)
    model = KneserNeyTrigram.fit(sentences, 60)
    seen = sentences[0][:2]
    unseen_pair, unseen_token = [59, 58], [UNKNOWN, 59]
    pairs = {tuple(sentence[i : i + 2]) for sentence in sentences for i in range(len(sentence) - 1)}
    assert tuple(seen) in pairs
    assert tuple(unseen_pair) not in pairs
    for history in (seen, unseen_pair, unseen_token, []):
        assert total_probability(model, history, 60) == pytest.approx(1, abs=1e-12)


@given(texts())
def test_the_unigram_does_not_know_directions(text):
    vocabulary_size, sentences = text
    forward = Unigram.fit(sentences, vocabulary_size)
    backward = Unigram.fit([sentence[::-1] for sentence in sentences], vocabulary_size)
    np.testing.assert_array_equal(forward.logarithms[UNKNOWN:], backward.logarithms[UNKNOWN:])
    assert forward.logarithms[0] == forward.logarithms[1]


@pytest.mark.parametrize("sentence", [[A, 5], [A, 0, B], [1], [-1]])
def test_ids_outside_the_vocabulary_and_boundaries_are_refused(sentence):
    model = KneserNeyTrigram.fit(HAND_CORPUS, VOCABULARY_SIZE)
    with pytest.raises(ConfigurationError, match=r"must lie from 2 to 4, got a range from .* or a boundary.*; give"):
        model.log_probabilities(sentence)


def test_a_text_without_tokens_is_refused():
    with pytest.raises(ConfigurationError, match="at least one token, got 0; name another text"):
        KneserNeyTrigram.fit([[], []], VOCABULARY_SIZE)


@pytest.mark.parametrize("model", [KneserNeyTrigram, Unigram])
def test_a_text_without_sentences_is_refused(model):
    with pytest.raises(ConfigurationError, match="at least one sentence, got 0; name another text"):
        model.fit([], VOCABULARY_SIZE)


def test_a_vocabulary_whose_trigrams_overflow_is_refused():
    with pytest.raises(ConfigurationError, match="at most 2097152, got 2097153; leave rare tokens out"):
        KneserNeyTrigram.fit(HAND_CORPUS, 2**21 + 1)
