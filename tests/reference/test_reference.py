"""What the originals cannot witness of the slow reference: gradients, streams, the sampled softmax."""

from pathlib import Path

import numpy as np
import pytest

from reference.lstm import State, bilstm, clip, read_on, row_of, zero_state
from reference.model import BACKWARD, FORWARD, Model, read_model
from reference.softmax import log_expected_count, log_softmax, predict, sampled_softmax_losses
from reference.training import Batch, begin, gradients, losses, stream, train_step

GOLDEN = Path(__file__).parents[1] / "golden"
VOCABULARY = ["<S>", "</S>", "<UNK>", "a", "b", "c"]


@pytest.fixture(scope="module")
def trained() -> Model:
    folder = GOLDEN / "trained"
    return read_model(folder / "options.json", folder / "weights.hdf5", folder / "softmax_weights.hdf5")


@pytest.fixture(scope="module")
def first_batch() -> Batch:
    with np.load(GOLDEN / "trained" / "steps.npz") as steps:
        return Batch(steps["character_ids"][0], steps["targets"][0])


@pytest.fixture(scope="module")
def first_gradients(trained, first_batch):
    return gradients(trained, first_batch, zero_state(trained, 2))


def scaled_loss(model: Model, batch: Batch) -> float:
    means, _ = losses(model, batch, zero_state(model, 2))
    return float(means.mean() * batch.targets.shape[-1])


def test_gradients_are_those_of_central_differences(trained, first_batch, first_gradients):
    """Of every weight, the three entries that matter most; the step is as small as rounding allows."""
    h = 1e-6
    assert first_gradients.keys() == trained.weights.keys()
    for name, gradient in first_gradients.items():
        for flat in np.argsort(-np.abs(gradient), axis=None)[:3]:
            index = np.unravel_index(flat, gradient.shape)
            around = []
            for step in (h, -h):
                moved = trained.weights[name].copy()
                moved[index] += step
                around.append(scaled_loss(Model(trained.options, {**trained.weights, name: moved}), first_batch))
            assert gradient[index] != 0
            np.testing.assert_allclose((around[0] - around[1]) / (2 * h), gradient[index], rtol=1e-6, atol=1e-7)


def test_gradient_of_the_softmax_bias_is_known_in_closed_form(trained, first_batch, first_gradients):
    state = zero_state(trained, 2)
    expected = np.zeros(len(trained.weights["softmax/b"]))
    for direction in (FORWARD, BACKWARD):
        for row in range(2):
            ids, targets = first_batch.character_ids[direction, row], first_batch.targets[direction, row]
            p = np.exp(predict(trained, direction, ids, row_of(state, row, direction)).log_softmax)
            expected += (p - np.eye(p.shape[1])[targets]).sum(axis=0)
    # mean over 2 rows x 4 positions, half of each direction, times 4 steps of the window
    np.testing.assert_allclose(first_gradients["softmax/b"], expected / 8 * 0.5 * 4, rtol=0, atol=1e-13)


def test_characters_that_are_not_read_have_no_gradient(first_batch, first_gradients):
    read = np.isin(np.arange(261), first_batch.character_ids.ravel() - 1)
    assert 0 < read.sum() < 261
    assert not first_gradients["char_embed"][~read].any()
    assert first_gradients["char_embed"][read].any(axis=-1).sum() > 10


def test_a_step_goes_downhill(trained, first_batch):
    before = scaled_loss(trained, first_batch)
    _, after = train_step(begin(trained, zero_state(trained, 2)), first_batch)
    assert scaled_loss(after.model, first_batch) < before


def test_a_stream_runs_on_over_sentences_and_drops_what_fills_no_window():
    sentences = [["a", "b"], ["c"], ["b"], ["a", "a", "zebra"]]
    S, E, UNK, a, b, c = range(6)
    forward = [targets.tolist() for _, targets in stream(sentences, VOCABULARY, FORWARD, 2, 3)]
    assert forward == [[[a, b, E], [c, E, b]]]  # then one row has a a <UNK>, the other </S> alone
    backward = [targets.tolist() for _, targets in stream(sentences, VOCABULARY, BACKWARD, 1, 3)]
    assert backward == [[[b, a, S]], [[c, S, b]], [[S, UNK, a]]]


