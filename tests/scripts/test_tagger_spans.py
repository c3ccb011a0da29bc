"""Spans and their scores, against examples counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger import spans as tagger_spans

Span, repair_tags, score_spans = tagger_spans.Span, tagger_spans.repair_tags, tagger_spans.score_spans
spans_of = tagger_spans.spans_of

# The tags, the spans that conlleval sees in them, and the same in regular IOB2.
EXAMPLES = [
    ("O O", set(), "O O"),
    ("B-X", {Span("X", 0, 1)}, "B-X"),
    ("B-X I-X O", {Span("X", 0, 2)}, "B-X I-X O"),
    ("O B-X I-X", {Span("X", 1, 3)}, "O B-X I-X"),
    ("B-X B-X", {Span("X", 0, 1), Span("X", 1, 2)}, "B-X B-X"),
    ("B-X B-Y I-Y", {Span("X", 0, 1), Span("Y", 1, 3)}, "B-X B-Y I-Y"),
    ("I-X I-X O", {Span("X", 0, 2)}, "B-X I-X O"),
    ("O I-X O I-X", {Span("X", 1, 2), Span("X", 3, 4)}, "O B-X O B-X"),
    ("B-X I-Y I-Y", {Span("X", 0, 1), Span("Y", 1, 3)}, "B-X B-Y I-Y"),
    ("B-X I-X I-Y I-X", {Span("X", 0, 2), Span("Y", 2, 3), Span("X", 3, 4)}, "B-X I-X B-Y B-X"),
    ("B-X-Y I-X-Y", {Span("X-Y", 0, 2)}, "B-X-Y I-X-Y"),
    ("", set(), ""),
]


@pytest.mark.parametrize(("tags", "spans", "repaired"), EXAMPLES)
def test_spans_and_repair_of_hand_examples(tags, spans, repaired):
    assert spans_of(tags.split()) == spans
    assert repair_tags(tags.split()) == repaired.split()


@given(st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]), max_size=12))
def test_repair_changes_no_span_and_leaves_regular_tags(tags):
    repaired = repair_tags(tags)
    assert spans_of(repaired) == spans_of(tags)
    assert repair_tags(repaired) == repaired
    for previous, tag in zip(["O", *repaired], repaired, strict=False):
        assert tag[:2] != "I-" or previous in (tag, "B-" + tag[2:])
    covered = [position for span in spans_of(tags) for position in range(span.begin, span.end)]
    assert sorted(covered) == [position for position, tag in enumerate(tags) if tag != "O"]


def test_scores_of_a_hand_example():
    gold = ["B-X I-X O B-Y O", "O B-X", "B-Y I-Y I-Y"]
    predicted = ["B-X I-X O B-X O", "O I-X", "B-Y I-Y O"]
    # Right: X 0-2 and the repaired X 1-2. Wrong: a type, an end. Four gold spans, four predicted.
    scores = score_spans([tags.split() for tags in gold], [tags.split() for tags in predicted])
    assert (scores.num_right, scores.num_predicted, scores.num_gold) == (2, 4, 4)
    assert (scores.precision, scores.recall, scores.f1) == (0.5, 0.5, 0.5)


def test_precision_and_recall_are_not_exchanged():
    scores = score_spans([["B-X", "B-X", "B-X", "B-X"]], [["B-X", "O", "O", "O"]])
    assert (scores.precision, scores.recall) == (1.0, 0.25)
    assert scores.f1 == pytest.approx(2 * 1.0 * 0.25 / 1.25)


def test_nothing_predicted_or_nothing_to_find_scores_zero():
    assert (score_spans([["B-X"]], [["O"]]).precision, score_spans([["B-X"]], [["O"]]).f1) == (0.0, 0.0)
    assert (score_spans([["O"]], [["B-X"]]).recall, score_spans([["O"]], [["O"]]).f1) == (0.0, 0.0)


def test_each_sentence_needs_its_prediction():
    with pytest.raises(ValueError, match="shorter"):
        score_spans([["O"], ["O"]], [["O"]])
