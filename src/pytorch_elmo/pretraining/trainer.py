"""Training a biLM from text: one readable loop, resumable at every checkpoint."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import torch

from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.packed_linear import refuse_slow_precision
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax
from pytorch_elmo.pretraining.config import PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus
from pytorch_elmo.pretraining.dropout import Dropout
from pytorch_elmo.pretraining.evaluate import Perplexity, evaluate_perplexity
from pytorch_elmo.pretraining.gradients import clip_norm
from pytorch_elmo.pretraining.initialization import (
    fresh_adaptive_softmax,
    fresh_bilm,
    fresh_softmax,
    take_over_rows,
)
from pytorch_elmo.pretraining.objective import Objective
from pytorch_elmo.pretraining.optimizers import learning_rate, make_optimizer, takes_sparse_gradients
from pytorch_elmo.pretraining.snapshots import Best, restore_snapshot, take_snapshot
from pytorch_elmo.pretraining.windows import WindowReader
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.training.checkpoint import keep_best, list_checkpoints, load_checkpoint, save_checkpoint
from pytorch_elmo.training.processes import Processes

CHECKPOINTS = "checkpoints"
# A mean loss this many times as large as that of guessing every word alike has left all that training repairs.
EXPLODED = 3.0


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What one step did: mean losses in nats per position, the global gradient norm before clipping."""

    step: int
    forward_loss: float
    backward_loss: float
    gradient_norm: float
    learning_rate: float
    epoch: int


class Reports(Protocol):
    """A listener of a training run."""

    def step_done(self, report: StepReport) -> None:
        """A step is finished."""

    def validated(self, step: int, perplexity: Perplexity) -> None:
        """The validation text was measured after a step."""

    def checkpoint_saved(self, path: Path) -> None:
        """The run can go on from `path`."""


class StartModel(NamedTuple):
    """What fine-tuning begins with: a biLM, and its output layer with the words it predicts, where it has one."""

    bilm: BiLM
    softmax: Softmax | None = None
    vocabulary: Vocabulary | None = None


