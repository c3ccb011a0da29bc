"""Which sentences are run together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.embedder.batches import DEFAULT_BATCH_TOKENS, BatchRule, check_sentence
from pytorch_elmo.errors import ConfigurationError, TextError

SENTENCES = st.lists(st.lists(st.sampled_from(["a", "sea", "é"]), max_size=8), max_size=12)
SIZES = st.integers(1, 20)


@given(SENTENCES, SIZES, st.none() | SIZES)
def test_all_sentences_in_their_order(sentences, batch_tokens, batch_size):
    batches = list(BatchRule(batch_tokens=batch_tokens, batch_size=batch_size).batches(sentences))
    assert [sentence for batch in batches for sentence in batch] == sentences
    assert all(batches)


@given(SENTENCES, SIZES)
def test_a_number_of_sentences_bounds_a_batch(sentences, batch_size):
    sizes = [len(batch) for batch in BatchRule(batch_size=batch_size).batches(sentences)]
    assert all(size == batch_size for size in sizes[:-1])
    assert all(size <= batch_size for size in sizes)


@given(SENTENCES, SIZES)
def test_a_batch_ends_with_the_sentence_that_fills_it(sentences, batch_tokens):
    counts = [sum(map(len, batch)) for batch in BatchRule(batch_tokens=batch_tokens).batches(sentences)]
    lasts = [len(batch[-1]) for batch in BatchRule(batch_tokens=batch_tokens).batches(sentences)]
    assert all(count >= batch_tokens for count in counts[:-1])
    assert all(count - last < batch_tokens for count, last in zip(counts, lasts, strict=True))


def test_sentences_are_taken_when_their_batch_is_asked_for():
    taken = []

    def sentences():
        for number in range(100):
            taken.append(number)
            yield ["a", "b"]

    batches = BatchRule(batch_tokens=6).batches(sentences())
    assert taken == []
    assert next(batches) == [["a", "b"]] * 3
    assert taken == [0, 1, 2]
    next(batches)
    assert taken == [0, 1, 2, 3, 4, 5]


def test_sentences_may_be_tuples():
    assert list(BatchRule(batch_size=2).batches([("a",), ("b", "c")])) == [[["a"], ["b", "c"]]]


def test_a_rule_in_words():
    assert BatchRule().description == f"{DEFAULT_BATCH_TOKENS} tokens"
    assert BatchRule(batch_tokens=7).description == "7 tokens"
    assert BatchRule(batch_tokens=7, batch_size=3).description == "3 sentences"
    assert BatchRule(batch_tokens=7, batch_size=3).chunk_tokens == 7


@pytest.mark.parametrize("sizes", [{"batch_tokens": 0}, {"batch_size": 0}, {"batch_size": -1}])
def test_sizes_below_one_are_refused(sizes):
    ((name, value),) = sizes.items()
    with pytest.raises(ConfigurationError, match=f"{name} is at least 1, got {value}"):
        BatchRule(**sizes)


def test_a_string_is_no_sentence():
    with pytest.raises(TextError, match="a sentence is a list of tokens, got the string 'a b'; split it first"):
        list(BatchRule().batches([["a"], "a b"]))


@pytest.mark.parametrize(("token", "kind"), [(1, "int"), (None, "NoneType"), (["a"], "list"), (b"a", "bytes")])
def test_a_token_is_a_string(token, kind):
    with pytest.raises(
        TextError, match=f"a token is a string, got .* of type {kind}; .* a batch a list of sentences"
    ):
        check_sentence(["sea", token])
