"""Training runs of a size that a test can wait for."""

from pytorch_elmo.pretraining.config import CorpusConfig, OptimizerConfig, PretrainingConfig
from random_models import bilm_config

SENTENCES = [
    ["the", "boat", "left", "the", "harbour", "."],
    ["a", "storm", "at", "sea"],
    ["noon"],
    ["the", "sea", ",", "the", "old", "café", "."],
    ["a", "boat", "at", "noon", "."],
]


def small_config(*, optimizer: OptimizerConfig | None = None, **settings) -> PretrainingConfig:
    """Settings of a run that takes milliseconds a step."""
    return PretrainingConfig(
        **{
            "model": bilm_config(),
            "corpus": CorpusConfig(train=["text.txt"]),
            "optimizer": optimizer or OptimizerConfig(warmup_steps=2, learning_rate=0.01),
            "num_steps": 6,
            "batch_size": 3,
            "unroll_steps": 4,
            "num_negatives": 6,
            "checkpoint_every": 3,
            **settings,
        }
    )


class Reports:
    """Remembers what a run reported."""

    def __init__(self) -> None:
        self.steps, self.checkpoints, self.perplexities = [], [], []

    def step_done(self, report) -> None:
        self.steps.append(report)

    def validated(self, step, perplexity) -> None:
        self.perplexities.append((step, perplexity.both))

    def checkpoint_saved(self, path) -> None:
        self.checkpoints.append(path)


class Listener:
    """Remembers the progress of a job; raises `error` at the first advance, if there is one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error, self.totals, self.amounts, self.finished = error, [], [], 0

    def start(self, *, total, unit, done=0, label="") -> None:
        self.totals.append(total)

    def advance(self, amount) -> None:
        if self.error is not None:
            raise self.error
        self.amounts.append(amount)

    def note(self, line) -> None: ...

    def finish(self) -> None:
        self.finished += 1
