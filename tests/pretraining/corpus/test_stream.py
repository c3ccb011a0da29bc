"""Rows are unbroken streams of whole sentences, seen from both ends."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.pretraining.corpus.corpora import Corpus
from pytorch_elmo.pretraining.corpus.sentence_file import BEGIN_WORD, END_WORD
from pytorch_elmo.pretraining.corpus.stream import SentenceStream, StreamBatch
from small_runs import SENTENCES

TEXTS = st.lists(st.lists(st.sampled_from("abcde"), max_size=5), min_size=1, max_size=8)


def stream_of(sentences, *, batch_size=3, unroll_steps=4, restart_probability=0.0, seed=0) -> SentenceStream:
    return SentenceStream(
        Corpus.from_sentences(sentences),
        batch_size=batch_size,
        unroll_steps=unroll_steps,
        restart_probability=restart_probability,
        seed=seed,
    )


def distinct_sentences(count: int) -> list[list[str]]:
    """Sentences that share no word, one to four tokens long."""
    return [[f"w{index}.{place}" for place in range(1 + index % 4)] for index in range(count)]


def rows_of(batches: list[StreamBatch], name: str) -> np.ndarray:
    """(batch_size, all steps): each row's stream over several windows."""
    return np.concatenate([getattr(batch, name) for batch in batches]).T


def cut_into_sentences(inputs: np.ndarray, first: int) -> list[list[int]]:
    """A row's inputs, cut before each mark with which a sentence begins."""
    begins = [*np.flatnonzero(inputs == first), len(inputs)]
    assert begins[0] == 0
    return [inputs[start + 1 : stop].tolist() for start, stop in pairwise(begins)]


@given(TEXTS, st.integers(1, 4), st.integers(1, 6), st.integers(0, 3))
def test_each_row_is_an_unbroken_stream_of_sentences(sentences, batch_size, unroll_steps, seed):
    stream = stream_of(sentences, batch_size=batch_size, unroll_steps=unroll_steps, seed=seed)
    corpus = Corpus.from_sentences(sentences)
    known = [corpus.sentence(index)[1:-1].tolist() for index in range(len(sentences))]
    batches = [stream.next_batch() for _ in range(5)]
    for batch in batches:
        assert all(array.shape == (unroll_steps, batch_size) for array in batch)
        assert [array.dtype for array in batch] == [np.int32] * 4 + [np.bool_]
    for direction, first, last in (("forward", BEGIN_WORD, END_WORD), ("backward", END_WORD, BEGIN_WORD)):
        inputs = rows_of(batches, f"{direction}_inputs")
        targets = rows_of(batches, f"{direction}_targets")
        assert not (inputs == last).any()
        assert not (targets == first).any()
        in_order = known if direction == "forward" else [sentence[::-1] for sentence in known]
        for row_inputs, row_targets in zip(inputs, targets, strict=True):
            *whole, cut = cut_into_sentences(row_inputs, first)
            assert all(sentence in in_order for sentence in whole)
            assert any(sentence[: len(cut)] == cut for sentence in in_order)
            follows = np.append(row_inputs[1:], row_targets[-1])
            np.testing.assert_array_equal(row_targets, np.where(follows == first, last, follows))


def test_both_directions_read_the_same_sentences():
    stream = stream_of(SENTENCES, unroll_steps=50)
    batch = stream.next_batch()
    for row in range(3):
        *forward, _ = cut_into_sentences(batch.forward_inputs[:, row], BEGIN_WORD)
        *backward, _ = cut_into_sentences(batch.backward_inputs[:, row], END_WORD)
        assert len(forward) > 5
        assert forward == [sentence[::-1] for sentence in backward]


def test_one_row_by_hand():
    corpus = Corpus.from_sentences([["a", "b"]])
    assert corpus.words == ["<S>", "</S>", "a", "b"]
    S, E, a, b = range(4)
    batch = stream_of([["a", "b"]], batch_size=1, unroll_steps=5).next_batch()
    assert batch.forward_inputs[:, 0].tolist() == [S, a, b, S, a]
    assert batch.forward_targets[:, 0].tolist() == [a, b, E, a, b]
    assert batch.backward_inputs[:, 0].tolist() == [E, b, a, E, b]
    assert batch.backward_targets[:, 0].tolist() == [b, a, S, b, a]


def test_an_empty_sentence_is_its_boundaries():
    batch = stream_of([[]], batch_size=1, unroll_steps=2).next_batch()
    assert batch.forward_inputs[:, 0].tolist() == [BEGIN_WORD] * 2
    assert batch.forward_targets[:, 0].tolist() == [END_WORD] * 2


@pytest.mark.parametrize(("batch_size", "unroll_steps"), [(1, 1), (3, 4), (7, 20), (30, 3)])
def test_every_sentence_once_an_epoch_in_another_order(batch_size, unroll_steps):
    sentences = distinct_sentences(25)
    stream = stream_of(sentences, batch_size=batch_size, unroll_steps=unroll_steps)
    order, orders = [], []
    pull = stream._order.pull
    stream._order.pull = lambda: order.append(pull()) or order[-1]
    while stream.epoch < 3:
        stream.next_batch()
    for epoch in range(3):
        orders.append(order[25 * epoch : 25 * (epoch + 1)])
        assert sorted(orders[-1]) == list(range(25))
    assert orders[0] != orders[1] != orders[2]
    assert list(range(25)) not in orders


def test_what_is_pulled_is_read():
    sentences = distinct_sentences(25)
    stream = stream_of(sentences, batch_size=2, unroll_steps=3)
    batches = [stream.next_batch() for _ in range(40)]
    read = [s for row in rows_of(batches, "forward_inputs") for s in cut_into_sentences(row, BEGIN_WORD)[:-1]]
    counts = {tuple(sentence): read.count(sentence) for sentence in read}
    assert len(counts) == 25
    assert max(counts.values()) - min(counts.values()) <= 2
    assert stream.epoch >= 2


def test_seeds_decide_the_order():
    first, again, other = (stream_of(SENTENCES, seed=seed).next_batch() for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first.forward_inputs, other.forward_inputs)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_restarts_stand_where_sentences_begin(probability):
    stream = stream_of(SENTENCES, restart_probability=probability, unroll_steps=20)
    batches = [stream.next_batch() for _ in range(40)]
    starts, inputs = rows_of(batches, "starts"), rows_of(batches, "forward_inputs")
    begins = inputs == BEGIN_WORD
    np.testing.assert_array_equal(begins, rows_of(batches, "backward_inputs") == END_WORD)
    assert not (starts & ~begins).any()
    assert starts[begins].mean() == pytest.approx(probability, abs=0.08)


@given(st.integers(0, 12), st.sampled_from([0.0, 0.5]))
def test_a_stream_goes_on_from_its_state(windows, probability):
    whole = stream_of(SENTENCES, restart_probability=probability)
    for _ in range(windows):
        whole.next_batch()
    state = json.loads(json.dumps(whole.state))
    resumed = stream_of(SENTENCES, restart_probability=probability)
    resumed.state = state
    assert resumed.epoch == whole.epoch
    for _ in range(10):
        assert all(map(np.array_equal, whole.next_batch(), resumed.next_batch()))
    assert resumed.state == whole.state


def test_a_state_is_not_changed_by_reading_on():
    stream = stream_of(SENTENCES)
    stream.next_batch()
    state = stream.state
    before = json.dumps(state)
    stream.next_batch()
    assert json.dumps(state) == before
