"""Every sentence once an epoch, in an order that the seed decides, also where a corpus has many groups."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.pretraining.corpus import shuffle
from pytorch_elmo.pretraining.corpus.shuffle import SentenceOrder


def order_of(num_sentences, seed=0, *, shard=3, group=2) -> SentenceOrder:
    return SentenceOrder(num_sentences, seed, sentences_per_shard=shard, shards_per_group=group)


def pulled(order: SentenceOrder, count: int) -> list[int]:
    return [order.pull() for _ in range(count)]


@given(st.integers(1, 60), st.integers(1, 7), st.integers(1, 5), st.integers(0, 3))
def test_every_sentence_once_an_epoch(num_sentences, shard, group, seed):
    order = order_of(num_sentences, seed, shard=shard, group=group)
    for epoch in range(3):
        assert sorted(pulled(order, num_sentences)) == list(range(num_sentences))
        assert order.epoch == epoch


def test_epochs_and_seeds_differ():
    order, other = order_of(60), order_of(60, seed=1)
    first, second = pulled(order, 60), pulled(order, 60)
    assert first != second
    assert pulled(order_of(60), 60) == first
    assert pulled(other, 60) != first


def test_a_group_holds_whole_shards_shuffled_together():
    order = order_of(60)
    groups = [pulled(order, 6) for _ in range(10)]
    assert all(sorted(Counter(number // 3 for number in group).values()) == [3, 3] for group in groups)
    neighbours = [abs(group[0] // 3 - group[1] // 3) for group in groups]
    assert len(set(neighbours)) > 2, "shards are taken in random order, and mixed"


def test_groups_are_of_like_size():
    """Five shards in groups of at most four: three and two, not four and a rest that is hardly shuffled."""
    order = order_of(15, shard=3, group=4)
    groups = [{number // 3 for number in pulled(order, count)} for count in (9, 6)]
    assert [len(group) for group in groups] == [3, 2]
    assert not groups[0] & groups[1]


def test_a_small_corpus_is_shuffled_as_a_whole():
    """Each sentence stands at each place equally often: 2,400 epochs of 6, within 5 standard deviations."""
    order, places = SentenceOrder(6, 0), np.zeros((6, 6))
    for _ in range(2400):
        places[pulled(order, 6), range(6)] += 1
    assert abs(places - 400).max() < 5 * (2400 * 5 / 36) ** 0.5


@given(st.integers(1, 40), st.integers(0, 100))
def test_it_goes_on_from_its_state(num_sentences, done):
    whole = order_of(num_sentences)
    pulled(whole, done)
    state = json.loads(json.dumps(whole.state))
    resumed = order_of(num_sentences)
    resumed.state = state
    assert pulled(resumed, 50) == pulled(whole, 50)
    assert resumed.state == whole.state


def test_few_numbers_are_held():
    order = SentenceOrder(3 * shuffle.SHARDS_PER_GROUP * shuffle.SENTENCES_PER_SHARD, 0)
    assert len(order._order) == shuffle.SHARDS_PER_GROUP * shuffle.SENTENCES_PER_SHARD == 1 << 20
    assert order._order.nbytes == 8 << 20


@pytest.mark.parametrize("count", [1, 2])
def test_a_corpus_of_one_sentence(count):
    assert pulled(SentenceOrder(1, 0), count) == [0] * count
