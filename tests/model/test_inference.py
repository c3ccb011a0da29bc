"""The fast frozen biLM against the network, with every packing, in lanes, in groups and in two threads."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import COMMITTED_MODELS, read_committed
from pytorch_elmo.model import packed_linear
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.model.lanes import lane_steps, plan_lanes
from pytorch_elmo.model.packed_linear import available_packings, best_packing
from random_models import CONFIGS, random_bilm

NUM_WORDS = 20
LENGTHS = st.lists(st.integers(2, 12), max_size=12)


def random_sentences(lengths, seed=0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(NUM_WORDS, size=length) for length in lengths]


def random_words(bilm, seed=0) -> torch.Tensor:
    size = bilm.config.lstm.projection_size
    return torch.randn(NUM_WORDS, size, generator=torch.Generator().manual_seed(seed))


def by_the_network(bilm, words, tokens) -> torch.Tensor:
    """All layers of one sentence alone: (num_layers, num_tokens, dim)."""
    mask = torch.ones(1, len(tokens), dtype=torch.bool)
    with torch.no_grad():
        output = bilm.run_tokens(words[torch.from_numpy(tokens)][None], mask)
    return torch.stack(output.layer_activations)[:, 0]


def assert_near(ours, expected, tolerance=1e-5) -> None:
    assert ours.shape == expected.shape
    assert ours.dtype == torch.float32
    if ours.numel():
        assert float((ours - expected).abs().max()) <= tolerance * max(1.0, float(expected.abs().max()))


@given(CONFIGS, LENGTHS)
def test_any_network_and_any_sentences(config, lengths):
    bilm = random_bilm(config, dtype=torch.float32)
    words, sentences = random_words(bilm), random_sentences(lengths)
    for tokens, vectors in zip(sentences, InferenceBiLM(bilm).embed(words, sentences), strict=True):
        assert_near(vectors, by_the_network(bilm, words, tokens))


@pytest.mark.parametrize("packing", available_packings())
@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_packings_agree(name, packing):
    bilm = read_committed(name)
    words, sentences = random_words(bilm), random_sentences([2, 9, 31, 5, 120, 3])
    plain, packed = (InferenceBiLM(bilm, packing=way).embed(words, sentences) for way in ("plain", packing))
    for ours, expected in zip(packed, plain, strict=True):
        assert_near(ours, expected)


def test_the_best_packing_is_chosen(small_model):
    assert InferenceBiLM(small_model).packing == best_packing(torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("counts", [(1,), (300,), (40, 1)])
def test_many_sentences_and_a_long_one_among_them(small_model, counts):
    """As many as fill all lanes several times over; the long one is a group of its own."""
    lengths = [length for count, length in zip(counts, (6, 700), strict=False) for _ in range(count)]
    words, sentences = random_words(small_model), random_sentences(lengths)
    results = InferenceBiLM(small_model).embed(words, sentences)
    for index in {0, len(sentences) // 2, len(sentences) - 1}:
        assert_near(results[index], by_the_network(small_model, words, sentences[index]))
    assert [vectors.shape[1] for vectors in results] == lengths


def test_boundaries_are_left_out_where_they_are_not_wanted(small_model):
    words, sentences, engine = random_words(small_model), random_sentences([2, 3, 9]), InferenceBiLM(small_model)
    kept, inner = (engine.embed(words, sentences, boundaries=boundaries) for boundaries in (True, False))
    for longer, shorter in zip(kept, inner, strict=True):
        assert torch.equal(longer[:, 1:-1], shorter)


def test_no_sentences(small_model):
    assert InferenceBiLM(small_model).embed(random_words(small_model), []) == []


def test_the_token_vectors_are_layer_zero_twice(small_model):
    words, sentences = random_words(small_model), random_sentences([4])
    (vectors,) = InferenceBiLM(small_model).embed(words, sentences)
    assert torch.equal(vectors[0], words[torch.from_numpy(sentences[0])].repeat(1, 2))


@pytest.mark.parametrize("direction", [0, 1])
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), cut=st.integers(0, 30))
def test_a_run_in_two_pieces_equals_one_run(direction, lengths, cut):
    """The state after a piece is all that the next one needs, wherever the lanes are cut."""
    bilm = read_committed("clipped")
    engine, words = InferenceBiLM(bilm), random_words(bilm)
    steps = lane_steps(plan_lanes(np.array(lengths), 2), random_sentences(lengths), backward=direction == 1)
    cut = min(cut, len(steps.restarts))
    whole, final = engine.run_lanes(direction, words, steps)
    first, state = engine.run_lanes(direction, words, type(steps)(steps.places[:cut], steps.restarts[:cut]))
    second, end = engine.run_lanes(direction, words, type(steps)(steps.places[cut:], steps.restarts[cut:]), state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-6)
    for ours, expected in zip(end, final, strict=True):
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)


def test_a_state_that_is_given_is_left_as_it_is(small_model):
    engine, words = InferenceBiLM(small_model), random_words(small_model)
    steps = lane_steps(plan_lanes(np.array([4]), 1), random_sentences([4]), backward=False)
    _, state = engine.run_lanes(0, words, steps)
    before = [tensor.clone() for layer in state for tensor in layer]
    engine.run_lanes(0, words, type(steps)(steps.places, [None] * 4), state)
    assert all(map(torch.equal, before, (tensor for layer in state for tensor in layer)))


def test_one_thread_and_one_thread_a_direction_agree(small_model):
    words, sentences = random_words(small_model), random_sentences([2, 9, 31])
    one = InferenceBiLM(small_model).embed(words, sentences)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = InferenceBiLM(small_model).embed(words, sentences)
    finally:
        torch.set_num_threads(threads)
    for ours, expected in zip(two, one, strict=True):
        assert_near(ours, expected, 1e-6)


def test_no_gradient_is_kept(small_model):
    small_model.requires_grad_(True)
    (vectors,) = InferenceBiLM(small_model).embed(random_words(small_model), random_sentences([3]))
    assert not vectors.requires_grad
    assert not InferenceBiLM(small_model).encode_words(small_model.boundaries).requires_grad


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_bfloat16_products_are_near(name):
    if not packed_linear._has_bfloat16():
        pytest.skip("this CPU has no bfloat16 arithmetic")
    bilm = read_committed(name)
    words, sentences = random_words(bilm), random_sentences([30, 4])
    exact, rounded = (InferenceBiLM(bilm, dtype=d).embed(words, sentences) for d in (torch.float32, torch.bfloat16))
    for ours, expected in zip(rounded, exact, strict=True):
        assert ours.dtype == torch.float32
        assert 0 < float((ours - expected).norm() / expected.norm()) < 0.02


def test_a_start_state_that_is_given_stands_in_for_the_bilm_s_own(small_model):
    zeros, words = small_model.lstm.zero_state(1), random_words(small_model)
    start, sentences = LstmState(zeros.hidden + 0.3, zeros.cell - 0.2), random_sentences([5, 2, 7])
    given = InferenceBiLM(small_model, start=start).embed(words, sentences)
    from_zeros = InferenceBiLM(small_model).embed(words, sentences)
    small_model.lstm.start = start
    for ours, own in zip(given, InferenceBiLM(small_model).embed(words, sentences), strict=True):
        assert torch.equal(ours, own)
    for ours, other in zip(InferenceBiLM(small_model, start=zeros).embed(words, sentences), from_zeros, strict=True):
        assert_near(ours, other)
    assert not torch.equal(given[0], from_zeros[0])
