"""Spans of IOB2 tags and their scores, as CoNLL's `conlleval` counts them (Tjong Kim Sang and De Meulder 2003).

A span is right if its type, its beginning and its end are those of a gold span. Precision, recall and F1 are over all
spans of all sentences (micro averages).
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

OUTSIDE = "O"


class Span(NamedTuple):
    """Tokens `begin` up to, not with, `end`, and their type."""

    type: str
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class SpanScores:
    """How many spans are right, predicted and gold."""

    num_right: int
    num_predicted: int
    num_gold: int

    @property
    def precision(self) -> float:
        """The share of the predicted spans that are right, 0 to 1; 0 if none is predicted."""
        return self.num_right / self.num_predicted if self.num_predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of the gold spans that are predicted, 0 to 1; 0 if there is none."""
        return self.num_right / self.num_gold if self.num_gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 to 1."""
        total = self.num_predicted + self.num_gold
        return 2 * self.num_right / total if total else 0.0


def repair_tags(tags: Sequence[str]) -> list[str]:
    """IOB2 out of any tags: an `I-` that continues no span of its type begins one, as `conlleval` reads it."""
    repaired: list[str] = []
    for tag in tags:
        previous = repaired[-1] if repaired else OUTSIDE
        continues = tag[:2] != "I-" or (previous != OUTSIDE and previous[2:] == tag[2:])
        repaired.append(tag if continues else "B-" + tag[2:])
    return repaired


def spans_of(tags: Sequence[str]) -> set[Span]:
    """The spans of a sentence's tags, `O`, `B-type` and `I-type`, after `repair_tags`."""
    spans = set()
    begin = 0
    repaired = [*repair_tags(tags), OUTSIDE]
    for position, (tag, following) in enumerate(itertools.pairwise(repaired)):
        if tag[:2] == "B-":
            begin = position
        if tag != OUTSIDE and following[:2] != "I-":
            spans.add(Span(tag[2:], begin, position + 1))
    return spans


def score_spans(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> SpanScores:
    """Compare the spans of sentences' tags; both give as many sentences."""
    num_right = num_predicted = num_gold = 0
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        gold_spans, predicted_spans = spans_of(gold_tags), spans_of(predicted_tags)
        num_right += len(gold_spans & predicted_spans)
        num_predicted += len(predicted_spans)
        num_gold += len(gold_spans)
    return SpanScores(num_right=num_right, num_predicted=num_predicted, num_gold=num_gold)
