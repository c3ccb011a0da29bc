"""The optimiser of the Keras tutorials."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class KerasAdam(Optimizer):
    """Adam (Kingma and Ba 2015) as Keras computes it.

    Epsilon is added to the root of the second moment before the correction of its bias, PyTorch adds it after; the
    two part where gradients are as small as epsilon, as in rare rows of an embedding. Sparse gradients are taken as
    dense ones: every row that ever had a gradient goes on moving.

    Args:
        parameters: tensors or groups of them, as for any optimiser.
        lr: learning rate.
        betas: decay of the first and of the second moment.
        epsilon: keeps the step of a zero gradient finite.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return loss

    def _move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient = parameter.grad.to_dense() if parameter.grad.is_sparse else parameter.grad  # type: ignore[union-attr]
        state = self.state[parameter]
        if not state:
            state["step"], state["exp_avg"] = 0, torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        decay, decay_of_squares = group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.mul_(decay).add_(gradient, alpha=1.0 - decay)
        square.mul_(decay_of_squares).addcmul_(gradient, gradient, value=1.0 - decay_of_squares)
        correction = math.sqrt(1.0 - decay_of_squares ** state["step"]) / (1.0 - decay ** state["step"])
        parameter.addcdiv_(mean, square.sqrt().add_(group["epsilon"]), value=-group["lr"] * correction)
