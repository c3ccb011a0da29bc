"""Losses and gradients against the slow reference's five steps, and against plain autograd."""

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from originals import COMMITTED, close, read_committed, state_close
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.lstm import LayerState, projected_lstm
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.pretraining.config import OptimizerConfig
from pytorch_elmo.pretraining.dropout import Dropout
from pytorch_elmo.pretraining.gradients import accumulate
from pytorch_elmo.pretraining.objective import DirectionBatch, Negatives, Objective, Window
from pytorch_elmo.pretraining.optimizers import make_optimizer
from pytorch_elmo.weights.table import weight_rules
from random_models import bilm_config, random_bilm, random_words

TRAINED = COMMITTED / "trained"
CONFIG = bilm_config()
VOCABULARY_SIZE, UNROLL_STEPS, BATCH_SIZE = 12, 5, 3


def trained_softmax() -> Softmax:
    softmax = Softmax(16, 2)
    with torch.no_grad(), h5py.File(TRAINED / "softmax_weights.hdf5") as file:
        softmax.weight.copy_(torch.from_numpy(file["softmax/W"][()]))
        softmax.bias.copy_(torch.from_numpy(file["softmax/b"][()]))
    return softmax


def by_dataset(bilm: BiLM, softmax: Softmax, value) -> dict[str, np.ndarray]:
    """`value(parameter)` of every parameter in the file's orientation, under the names in steps.npz."""
    found = {"softmax__W": value(softmax.weight).numpy(), "softmax__b": value(softmax.bias).numpy()}
    for rule in weight_rules(bilm.config):
        name = rule.dataset.replace("/", "__")
        array = found.setdefault(name, np.zeros(rule.shape))
        array[rule.part] = rule.encode(value(bilm.get_parameter(rule.parameter))[rule.place].numpy())
    return found


def window_of(steps, number: int) -> tuple[Tensor, tuple[DirectionBatch, DirectionBatch]]:
    """The golden window, one row a sentence there, as distinct words and places in time."""
    ids = steps["character_ids"][number]
    words, places = np.unique(ids.reshape(-1, 50), axis=0, return_inverse=True)
    places = torch.from_numpy(places.reshape(ids.shape[:3]))
    targets = torch.from_numpy(steps["targets"][number])
    return torch.from_numpy(words), tuple(DirectionBatch(places[d].T, targets[d].T, None) for d in range(2))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_five_steps_of_the_reference(dtype, tolerance):
    """Losses, gradients, states and Adagrad; gradients above 1 are compared relatively, for float32 rounds them."""
    bilm = read_committed("trained").to(dtype).requires_grad_(True)
    softmax = trained_softmax().to(dtype)
    parameters = [*bilm.parameters(), *softmax.parameters()]
    optimizer = make_optimizer(OptimizerConfig(name="adagrad", learning_rate=0.2), parameters)
    objective = Objective(bilm, softmax)
    state = bilm.lstm.zero_state(2)
    with np.load(TRAINED / "steps.npz") as steps:
        assert len(steps["losses"]) == 5
        for number in range(5):
            optimizer.zero_grad()
            words, batches = window_of(steps, number)
            result = objective.backward(Window(words, batches), state, scale=4.0)
            state = result.state
            np.testing.assert_allclose(result.losses, steps["losses"][number], rtol=0, atol=tolerance)
            state_close(state, steps["state_hidden"][number], steps["state_cell"][number], tolerance)
            gradients = by_dataset(bilm, softmax, lambda p: p.grad)
            assert gradients.keys() == {
                k.removeprefix("gradient__") for k in steps.files if k.startswith("gradient__")
            }
            for name, gradient in gradients.items():
                expected = steps[f"gradient__{name}"][number]
                np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance, err_msg=name)
            norm = steps["gradient_norm"][number]
            for parameter in parameters:  # torch's own clipping adds 1e-6 to the norm
                parameter.grad.mul_(min(1.0, 10.0 / norm))
            optimizer.step()
        for name, array in by_dataset(bilm, softmax, lambda p: p.detach()).items():
            np.testing.assert_allclose(array, steps[f"final__{name}"], rtol=tolerance, atol=tolerance, err_msg=name)
        for name, array in by_dataset(bilm, softmax, lambda p: optimizer.state[p]["sum"]).items():
            expected = steps[f"accumulator__{name}"]  # of squares: where the file's sign is another, it is lost there
            np.testing.assert_allclose(np.abs(array), expected, rtol=tolerance, atol=tolerance, err_msg=name)


