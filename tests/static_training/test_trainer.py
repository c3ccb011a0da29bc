"""Training submatrix by submatrix: the reference's steps, and a run in parts that is the run in one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, WeightsError
from pytorch_elmo.static_training.blocks import Blocks
from pytorch_elmo.static_training.config import SwivelConfig
from pytorch_elmo.static_training.pair_counts import PairCounter
from pytorch_elmo.static_training.submatrices import Submatrices, write_submatrices
from pytorch_elmo.static_training.trainer import SwivelTrainer
from pytorch_elmo.training.checkpoint import list_checkpoints
from reference.swivel import reference_counts, reference_training

WORDS = [f"w{number}" for number in range(11)]
CONFIG = SwivelConfig(dim=4, num_epochs=3, seed=7)
WINDOW = 3


class Reports:
    """Remembers what it hears."""

    def __init__(self):
        self.num_steps, self.epochs = 0, []

    def step_done(self):
        self.num_steps += 1

    def epoch_done(self, epoch, loss):
        self.epochs.append((epoch, loss))


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    generator = np.random.default_rng(3)
    ranks = np.minimum(generator.geometric(0.25, (40, 9)) - 1, len(WORDS) - 1)
    return [[WORDS[rank] for rank in line] for line in ranks]


@pytest.fixture(scope="module")
def submatrices(lines, tmp_path_factory):
    """Three blocks, of 4, 4 and 3 words."""
    folder, blocks = tmp_path_factory.mktemp("counts"), Blocks.of_size(len(WORDS), 4)
    with PairCounter(folder, blocks, window=WINDOW) as counter:
        counter.count(lines, {word: number for number, word in enumerate(WORDS)})
        write_submatrices(folder / "counts.json", counter.runs(), blocks, {})
    return Submatrices(folder / "counts.json")


def run(submatrices, folder, config=CONFIG, *, until=None):
    """A run, resumed if it was begun, stopped after `until` steps."""
    trainer, reports = SwivelTrainer(submatrices, config), Reports()
    trainer.resume(folder)
    finished = trainer.run(folder, reports, lambda: trainer.step == until)
    return trainer, reports, finished


def test_steps_are_those_of_the_reference(submatrices, lines, tmp_path):
    counts = reference_counts(lines, WORDS, WINDOW)
    generator = torch.Generator().manual_seed(CONFIG.seed)
    rows, columns = (torch.randn(11, 4, generator=generator).double().numpy() / 2 for _ in range(2))
    epochs = [np.random.default_rng([CONFIG.seed, epoch]).permutation(9) for epoch in range(3)]
    steps = [divmod(int(place), 3) for place in np.concatenate(epochs)]
    assert sorted(steps[:9]) == [(row, column) for row in range(3) for column in range(3)]
    expected_rows, expected_columns, losses = reference_training(counts, rows, columns, steps, 3)

    trainer, reports, finished = run(submatrices, tmp_path)
    assert finished
    assert reports.num_steps == 27
    np.testing.assert_allclose(trainer.vectors(), expected_rows + expected_columns, atol=1e-4)
    per_epoch = np.array(losses).reshape(3, 9).sum(axis=1) / 11**2
    np.testing.assert_allclose([loss for _, loss in reports.epochs], per_epoch, rtol=1e-5)
    assert per_epoch[2] < per_epoch[0]


@pytest.mark.parametrize("until", [1, 9, 13])
def test_a_run_in_two_parts_is_bit_equal(submatrices, tmp_path, until):
    whole, reports, _ = run(submatrices, tmp_path / "whole")
    _, before, finished = run(submatrices, tmp_path / "parts", until=until)
    assert not finished
    assert before.num_steps == until
    parts, after, finished = run(submatrices, tmp_path / "parts")
    assert finished
    assert torch.equal(parts.vectors(), whole.vectors())
    assert [*before.epochs, *after.epochs] == reports.epochs
    assert parts.losses == whole.losses


def test_a_finished_run_goes_on_with_more_epochs(submatrices, tmp_path):
    whole, *_ = run(submatrices, tmp_path / "whole")
    run(submatrices, tmp_path / "parts", replace(CONFIG, num_epochs=2))
    longer, reports, _ = run(submatrices, tmp_path / "parts")
    assert reports.num_steps == 9
    assert torch.equal(longer.vectors(), whole.vectors())
    assert len(list_checkpoints(tmp_path / "parts" / "checkpoints")) == 1


def test_fewer_epochs_than_are_done_are_refused(submatrices, tmp_path):
    run(submatrices, tmp_path, until=20)
    with pytest.raises(
        ConfigurationError, match=r"has 2\.222 epochs behind it, now num_epochs is 2; ask for as many"
    ):
        run(submatrices, tmp_path, replace(CONFIG, num_epochs=2))
    _, reports, finished = run(submatrices, tmp_path)
    assert finished
    assert reports.num_steps == 7


def test_the_seed_decides(submatrices, tmp_path):
    first, *_ = run(submatrices, tmp_path / "a")
    other, *_ = run(submatrices, tmp_path / "b", replace(CONFIG, seed=8))
    assert not torch.equal(first.vectors(), other.vectors())


def test_other_settings_are_refused(submatrices, tmp_path):
    run(submatrices, tmp_path, until=2)
    with pytest.raises(ConfigurationError, match=r"started with learning_rate 0\.1, now it is 0\.5; restore"):
        run(submatrices, tmp_path, replace(CONFIG, learning_rate=0.5))


def test_a_checkpoint_of_other_words_is_refused(submatrices, tmp_path):
    run(submatrices, tmp_path, until=2)
    (path,) = list_checkpoints(tmp_path / "checkpoints")
    _replace_tensor(path, "columns.vectors", torch.zeros(3, 4))
    with pytest.raises(
        WeightsError, match=r"step-000000002.*is of other words or dimensions: columns\.vectors; choose"
    ):
        run(submatrices, tmp_path)


def _replace_tensor(path, name, tensor):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file({**load_file(path), name: tensor}, path, metadata=metadata)


def test_a_loss_that_is_no_number_ends_the_run(submatrices, tmp_path):
    with pytest.raises(PytorchElmoError, match=r"the loss is (nan|inf) at step \d+; lower --learning-rate"):
        run(submatrices, tmp_path, replace(CONFIG, learning_rate=1e30))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dim": 0}, "dim must be 1 or more, got 0; leave it out for the default"),
        ({"num_epochs": -1}, "num_epochs must be 1 or more, got -1"),
        ({"learning_rate": 0.0}, r"learning_rate must be above 0, got 0\.0; give 0\.1"),
        ({"seed": 2**63}, r"seed is at most 9223372036854775807, got 9223372036854775808; give a small number"),
        ({"confidence_base": -0.5}, r"confidence_base must be 0 or more, got -0\.5; leave it out"),
    ],
)
def test_settings_out_of_range(setting, message):
    with pytest.raises(ConfigurationError, match=message):
        SwivelConfig(**setting)
