"""PyTorch's LSTM over sequences of different lengths, trained on CPUs in less time: the same numbers.

PyTorch differentiates such an LSTM step by step on CPUs, and adds up the gradient of the recurrent weights at each of
them; where all sequences have one length it is fast. Here one function goes back through a whole direction: what does
not depend on the step after it is computed for all steps at once, and the gradients of weights are one matrix product
each. Measured (32 sequences, 50 to 200 wide): 1.8 to 2.5 times as fast; with one length it would be slower.
"""

import functools
from collections.abc import Callable
from itertools import accumulate
from types import ModuleType
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

States = tuple[Tensor, Tensor]


class _Direction(torch.autograd.Function):
    """One direction of one layer.

    Shapes: num_tokens rows lie as in a packed sequence, those of a step together.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        input_weight: Tensor,
        state_weight: Tensor,
        bias: Tensor,
        first_hidden: Tensor,
        first_memory: Tensor,
        steps: list[slice],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the steps in the order in which they are given.

        Args:
            ctx: autograd's.
            inputs: (num_tokens, input_size) float.
            input_weight: (4 * hidden_size, input_size) float, gates in the order i f g o.
            state_weight: (4 * hidden_size, hidden_size) float.
            bias: (4 * hidden_size,) float, of both.
            first_hidden: (batch_size, hidden_size) float.
            first_memory: (batch_size, hidden_size) float.
            steps: the rows of each step.

        Returns:
            outputs (num_tokens, hidden_size); hidden state and memory that each sequence ends with, (batch_size,
            hidden_size).
        """
        size = state_weight.shape[1]
        gates = torch.addmm(bias, inputs, input_weight.t())
        outputs, squashed, hidden_before, memory_before = (inputs.new_empty(len(inputs), size) for _ in range(4))
        hidden, memory = first_hidden.clone(), first_memory.clone()
        for rows in steps:
            gate, shown, output = gates[rows], squashed[rows], outputs[rows]
            state, cell = hidden[: len(gate)], memory[: len(gate)]  # sequences that have ended keep theirs
            hidden_before[rows], memory_before[rows] = state, cell
            gate.addmm_(state, state_weight.t())
            gate[:, : 2 * size].sigmoid_()
            gate[:, 2 * size : 3 * size].tanh_()
            gate[:, 3 * size :].sigmoid_()
            taken, kept, new, opened = gate.chunk(4, dim=1)
            cell.mul_(kept).addcmul_(taken, new)
            torch.tanh(cell, out=shown)
            torch.mul(opened, shown, out=output)
            state.copy_(output)
        ctx.save_for_backward(inputs, input_weight, state_weight, gates, squashed, hidden_before, memory_before)
        ctx.steps = steps
        return outputs, hidden, memory

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_hidden: Tensor, d_memory: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of all arguments."""
        inputs, input_weight, state_weight, gates, squashed, hidden_before, memory_before = ctx.saved_tensors
        taken, kept, new, opened = gates.chunk(4, dim=1)
        # What a gate's gradient is a multiple of: of the memory's gradient the first three, of the output's the last.
        slopes = torch.stack(
            [
                new * taken * (1 - taken),
                memory_before * kept * (1 - kept),
                taken * (1 - new * new),
                squashed * opened * (1 - opened),
            ],
            dim=1,
        )
        shown_slope = opened * (1 - squashed * squashed)
        d_gates = torch.empty_like(slopes)
        d_hidden, d_memory = d_hidden.clone(), d_memory.clone()
        for rows in reversed(ctx.steps):
            d_gate, slope = d_gates[rows], slopes[rows]
            d_state, d_cell = d_hidden[: len(d_gate)], d_memory[: len(d_gate)]
            d_state.add_(d_outputs[rows])
            d_cell.addcmul_(d_state, shown_slope[rows])
            torch.mul(slope[:, :3], d_cell.unsqueeze(1), out=d_gate[:, :3])
            torch.mul(slope[:, 3], d_state, out=d_gate[:, 3])
            d_cell.mul_(kept[rows])
            torch.mm(d_gate.flatten(1), state_weight, out=d_state)
        flat = d_gates.flatten(1)
        d_inputs = flat @ input_weight if ctx.needs_input_grad[0] else None
        return d_inputs, flat.t() @ inputs, flat.t() @ hidden_before, flat.sum(0), d_hidden, d_memory, None


def run(lstm: nn.LSTM, inputs: PackedSequence, states: States | None = None) -> tuple[PackedSequence, States]:
    """What `lstm(inputs, states)` returns, of one layer or several, in one direction or two.

    Args:
        lstm: without a projection.
        inputs: rows of input_size numbers, longest sequence first.
        states: hidden state and memory, (num_layers * num_directions, batch_size, hidden_size) each; zeros if None.
    """
    sizes = inputs.batch_sizes.tolist()
    steps = [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
    directions = 2 if lstm.bidirectional else 1
    if states is None:
        zeros = inputs.data.new_zeros(lstm.num_layers * directions, sizes[0], lstm.hidden_size)
        states = (zeros, zeros)
    data, ends = inputs.data, []
    for layer in range(lstm.num_layers):
        if layer:
            data = F.dropout(data, lstm.dropout, lstm.training)
        outputs = []
        for direction in range(directions):
            place = layer * directions + direction
            input_weight, state_weight, bias = _parameters(lstm, layer, direction)
            order = steps[::-1] if direction else steps
            output, *end = _Direction.apply(  # type: ignore[no-untyped-call]
                data, input_weight, state_weight, bias, states[0][place], states[1][place], order
            )
            outputs.append(output)
            ends.append(end)
        data = torch.cat(outputs, dim=1) if directions == 2 else outputs[0]
    hidden, memory = (torch.stack(parts) for parts in zip(*ends, strict=True))
    return PackedSequence(data, inputs.batch_sizes), (hidden, memory)


def _parameters(lstm: nn.LSTM, layer: int, direction: int) -> tuple[Tensor, Tensor, Tensor]:
    suffix = f"_l{layer}{'_reverse' if direction else ''}"
    input_weight, state_weight = getattr(lstm, f"weight_ih{suffix}"), getattr(lstm, f"weight_hh{suffix}")
    if not lstm.bias:
        return input_weight, state_weight, input_weight.new_zeros(len(input_weight))
    return input_weight, state_weight, getattr(lstm, f"bias_ih{suffix}") + getattr(lstm, f"bias_hh{suffix}")


def suits(module: nn.Module, inputs: PackedSequence) -> TypeGuard[nn.LSTM]:
    """Whether `run` may stand for the module, and is faster: training on a CPU, lengths differ, no projection."""
    sizes = inputs.batch_sizes
    return (
        type(module) is nn.LSTM
        and not module._forward_hooks
        and not module._forward_pre_hooks
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and inputs.sorted_indices is None
        and int(sizes[0]) != int(sizes[-1])
        and inputs.data.device.type == "cpu"
        and inputs.data.dtype == next(module.parameters()).dtype
        and module.proj_size == 0
    )


def _run_faster(module: nn.Module, inputs: PackedSequence, states: Any = None) -> Any:
    return run(module, inputs, states) if suits(module, inputs) else module(inputs, states)


def mend_encoder_base(module: ModuleType) -> None:
    """All encoders of AllenNLP that run a recurrent module pack its input here."""
    owner: Any = module._EncoderBase
    sort_and_run = owner.sort_and_run_forward

    @functools.wraps(sort_and_run)
    def sort_and_run_forward(self: Any, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return sort_and_run(self, functools.partial(_run_faster, module), *args, **kwargs)

    owner.sort_and_run_forward = sort_and_run_forward


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {"allennlp.modules.encoder_base": (mend_encoder_base,)}
