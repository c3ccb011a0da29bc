"""Full and sampled softmax against sums over the vocabulary, the slow reference, and the committed goldens."""

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from originals import COMMITTED, COMMITTED_MODELS, close, committed_texts, read_committed
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.softmax import Softmax, expected_count, log_uniform_probability
from pytorch_elmo.text import batch_to_ids
from reference.model import Model
from reference.softmax import log_expected_count, sampled_softmax_losses

VOCABULARY_SIZE, SIZE, MANY = 20, 3, 10**6


def random_softmax(seed: int = 0, vocabulary_size: int = VOCABULARY_SIZE) -> Softmax:
    generator = torch.Generator().manual_seed(seed)
    softmax = Softmax(vocabulary_size, SIZE).double()
    with torch.no_grad():
        for parameter in softmax.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return softmax


def as_reference(softmax: Softmax) -> Model:
    return Model({}, {"softmax/W": softmax.weight.detach().numpy(), "softmax/b": softmax.bias.detach().numpy()})


def random_positions(count: int = 7, vocabulary_size: int = VOCABULARY_SIZE) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(count)
    vectors = torch.randn(count, SIZE, generator=generator, dtype=torch.float64)
    return vectors, torch.randint(0, vocabulary_size, (count,), generator=generator)


def committed_softmax(name: str) -> Softmax:
    softmax = Softmax(16, read_committed(name).config.lstm.projection_size)
    with torch.no_grad(), h5py.File(COMMITTED / name / "softmax_weights.hdf5") as file:
        softmax.weight.copy_(torch.from_numpy(file["softmax/W"][()]))
        softmax.bias.copy_(torch.from_numpy(file["softmax/b"][()]))
    return softmax


def test_full_loss_is_minus_the_logarithm_of_a_share():
    softmax, (vectors, targets) = random_softmax(), random_positions()
    scores = torch.exp(vectors @ softmax.weight.T + softmax.bias)
    shares = scores / scores.sum(dim=1, keepdim=True)
    expected = [-torch.log(shares[position, target]) for position, target in enumerate(targets)]
    torch.testing.assert_close(softmax.full_loss(vectors, targets), torch.stack(expected), rtol=0, atol=1e-13)


def test_a_fresh_softmax_is_uniform():
    loss = Softmax(8, SIZE).full_loss(torch.randn(2, SIZE), torch.tensor([0, 7]))
    torch.testing.assert_close(loss, torch.full((2,), 8.0).log())


@given(
    st.lists(st.integers(0, VOCABULARY_SIZE - 1), min_size=1, max_size=VOCABULARY_SIZE - 1, unique=True),
    st.integers(0, 100),
    st.integers(0, 5),
)
def test_sampled_loss_is_the_reference_s(negatives, more_tries, seed):
    softmax, (vectors, targets) = random_softmax(seed), random_positions()
    tries = len(negatives) + more_tries
    ours = softmax.sampled_loss(vectors, targets, torch.tensor(negatives), tries)
    expected = sampled_softmax_losses(
        as_reference(softmax), vectors.numpy(), targets.numpy(), np.array(negatives), tries
    )
    np.testing.assert_allclose(ours.detach().numpy(), expected, rtol=0, atol=1e-12)


def test_sampling_every_word_for_certain_is_the_full_softmax_gradients_too():
    softmax, (vectors, targets) = random_softmax(), random_positions()
    vectors.requires_grad_()
    variables = [vectors, *softmax.parameters()]
    full = softmax.full_loss(vectors, targets)
    sampled = softmax.sampled_loss(vectors, targets, torch.arange(VOCABULARY_SIZE), num_tries=MANY)
    torch.testing.assert_close(sampled, full, rtol=0, atol=1e-12)
    weights = torch.arange(1.0, 8.0, dtype=torch.float64)
    ours, theirs = (torch.autograd.grad((losses * weights).sum(), variables) for losses in (sampled, full))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_more_samples_come_nearer_to_the_full_loss():
    """Rare targets gain from the correction, so the sampled loss is the smaller one until every word is drawn."""
    size = 400
    softmax, (vectors, targets) = random_softmax(vocabulary_size=size), random_positions(200, size)
    full, random = softmax.full_loss(vectors, targets).mean().item(), np.random.default_rng(0)
    shares = log_uniform_probability(torch.arange(size), size).numpy()
    errors = []
    for count in (20, 100, 399):
        tries = tries_for(count, shares)
        drawn = [random.choice(size, count, replace=False, p=shares / shares.sum()) for _ in range(50)]
        losses = [softmax.sampled_loss(vectors, targets, torch.from_numpy(ids), tries).mean().item() for ids in drawn]
        errors.append(full - np.mean(losses))
    assert errors[0] > errors[1] > errors[2] > 0
    assert errors[2] < 0.01 * full


def tries_for(count: int, shares: np.ndarray) -> int:
    """Draws after which `count` different ids are expected."""
    tries = count
    while (1 - (1 - shares) ** tries).sum() < count:
        tries += 1
    return tries


@pytest.mark.parametrize("vocabulary_size", [1, 3, 1000, 793471])
def test_log_uniform_probabilities_are_a_falling_distribution(vocabulary_size):
    probabilities = log_uniform_probability(torch.arange(vocabulary_size), vocabulary_size)
    assert probabilities.dtype == torch.float64
    assert probabilities.sum().item() == pytest.approx(1.0, abs=1e-12)
    assert (probabilities.diff() < 0).all()


@pytest.mark.parametrize("num_tries", [1, 7, 10**5])
def test_expected_counts_are_the_reference_s(num_tries):
    ours = expected_count(torch.arange(1000), 1000, num_tries).log()
    np.testing.assert_allclose(ours, log_expected_count(np.arange(1000), 1000, num_tries), rtol=1e-12, atol=1e-15)


def read_line(bilm: BiLM, sentence: list[str], state: LstmState) -> tuple[list[Tensor], LstmState]:
    """Each direction's top layer in reading order, (num_tokens + 1, projection_size), the last boundary unread."""
    vectors = bilm.character_encoder(batch_to_ids([["<S>", *sentence, "</S>"]]))
    mask = torch.ones(1, len(sentence) + 1, dtype=torch.bool)
    forward, after_forward = bilm.lstm(vectors[:, :-1], mask, state)
    backward, after_backward = bilm.lstm(vectors[:, 1:], mask, state)
    tops = [forward[-1][0].chunk(2, dim=-1)[0], backward[-1][0].chunk(2, dim=-1)[1]]
    return tops, LstmState.join([after_forward.direction(0), after_backward.direction(1)])


@pytest.mark.parametrize("carries", [False, True], ids=["fresh", "stream"])
@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_losses(name, carries):
    bilm, softmax, lines = read_committed(name), committed_softmax(name), committed_texts()["lines"]
    state = bilm.lstm.zero_state(1)
    assert len(lines) == 3
    with np.load(COMMITTED / name / "softmax.npz") as theirs:
        tries = int(theirs["num_tries"])
        for number, line in enumerate(lines):
            tops, after = read_line(bilm, line.split(), state)
            state = after if carries else state
            key = f"{'stream' if carries else 'fresh'}__{number}"
            for top, direction in zip(tops, ("forward", "backward"), strict=True):
                targets = torch.from_numpy(theirs[f"{key}__target_{direction}"])
                negatives = torch.from_numpy(theirs[f"negatives_{direction}"])
                close(-softmax.full_loss(top, targets), theirs[f"{key}__log_probability_{direction}"])
                sampled = softmax.sampled_loss(top, targets, negatives, tries)
                close(sampled, theirs[f"{key}__sampled_loss_{direction}"])