class Trainer:
    """A run: network, optimizer, place in the text.

    All random numbers come from the seed and the place, so that nothing else has to be kept. With several
    processes each has its share of the rows, and all take the same step.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        corpus: Corpus,
        vocabulary: Vocabulary,
        *,
        validation: Corpus | None = None,
        start: StartModel | None = None,
        processes: Processes | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config, self.corpus, self.vocabulary, self.validation = config, corpus, vocabulary, validation
        self.processes, self.device = processes or Processes(), torch.device(device)
        if config.precision == "bf16":
            refuse_slow_precision(self.device, torch.bfloat16)
        generator = torch.Generator().manual_seed(config.seed)
        self.bilm: BiLM = start.bilm.requires_grad_(True).train() if start else fresh_bilm(config.model, generator)
        self.softmax = _output_layer(config, vocabulary, generator, start)
        self.bilm.to(self.device)
        self.softmax.to(self.device)
        if config.learn_start_state:
            begin = self.bilm.lstm.start_state(1)
            self.bilm.lstm.start = LstmState(*(part.clone().requires_grad_() for part in begin))
        self.parameters = dict(_named(self.bilm, self.softmax))
        self.optimizer = make_optimizer(config.optimizer, list(self.parameters.values()))
        self.reader = WindowReader(config, corpus, vocabulary, processes=self.processes, device=self.device)
        self._dropout = Dropout(config.dropout, seed=config.seed, num_rows=config.batch_size, rows=self.reader.rows)
        self.objective = Objective(
            self.bilm,
            self.softmax,
            dropout=self._dropout,
            sparse=takes_sparse_gradients(config.optimizer),
            half=config.precision == "bf16",
        )
        self.state = self.bilm.lstm.start_state(self.reader.rows.stop - self.reader.rows.start)
        self.step = 0
        self.best: Best | None = None

    @property
    def tokens_per_step(self) -> int:
        """Predictions of one direction in a step, of all processes."""
        return self.config.batch_size * self.config.unroll_steps * self.config.accumulation_steps

    def resume(self, folder: Path) -> None:
        """Go on from the newest checkpoint in `folder`, if there is one.

        Raises:
            ConfigurationError: the run was started with another configuration.
            WeightsError: the checkpoint is damaged, or of another model.
        """
        if saved := list_checkpoints(folder / CHECKPOINTS):
            restore_snapshot(self, load_checkpoint(saved[-1]))

    def run(self, folder: Path, reports: Reports, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train to `num_steps`, saving checkpoints in `folder`.

        Args:
            folder: of the run.
            reports: hears of every step.
            stop: asked after each step; True in any process saves a checkpoint and ends the run.

        Returns:
            Whether the run is finished.

        Raises:
            PytorchElmoError: the loss is no longer a number or has exploded; the last checkpoint is named.
            WeightsError: a checkpoint cannot be written.
        """
        config, stopped = self.config, False
        while self.step < config.num_steps and not stopped:
            report = self.train_step()
            self._refuse_divergence(report, folder)
            reports.step_done(report)
            last = self.step == config.num_steps
            stopped = self.processes.any(stop(), self.device)
            validated = (self.step % config.validate_every == 0 or last) and self._validate(reports)
            if stopped or last or validated or self.step % config.checkpoint_every == 0:
                self._save(folder / CHECKPOINTS, reports)
        return self.step == config.num_steps

    def train_step(self) -> StepReport:
        """Read `accumulation_steps` windows, and move the parameters once."""
        config = self.config.optimizer
        rate = learning_rate(config, self.step, self.config.num_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self._freeze(self.step < self.config.softmax_only_steps)
        self.optimizer.zero_grad(set_to_none=True)
        scale = float(self.config.unroll_steps) if config.name == "adagrad" else 1.0
        losses = torch.zeros(2, dtype=torch.float64)
        for _ in range(self.config.accumulation_steps):
            self._dropout.begin(self.reader.number, self.device)
            window = self.reader.next_window()
            result = self.objective.backward(window, self.state, scale / self.config.accumulation_steps)
            self.state = result.state
            losses += torch.tensor(result.losses, dtype=torch.float64) / self.config.accumulation_steps
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        losses = losses.to(self.device)
        self.processes.average_([losses, *gradients])
        norm = clip_norm(list(self.parameters.values()), config.gradient_clip)
        with torch.sparse.check_sparse_tensor_invariants(enable=False):  # the default, but torch wants to be told
            self.optimizer.step()
        self.step += 1
        forward, backward = losses.tolist()
        return StepReport(
            step=self.step,
            forward_loss=forward,
            backward_loss=backward,
            gradient_norm=norm,
            learning_rate=rate,
            epoch=self.reader.epoch,
        )

    def _freeze(self, frozen: bool) -> None:
        """Take the biLM out of training, or in."""
        for parameter in self.bilm.parameters():
            parameter.requires_grad_(not frozen)

    def _refuse_divergence(self, report: StepReport, folder: Path) -> None:
        bound = EXPLODED * math.log(len(self.vocabulary))
        losses = (report.forward_loss, report.backward_loss)
        if math.isfinite(sum(losses) + report.gradient_norm) and max(losses) <= bound:
            return
        what = f"is above {bound:.1f}" if math.isfinite(sum(losses)) and max(losses) > bound else "is no number"
        text = folder / f"window-of-step-{report.step}.txt"
        if self.processes.first:
            folder.mkdir(parents=True, exist_ok=True)
            text.write_text(self.reader.latest_text(), encoding="utf-8")
        last = ([None, *list_checkpoints(folder / CHECKPOINTS)])[-1]
        raise PytorchElmoError(
            f"the loss {what} at step {report.step}, epoch {report.epoch}, window {self.reader.number - 1}, whose "
            f"text is in {text}; lower the learning rate and go on from the last good checkpoint: {last}"
        )

    def _validate(self, reports: Reports) -> bool:
        """Measure the validation text, in the first process; whether this is the best model so far."""
        if self.validation is None:
            return False
        perplexity = 0.0
        if self.processes.first:
            sentences = map(self.validation.tokens_of, range(self.validation.num_sentences))
            measured = evaluate_perplexity(self.bilm, self.softmax, self.vocabulary, sentences)
            reports.validated(self.step, measured)
            perplexity = measured.both
        perplexity = self.processes.from_first(perplexity, self.device)
        if self.best is not None and perplexity >= self.best.perplexity:
            return False
        self.best = Best(self.step, perplexity)
        return True

    def _save(self, folder: Path, reports: Reports) -> None:
        snapshot = take_snapshot(self)
        if self.processes.first:
            path = save_checkpoint(folder, snapshot, keep=self.config.keep_checkpoints)
            if self.best is not None and self.best.step == self.step:
                keep_best(path)
            reports.checkpoint_saved(path)


def count_words(corpus: Corpus) -> Counter[str]:
    """Occurrences of each word of a corpus."""
    return Counter(dict(zip(corpus.words, corpus.counts.tolist(), strict=True)))


def _output_layer(
    config: PretrainingConfig, vocabulary: Vocabulary, generator: torch.Generator, start: StartModel | None
) -> Softmax | AdaptiveSoftmax:
    """A fresh one, with the rows of a start model's for the words of both vocabularies."""
    size = config.model.lstm.projection_size
    if config.adaptive_cutoffs is not None:
        return fresh_adaptive_softmax(len(vocabulary), size, config.adaptive_cutoffs, generator)
    softmax = fresh_softmax(len(vocabulary), size, generator)
    if start is not None and start.softmax is not None and start.vocabulary is not None:
        take_over_rows(softmax, vocabulary, start.softmax, start.vocabulary)
    return softmax


def _named(bilm: BiLM, softmax: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """All that is trained, or could be."""
    yield from bilm.named_parameters()
    for name, part in bilm.lstm.start._asdict().items() if bilm.lstm.start else ():
        yield f"start_state.{name}", part
    for name, parameter in softmax.named_parameters():
        yield f"softmax.{name}", parameter