class Case:
    """A random window in float64."""

    def __init__(self, *, sampled: bool, restarts: bool, skips: bool = True, started: bool = False) -> None:
        generator = torch.Generator().manual_seed(0)
        self.bilm = random_bilm(bilm_config(use_skip_connections=skips))
        self.softmax = Softmax(VOCABULARY_SIZE, CONFIG.lstm.projection_size).double()
        for parameter in self.softmax.parameters():
            parameter.data.normal_(generator=generator)
        self.characters = random_words(7, generator)
        shape = (UNROLL_STEPS, BATCH_SIZE)
        self.batches = tuple(
            DirectionBatch(
                torch.randint(0, 7, shape, generator=generator),
                torch.randint(0, VOCABULARY_SIZE, shape, generator=generator),
                Negatives(torch.randperm(VOCABULARY_SIZE, generator=generator)[:5], 8 + d) if sampled else None,
            )
            for d in range(2)
        )
        zeros = self.bilm.lstm.zero_state(BATCH_SIZE)
        self.state = LstmState(*(torch.randn(z.shape, generator=generator, dtype=z.dtype) for z in zeros))
        self.restarts = torch.rand(shape, generator=generator) < 0.4 if restarts else None
        if started:
            start = (torch.randn(z.shape, generator=generator, dtype=z.dtype) for z in self.bilm.lstm.zero_state(1))
            self.bilm.lstm.start = LstmState(*(part.requires_grad_() for part in start))

    @property
    def window(self) -> Window:
        return Window(self.characters, self.batches, self.restarts)

    @property
    def rows(self) -> Tensor:
        """The ids that the window touches."""
        return torch.unique(
            torch.cat([part for b in self.batches for part in (b.targets.flatten(), b.negatives.ids)])
        )

    @property
    def parameters(self) -> list[Tensor]:
        return [*self.bilm.parameters(), *(self.bilm.lstm.start or ()), *self.softmax.parameters()]

    def run(
        self, *, dropout: float = 0.0, seed: int = 0, scale: float = 1.0, rows: Tensor | None = None, sparse=False
    ):
        """Losses, state, and gradients of all parameters."""
        objective = Objective(self.bilm, self.softmax, dropout=Dropout(dropout, seed=seed), sparse=sparse)
        for parameter in self.parameters:
            parameter.grad = None
        result = objective.backward(self.window._replace(rows=rows), self.state, scale)
        return result, [parameter.grad for parameter in self.parameters]

    def plainly(self) -> list[Tensor]:
        """The mean loss of each direction, to be differentiated by autograd."""
        vectors = self.bilm.character_encoder.encode_words(self.characters)
        return [self._direction(d, F.embedding(self.batches[d].places, vectors)).mean() for d in range(2)]

    def _direction(self, direction: int, inputs: Tensor) -> Tensor:
        config, batch = self.bilm.config.lstm, self.batches[direction]
        clips = {"cell_clip": config.cell_clip, "projection_clip": config.projection_clip}
        for layer, weights in enumerate(self.bilm.lstm.weights(direction)):
            initial, start = self.state.direction(direction)[layer], None
            if self.bilm.lstm.start is not None:
                start = LayerState(*(part[0] for part in self.bilm.lstm.start.direction(direction)[layer]))
            states = projected_lstm(inputs, initial, weights, **clips, restarts=self.restarts, start=start)
            inputs = states.hidden + inputs if layer and config.use_skip_connections else states.hidden
        if batch.negatives is None:
            return self.softmax.full_loss(inputs.flatten(0, 1), batch.targets.flatten())
        return self.softmax.sampled_loss(inputs.flatten(0, 1), batch.targets.flatten(), *batch.negatives)


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize(("restarts", "started"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("sampled", [True, False])
def test_gradients_are_those_of_plain_autograd(sampled, restarts, started, skips):
    case = Case(sampled=sampled, restarts=restarts, skips=skips, started=started)
    result, gradients = case.run(scale=3.0)
    losses = case.plainly()
    assert result.losses == pytest.approx([loss.item() for loss in losses], abs=1e-13)
    expected = torch.autograd.grad(3.0 * (losses[0] + losses[1]) / 2, case.parameters)
    assert all(gradient.any() for gradient in expected)
    torch.testing.assert_close(gradients, list(expected), rtol=0, atol=1e-12)


def test_gradients_add_to_what_is_there():
    case = Case(sampled=True, restarts=True)
    _, once = case.run()
    objective = Objective(case.bilm, case.softmax)
    for parameter, gradient in zip(case.parameters, once, strict=True):
        parameter.grad = gradient.clone()
    objective.backward(case.window, case.state)
    for parameter, gradient in zip(case.parameters, once, strict=True):
        torch.testing.assert_close(parameter.grad, 2 * gradient, rtol=1e-12, atol=0)


def test_two_threads_compute_what_one_computes():
    case = Case(sampled=True, restarts=True)
    alone, gradients = case.run(dropout=0.3)
    torch.set_num_threads(2)
    try:
        together, others = case.run(dropout=0.3)
    finally:
        torch.set_num_threads(1)
    assert alone.losses == together.losses
    assert all(map(torch.equal, gradients, others))
    assert all(map(torch.equal, alone.state, together.state))


def test_the_state_goes_on_where_the_window_ended():
    case = Case(sampled=False, restarts=False)
    result, _ = case.run()
    assert not result.state.hidden.requires_grad
    for direction in range(2):
        vectors = case.bilm.character_encoder.encode_words(case.characters)
        inputs = F.embedding(case.batches[direction].places, vectors)
        states = projected_lstm(
            inputs,
            case.state.direction(direction)[0],
            case.bilm.lstm.weights(direction)[0],
            cell_clip=CONFIG.lstm.cell_clip,
            projection_clip=CONFIG.lstm.projection_clip,
        )
        after = result.state.direction(direction)[0]
        close(after.hidden, states.hidden[-1].detach().numpy(), tolerance=1e-13)
        close(after.cell, states.cell[-1].detach().numpy(), tolerance=1e-13)


def test_dropout_repeats_with_its_seed_and_differs_without():
    case = Case(sampled=True, restarts=True)
    first, again, other, none = (
        case.run(**arguments)[0].losses
        for arguments in ({"dropout": 0.5}, {"dropout": 0.5}, {"dropout": 0.5, "seed": 1}, {"dropout": 0.0})
    )
    assert first == again
    assert len({first, other, none}) == 3


@pytest.mark.parametrize("sparse", [True, False])
def test_rows_give_the_gradients_of_the_whole_softmax(sparse):
    case = Case(sampled=True, restarts=True)
    whole, expected = case.run()
    some, gradients = case.run(rows=case.rows, sparse=sparse)
    assert some.losses == pytest.approx(whole.losses, abs=1e-13)
    assert [gradient.is_sparse for gradient in gradients[-2:]] == [sparse, sparse]
    torch.testing.assert_close([g.to_dense() for g in gradients], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("sparse", [True, False])
def test_gradients_of_rows_add_up_over_windows(sparse):
    case = Case(sampled=True, restarts=False)
    _, once = case.run(rows=case.rows, sparse=sparse)
    once = [gradient.to_dense().clone() for gradient in once]
    objective = Objective(case.bilm, case.softmax, sparse=sparse)
    for parameter in case.parameters:
        parameter.grad = None
    for _ in range(2):
        objective.backward(case.window._replace(rows=case.rows), case.state)
    for parameter, gradient in zip(case.parameters, once, strict=True):
        torch.testing.assert_close(parameter.grad.to_dense(), 2 * gradient, rtol=1e-12, atol=1e-15)


def test_a_frozen_bilm_leaves_the_gradients_of_the_softmax_as_they_are():
    case = Case(sampled=True, restarts=True)
    _, expected = case.run(rows=case.rows)
    case.bilm.requires_grad_(False)
    _, gradients = case.run(rows=case.rows)
    assert gradients[:-2] == [None] * (len(gradients) - 2)
    torch.testing.assert_close(gradients[-2:], expected[-2:], rtol=0, atol=0)


def test_half_precision_is_near():
    """Products in bfloat16 round to 3 digits; losses and gradients stay near, in float32."""
    case = Case(sampled=True, restarts=True)
    case.bilm.float(), case.softmax.float()
    case.state = LstmState(*(part.float() for part in case.state))
    exact, expected = case.run(rows=case.rows)
    for parameter in case.parameters:
        parameter.grad = None
    half = Objective(case.bilm, case.softmax, half=True).backward(case.window._replace(rows=case.rows), case.state)
    assert half.losses != exact.losses
    assert half.losses == pytest.approx(exact.losses, rel=0.02)
    for parameter, gradient in zip(case.parameters, expected, strict=True):
        assert parameter.grad.dtype == torch.float32
        assert (parameter.grad - gradient).norm() < 0.05 * gradient.norm() + 1e-6


def test_accumulate():
    parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    parameters[1].grad = torch.ones(2)
    accumulate(parameters, [torch.full((2,), 3.0), torch.full((2,), 4.0)])
    assert [parameter.grad.tolist() for parameter in parameters] == [[3.0, 3.0], [5.0, 5.0]]