def test_the_last_boundary_is_never_an_input():
    for direction, last in ((FORWARD, 258), (BACKWARD, 257)):
        windows = [ids for ids, _ in stream([["a", "b"]] * 4, VOCABULARY, direction, 2, 3)]
        assert np.array(windows).shape == (2, 2, 3, 50)
        assert not (np.array(windows) == last).any()


def test_windows_with_the_state_carried_equal_one_long_reading(trained):
    x = np.random.RandomState(0).uniform(-1, 1, size=(7, 2))
    start = row_of(zero_state(trained, 1), 0, FORWARD)
    whole, after_whole = read_on(trained, FORWARD, x, start)
    left, between = read_on(trained, FORWARD, x[:3], start)
    right, after_right = read_on(trained, FORWARD, x[3:], between)
    np.testing.assert_array_equal(np.concatenate([left, right], axis=1), whole)
    np.testing.assert_array_equal(after_right.hidden, after_whole.hidden)
    np.testing.assert_array_equal(after_right.cell, after_whole.cell)


def test_rows_grow_wait_and_go_on(trained):
    x = np.random.RandomState(1).uniform(-1, 1, size=(2, 3, 2))
    mask = np.array([[True, True, True], [False, False, False]])
    _, one = bilstm(trained, x[:1], mask[:1])
    _, two = bilstm(trained, x, mask, one)
    assert two.hidden.shape == (2, 2, 4)
    assert not two.hidden[:, 1].any()
    assert (two.hidden[:, 0] != one.hidden[:, 0]).any()
    second = State(two.hidden + 1, two.cell + 1)
    _, after = bilstm(trained, x[:1], mask[:1], second)
    np.testing.assert_array_equal(after.hidden[:, 1], second.hidden[:, 1])


def test_clip_bounds_both_sides_and_none_and_zero_mean_no_bound():
    x = np.array([-2.0, 0.5, 3.0])
    np.testing.assert_array_equal(clip(x, 1.0), [-1.0, 0.5, 1.0])
    for bound in (None, 0, 0.0):
        np.testing.assert_array_equal(clip(x, bound), x)


def test_sampled_softmax_with_every_token_for_certain_is_the_full_softmax(trained):
    h = np.random.RandomState(2).uniform(-1, 1, size=(3, 2))
    W, b = trained.weights["softmax/W"], trained.weights["softmax/b"]
    targets = np.array([0, 7, 15])
    full = -log_softmax(h @ W.T + b)[np.arange(3), targets]
    sampled = sampled_softmax_losses(trained, h, targets, np.arange(16), num_tries=10**6)
    np.testing.assert_allclose(sampled, full, rtol=0, atol=1e-12)
    assert (sampled_softmax_losses(trained, h, targets, np.arange(4), num_tries=10**6) < full).all()


def test_a_negative_that_is_the_target_counts_once(trained):
    h = np.random.RandomState(3).uniform(-1, 1, size=(1, 2))
    without = sampled_softmax_losses(trained, h, np.array([7]), np.array([2, 5]), num_tries=4)
    with_target = sampled_softmax_losses(trained, h, np.array([7]), np.array([2, 7, 5]), num_tries=4)
    np.testing.assert_array_equal(without, with_target)


def test_expected_counts_are_a_distribution_at_one_try_and_the_chance_of_being_drawn_at_more():
    ids = np.arange(50)
    once = np.exp(log_expected_count(ids, 50, 1))
    np.testing.assert_allclose(once.sum(), 1.0, rtol=0, atol=1e-12)
    assert (np.diff(once) < 0).all()
    random = np.random.RandomState(4)
    draws = np.array([random.choice(50, size=12, p=once / once.sum()) for _ in range(4000)])
    drawn = (draws[:, :, None] == ids).any(axis=1).mean(axis=0)
    np.testing.assert_allclose(np.exp(log_expected_count(ids, 50, 12)), drawn, rtol=0, atol=0.03)
