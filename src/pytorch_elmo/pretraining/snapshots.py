"""A run as a checkpoint, and back."""

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from pytorch_elmo.pretraining.trainer import Trainer


class Best(NamedTuple):
    """The step with the lowest perplexity on the validation text so far."""

    step: int
    perplexity: float


# What may change between two parts of a run: how long, how fast, and what is seen of it.
FREE = frozenset({"num_steps", "checkpoint_every", "keep_checkpoints", "validate_every", "report_every"})
FREE_OF_OPTIMIZER = frozenset({"learning_rate", "final_learning_rate", "gradient_clip"})


def take_snapshot(trainer: "Trainer") -> Checkpoint:
    """The whole run as it stands; all processes call it together."""
    tensors: dict[str, Tensor] = {f"model.{name}": parameter for name, parameter in trainer.parameters.items()}
    for name, parameter in trainer.parameters.items():
        for key, value in trainer.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{name}.{key}"] = value
    tensors["state.hidden"] = trainer.processes.gather(trainer.state.hidden, dim=1)
    tensors["state.cell"] = trainer.processes.gather(trainer.state.cell, dim=1)
    document = {
        "step": trainer.step,
        "config": trainer.config.to_json(),
        "vocabulary_size": len(trainer.vocabulary),
        "reader": trainer.reader.state,
        "best": trainer.best,
    }
    return Checkpoint(trainer.step, tensors, document)


def restore_snapshot(trainer: "Trainer", checkpoint: Checkpoint) -> None:
    """Go on where a checkpoint was made, with any number of processes.

    Raises:
        ConfigurationError: the run was started with another configuration.
        WeightsError: the checkpoint is of another model or of an older release.
    """
    document = checkpoint.document
    if missing := {"config", "reader", "vocabulary_size"} - document.keys():
        raise WeightsError(
            f"the checkpoint of step {checkpoint.step} misses {', '.join(sorted(missing))}: another release wrote "
            "it; go on with that one, or choose another output folder"
        )
    refuse_other_config(document["config"], trainer.config.to_json())
    load_parameters(trainer, checkpoint)
    for name, parameter in trainer.parameters.items():
        prefix = f"optimizer.{name}."
        kept = {k.removeprefix(prefix): v for k, v in checkpoint.tensors.items() if k.startswith(prefix)}
        if kept:  # Adam's count of steps stays on the CPU unless it is fused
            trainer.optimizer.state[parameter] = {key: value.to(parameter.device) for key, value in kept.items()}
    rows = trainer.reader.rows
    state = (checkpoint.tensors[f"state.{name}"][:, rows].to(trainer.device) for name in ("hidden", "cell"))
    trainer.state = LstmState(*state)
    trainer.reader.state = document["reader"]
    trainer.step = document["step"]
    trainer.best = None if document.get("best") is None else Best(*document["best"])


@torch.no_grad()
def load_parameters(trainer: "Trainer", checkpoint: Checkpoint) -> None:
    """Only the network's numbers.

    Raises:
        WeightsError: they are of another network or vocabulary.
    """
    for name, parameter in trainer.parameters.items():
        saved = checkpoint.tensors.get(f"model.{name}")
        if saved is None or saved.shape != parameter.shape:
            found = "nothing" if saved is None else f"shape {tuple(saved.shape)}"
            raise WeightsError(
                f"the checkpoint of step {checkpoint.step} is of another model: {name} has {found}, this run needs "
                f"{tuple(parameter.shape)}; choose another output folder"
            )
        parameter.copy_(saved)


def refuse_other_config(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A run goes on only with the settings that decide its numbers as they were; how long and how fast may change.

    Raises:
        ConfigurationError: a setting differs.
    """
    for key in sorted((old.keys() | new.keys()) - FREE):
        before, now = old.get(key), new.get(key)
        if key == "optimizer" and before and now:
            before, now = ({k: v for k, v in part.items() if k not in FREE_OF_OPTIMIZER} for part in (before, now))
        if before != now:
            raise ConfigurationError(
                f"the run was started with {key} {before!r}, the configuration says {now!r}; "
                "restore the setting, or choose another output folder"
            )
