"""Training a biLM from text: one readable loop, resumable at every checkpoint."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.pretraining.config import OptimizerConfig, PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus
from pytorch_elmo.pretraining.initialization import fresh_bilm, fresh_softmax
from pytorch_elmo.pretraining.objective import DirectionBatch, Negatives, Objective
from pytorch_elmo.pretraining.sampler import draw_negatives
from pytorch_elmo.pretraining.stream import SentenceStream
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.training.checkpoint import Checkpoint, list_checkpoints, load_checkpoint, save_checkpoint
from pytorch_elmo.training.schedule import warmup_cosine

CHECKPOINTS = "checkpoints"


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

    def checkpoint_saved(self, path: Path) -> None:
        """The run can go on from `path`."""


class Trainer:
    """A run: network, optimizer, place in the text, and all random numbers."""

    def __init__(self, config: PretrainingConfig, corpus: Corpus, vocabulary: Vocabulary) -> None:
        self.config, self.corpus, self.vocabulary = config, corpus, vocabulary
        generator = torch.Generator().manual_seed(config.seed)
        self.bilm: BiLM = fresh_bilm(config.model, generator)
        self.softmax: Softmax = fresh_softmax(len(vocabulary), config.model.lstm.projection_size, generator)
        self.parameters = dict(_named(self.bilm, self.softmax))
        self.optimizer = make_optimizer(config.optimizer, list(self.parameters.values()))
        self.objective = Objective(self.bilm, self.softmax, dropout=config.dropout, seed=config.seed)
        self.stream = SentenceStream(
            corpus,
            batch_size=config.batch_size,
            unroll_steps=config.unroll_steps,
            restart_probability=config.sentence_restart_probability,
            seed=config.seed,
        )
        self.random = np.random.Generator(np.random.PCG64([config.seed, 2]))
        self.state = self.bilm.lstm.zero_state(config.batch_size)
        self.step = 0
        self._target_ids = np.array([vocabulary.id_of(word) for word in corpus.words], dtype=np.int64)

    @property
    def tokens_per_step(self) -> int:
        """Predictions of one direction in a step."""
        return self.config.batch_size * self.config.unroll_steps

    def resume(self, folder: Path) -> None:
        """Go on from the newest checkpoint in `folder`, if there is one.

        Raises:
            ConfigurationError: the run was started with another configuration.
            WeightsError: the checkpoint is damaged.
        """
        if saved := list_checkpoints(folder / CHECKPOINTS):
            self.restore(load_checkpoint(saved[-1]))

    def run(self, folder: Path, reports: Reports, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train to `num_steps`, saving checkpoints in `folder`.

        Args:
            folder: of the run.
            reports: hears of every step.
            stop: asked after each step; True saves a checkpoint and ends the run.

        Returns:
            Whether the run is finished.

        Raises:
            PytorchElmoError: the loss is no longer a number; the last checkpoint is named.
        """
        checkpoints = folder / CHECKPOINTS
        stopped = False
        while self.step < self.config.num_steps and not stopped:
            report = self.train_step()
            if not np.isfinite(report.forward_loss + report.backward_loss + report.gradient_norm):
                last = ([None, *list_checkpoints(checkpoints)])[-1]
                raise PytorchElmoError(
                    f"the loss is no number at step {report.step}, epoch {report.epoch}; "
                    f"lower the learning rate and go on from the last good checkpoint: {last}"
                )
            reports.step_done(report)
            stopped = stop()
            if stopped or self.step % self.config.checkpoint_every == 0 or self.step == self.config.num_steps:
                reports.checkpoint_saved(
                    save_checkpoint(checkpoints, self.checkpoint(), keep=self.config.keep_checkpoints)
                )
        return self.step == self.config.num_steps

    def train_step(self) -> StepReport:
        """Read one window, and move the parameters once."""
        config = self.config.optimizer
        rate = self._learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        window = self.stream.next_batch()
        inputs = np.stack([window.forward_inputs, window.backward_inputs])
        words, places = np.unique(inputs, return_inverse=True)
        places_by_direction = torch.from_numpy(places.reshape(inputs.shape))
        result = self.objective.backward(
            torch.from_numpy(self.corpus.characters[words].astype(np.int64)),
            (
                self._direction(places_by_direction[0], window.forward_targets),
                self._direction(places_by_direction[1], window.backward_targets),
            ),
            self.state,
            torch.from_numpy(window.starts) if window.starts.any() else None,
            scale=float(self.config.unroll_steps) if config.name == "adagrad" else 1.0,
        )
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), config.gradient_clip)
        self.optimizer.step()
        self.state = result.state
        self.step += 1
        return StepReport(
            step=self.step,
            forward_loss=result.losses[0],
            backward_loss=result.losses[1],
            gradient_norm=norm.item(),
            learning_rate=rate,
            epoch=self.stream.epoch,
        )

    def checkpoint(self) -> Checkpoint:
        """The whole run as it stands."""
        tensors: dict[str, Tensor] = {f"model.{name}": parameter for name, parameter in self.parameters.items()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{name}.{key}"] = value
        tensors |= {"state.hidden": self.state.hidden, "state.cell": self.state.cell}
        for direction, generator in enumerate(self.objective.generators):
            tensors[f"random.dropout.{direction}"] = generator.get_state()
        document = {
            "step": self.step,
            "config": self.config.to_json(),
            "vocabulary_size": len(self.vocabulary),
            "stream": self.stream.state,
            "random": self.random.bit_generator.state,
        }
        return Checkpoint(self.step, tensors, document)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where a checkpoint was made.

        Raises:
            ConfigurationError: the run was started with another configuration.
        """
        refuse_other_config(checkpoint.document["config"], self.config.to_json())
        tensors, document = checkpoint.tensors, checkpoint.document
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[f"model.{name}"])
                prefix = f"optimizer.{name}."
                kept = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
                if kept:
                    self.optimizer.state[parameter] = kept
        self.state = type(self.state)(tensors["state.hidden"], tensors["state.cell"])
        for direction, generator in enumerate(self.objective.generators):
            generator.set_state(tensors[f"random.dropout.{direction}"])
        self.stream.state = document["stream"]
        self.random.bit_generator.state = document["random"]
        self.step = document["step"]

    def _direction(self, places: Tensor, targets: NDArray[np.int32]) -> DirectionBatch:
        negatives = None
        if self.config.num_negatives is not None:
            ids, tries = draw_negatives(self.config.num_negatives, len(self.vocabulary), self.random)
            negatives = Negatives(torch.from_numpy(ids), tries)
        return DirectionBatch(places, torch.from_numpy(self._target_ids[targets]), negatives)

    def _learning_rate(self) -> float:
        config = self.config.optimizer
        if config.name == "adagrad":
            return config.learning_rate
        return warmup_cosine(
            self.step,
            num_steps=self.config.num_steps,
            warmup_steps=config.warmup_steps,
            peak=config.learning_rate,
            final=config.final_learning_rate,
        )


def count_words(corpus: Corpus) -> Counter[str]:
    """Occurrences of each word of a corpus."""
    return Counter(dict(zip(corpus.words, corpus.counts.tolist(), strict=True)))


def make_optimizer(config: OptimizerConfig, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW, or Adagrad as TensorFlow's (no epsilon, accumulators from 1.0)."""
    if config.name == "adagrad":
        return torch.optim.Adagrad(parameters, lr=config.learning_rate, initial_accumulator_value=1.0, eps=0.0)
    return torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99), fused=True
    )


def refuse_other_config(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A run goes on only with the settings that it was started with.

    Raises:
        ConfigurationError: a setting differs.
    """
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            raise ConfigurationError(
                f"the run was started with {key} {old.get(key)!r}, the configuration says {new.get(key)!r}; "
                "restore the setting, or choose another output folder"
            )


def _named(bilm: BiLM, softmax: Softmax) -> Iterator[tuple[str, torch.nn.Parameter]]:
    yield from bilm.named_parameters()
    for name, parameter in softmax.named_parameters():
        yield f"softmax.{name}", parameter
