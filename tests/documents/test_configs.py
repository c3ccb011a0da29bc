"""Every configuration for `elmo pretrain`, `configs/*_bilm.jsonnet`, is read strictly and trains two steps."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pytorch_elmo.pretraining.config import PretrainingConfig, read_config
from pytorch_elmo.pretraining.job import prepare_run, save_model
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.weights.load import load_pretrained

PROJECT = Path(__file__).parents[2]
CONFIGS = sorted((PROJECT / "configs").rglob("*_bilm.json*"))
LINES = [f"Sentence {number} is about topic{number % 7} , again ." for number in range(60)]
NUM_WORDS = 76  # of these lines, the three special ones of a vocabulary included


class Steps:
    """Hears of every step."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def step_done(self, report) -> None:
        self.losses += [report.forward_loss, report.backward_loss]

    def validated(self, step, perplexity) -> None:
        assert perplexity.both > 1

    def checkpoint_saved(self, path) -> None:
        assert path.exists()


def on_tiny_data(config: PretrainingConfig, folder: Path) -> PretrainingConfig:
    """The same run on a few lines; what counts the text's words or steps is made to fit."""
    text = folder / "text.txt"
    text.write_text("\n".join(LINES), encoding="utf-8")
    negatives = config.num_negatives and min(config.num_negatives, NUM_WORDS - 1)
    validation = [str(text)] if config.corpus.validation else []
    corpus = replace(config.corpus, train=[str(text)], validation=validation, vocabulary_file=None)
    return replace(config, corpus=corpus, num_steps=2, num_negatives=negatives)


def test_the_configurations_are_found():
    assert [path.name for path in CONFIGS] == ["alice_bilm.jsonnet", "default_bilm.jsonnet"]


@pytest.mark.parametrize("path", CONFIGS, ids=[path.name for path in CONFIGS])
def test_two_steps(path, tmp_path):
    config = on_tiny_data(read_config(path), tmp_path)
    trainer = prepare_run(config, tmp_path / "run", SilentProgress())
    assert len(trainer.vocabulary) == NUM_WORDS
    steps = Steps()
    assert trainer.run(tmp_path / "run", steps)
    assert len(steps.losses) == 4
    assert all(0 < loss < 20 for loss in steps.losses)
    bilm = load_pretrained(save_model(trainer, tmp_path / "run"))
    assert bilm.config == config.model
    assert all(torch.isfinite(parameter).all() for parameter in bilm.parameters())


@pytest.mark.parametrize("path", CONFIGS, ids=[path.name for path in CONFIGS])
def test_it_begins_with_the_command_that_runs_it(path):
    comment = [line for line in path.read_text("utf-8").splitlines() if line.startswith("//")]
    name = path.relative_to(PROJECT)
    assert any(line.startswith(f"//   elmo pretrain {name} ") for line in comment)
