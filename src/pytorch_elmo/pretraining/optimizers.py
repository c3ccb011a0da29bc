"""How a step moves the parameters, and at what rate."""

from collections.abc import Sequence

import torch

from pytorch_elmo.pretraining.config import OptimizerConfig
from pytorch_elmo.training.schedule import warmup_cosine


def make_optimizer(config: OptimizerConfig, parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
    """AdamW, or Adagrad as TensorFlow's (no epsilon, accumulators from 1.0)."""
    if config.name == "adagrad":
        return torch.optim.Adagrad(parameters, lr=config.learning_rate, initial_accumulator_value=1.0, eps=0.0)
    return torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99), fused=True
    )


def takes_sparse_gradients(config: OptimizerConfig) -> bool:
    """Whether a gradient of some rows moves those rows alone: true of Adagrad, whose steps have no memory."""
    return config.name == "adagrad"


def learning_rate(config: OptimizerConfig, step: int, num_steps: int) -> float:
    """The rate of a step counted from 0; Adagrad's is constant."""
    if config.name == "adagrad":
        return config.learning_rate
    return warmup_cosine(
        step,
        num_steps=num_steps,
        warmup_steps=config.warmup_steps,
        peak=config.learning_rate,
        final=config.final_learning_rate,
    )
