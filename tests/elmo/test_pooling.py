"""Sentence vectors from token vectors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.elmo.pooling import (
    POOLINGS,
    first_last_tokens,
    max_over_tokens,
    mean_over_tokens,
    pooling_by_name,
)
from pytorch_elmo.errors import ConfigurationError

# Three sentences of 2, 0 and 3 tokens, dim 2, forward half first; what is padded would win any comparison.
VECTORS = torch.tensor(
    [
        [[1.0, -2.0], [3.0, -6.0], [99.0, 99.0]],
        [[99.0, 99.0], [99.0, 99.0], [99.0, 99.0]],
        [[-1.0, 5.0], [-2.0, 6.0], [-6.0, 7.0]],
    ]
)
MASK = torch.tensor([[True, True, False], [False, False, False], [True, True, True]])
EXPECTED = {
    "mean": [[2.0, -4.0], [0.0, 0.0], [-3.0, 6.0]],
    "max": [[3.0, -2.0], [0.0, 0.0], [-1.0, 7.0]],
    "first-last": [[3.0, -2.0], [0.0, 0.0], [-6.0, 5.0]],
}


def test_every_pooling_has_an_example():
    assert EXPECTED.keys() == POOLINGS.keys()


@pytest.mark.parametrize("name", POOLINGS)
def test_hand_examples(name):
    pooled = pooling_by_name(name)(VECTORS, MASK)
    assert pooled.dtype == torch.float32
    assert pooled.tolist() == EXPECTED[name]


@pytest.mark.parametrize("name", POOLINGS)
def test_sentences_without_tokens_are_zeros(name):
    for shape in ((2, 0, 4), (0, 3, 4), (2, 3, 4)):
        pooled = pooling_by_name(name)(torch.full(shape, 7.0), torch.zeros(shape[:2], dtype=torch.bool))
        assert torch.equal(pooled, torch.zeros(shape[0], 4))


@pytest.mark.parametrize("name", POOLINGS)
def test_gradients_reach_what_is_visible_alone(name):
    vectors = VECTORS.clone().requires_grad_()
    pooling_by_name(name)(vectors, MASK).sum().backward()
    assert vectors.grad.isfinite().all()
    assert not vectors.grad[~MASK].any()
    assert vectors.grad[0].any()
    assert vectors.grad[2].any()


def test_gradients_by_hand():
    vectors = VECTORS.clone().requires_grad_()
    mean_over_tokens(vectors, MASK).sum().backward()
    assert vectors.grad[0].tolist() == [[0.5, 0.5], [0.5, 0.5], [0.0, 0.0]]
    vectors.grad = None
    max_over_tokens(vectors, MASK).sum().backward()
    assert vectors.grad[0].tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    vectors.grad = None
    first_last_tokens(vectors, MASK).sum().backward()
    assert vectors.grad[2].tolist() == [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]


@given(st.sampled_from(sorted(POOLINGS)), st.integers(1, 5), st.integers(0, 4), st.integers(0, 2**32))
def test_padding_changes_nothing(name, length, padding, seed):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(1, length, 4, generator=generator, dtype=torch.float64)
    padded = torch.cat([tokens, torch.randn(1, padding, 4, generator=generator, dtype=torch.float64)], dim=1)
    mask = torch.arange(length + padding)[None] < length
    alone = pooling_by_name(name)(tokens, torch.ones(1, length, dtype=torch.bool))
    torch.testing.assert_close(pooling_by_name(name)(padded, mask), alone, rtol=0, atol=1e-14)


def test_another_name_is_refused():
    with pytest.raises(ConfigurationError, match="pooling is one of mean, max, first-last, got 'sum'"):
        pooling_by_name("sum")
