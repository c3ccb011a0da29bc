"""The layer of `lstm.projected_lstm`, with the gradient written out.

Autograd would keep a dozen tensors a step and multiply each step's weight gradients on its own. Here a step
works in place on buffers for the whole window, and each weight gradient is one matrix product over all steps.
"""

from typing import Any

import torch
from torch import Tensor

from pytorch_elmo.model.lstm import FORGET_BIAS, LayerState, LstmWeights, begin_anew


def projected_lstm(
    inputs: Tensor,
    initial: LayerState,
    weights: LstmWeights,
    *,
    cell_clip: float | None,
    projection_clip: float | None,
    restarts: Tensor | None = None,
    start: LayerState | None = None,
) -> LayerState:
    """As `lstm.projected_lstm`; no gradient flows to `initial` nor out of the returned cells.

    Matrices in half precision (the bias is not) make the products in it, with float32 between them.
    """
    clips = (cell_clip or None, projection_clip or None)
    hidden, cell = _ProjectedLstm.apply(  # type: ignore[no-untyped-call]
        inputs, *initial, *weights, *clips, restarts, *(start or (None, None))
    )
    return LayerState(hidden, cell)


def _restart_rows(restarts: Tensor | None, num_tokens: int) -> list[Tensor | None]:
    """For each step the indexes of the rows that start anew, None where there are none."""
    if restarts is None:
        return [None] * num_tokens
    rows = [row.nonzero().flatten() for row in restarts]
    return [row if len(row) else None for row in rows]


def product(values: Tensor, matrix: Tensor) -> Tensor:
    """`values @ matrix`, made in the dtype of the matrix, given in that of the values."""
    return (values.to(matrix.dtype) @ matrix).to(values.dtype)


def put_product(total: Tensor, values: Tensor, matrix: Tensor, *, keep: bool) -> None:
    """Write `product(values, matrix)` into `total`, or add it to what `total` keeps."""
    if matrix.dtype == total.dtype:
        total.addmm_(values, matrix, beta=int(keep))
    elif keep:
        total.add_(values.to(matrix.dtype) @ matrix)
    else:
        total.copy_(values.to(matrix.dtype) @ matrix)


class _Window:
    """Buffers of one window: activated gates, cells, squashed cells, outputs before and after projection."""

    def __init__(self, inputs: Tensor, weights: LstmWeights) -> None:
        num_tokens, batch_size, _ = inputs.shape
        projection_size, cell_size = weights.projection.shape
        bias = weights.bias.clone()
        bias[cell_size : 2 * cell_size] += FORGET_BIAS
        self.gates = inputs.new_empty(num_tokens, batch_size, 4 * cell_size).copy_(bias)
        put_product(self.gates.flatten(0, 1), inputs.flatten(0, 1), weights.input.T, keep=True)
        self.cells = inputs.new_empty(num_tokens, batch_size, cell_size)
        self.squashed = torch.empty_like(self.cells)
        self.outputs = torch.empty_like(self.cells)
        self.hidden = inputs.new_empty(num_tokens, batch_size, projection_size)
        self.previous_hidden = torch.empty_like(self.hidden)
        self.previous_cells = torch.empty_like(self.cells)


class _ProjectedLstm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        hidden: Tensor,
        cell: Tensor,
        w_input: Tensor,
        w_recurrent: Tensor,
        bias: Tensor,
        w_projection: Tensor,
        cell_clip: float | None,
        projection_clip: float | None,
        restarts: Tensor | None,
        start_hidden: Tensor | None,
        start_cell: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        weights = LstmWeights(w_input, w_recurrent, bias, w_projection)
        window = _Window(inputs, weights)
        rows_by_step = _restart_rows(restarts, len(inputs))
        for step, rows in enumerate(rows_by_step):
            _carry(window.previous_hidden[step], hidden, rows, start_hidden)
            _carry(window.previous_cells[step], cell, rows, start_cell)
            _step(window, step, weights, cell_clip, projection_clip)
            hidden, cell = window.hidden[step], window.cells[step]
        ctx.clips, ctx.rows_by_step = (cell_clip, projection_clip), rows_by_step
        ctx.save_for_backward(inputs, *weights, *vars(window).values())
        ctx.mark_non_differentiable(window.cells)
        return window.hidden, window.cells

    @staticmethod
    def backward(ctx: Any, grad_hidden: Tensor, grad_cells: Tensor) -> tuple[Tensor | None, ...]:
        inputs, *saved = ctx.saved_tensors
        weights, window = LstmWeights(*saved[:4]), _Window.__new__(_Window)
        names = ("gates", "cells", "squashed", "outputs", "hidden", "previous_hidden", "previous_cells")
        for name, tensor in zip(names, saved[4:], strict=True):
            setattr(window, name, tensor)
        cell_clip, projection_clip = ctx.clips
        grad_gates, grad_projected, *grad_start = _back_through_time(
            window, grad_hidden, weights, cell_clip, projection_clip, ctx.rows_by_step
        )
        dtype = weights.input.dtype
        gates, projected = grad_gates.flatten(0, 1).to(dtype), grad_projected.flatten(0, 1).to(dtype)

        def over_time(gradient: Tensor, values: Tensor, wanted: int) -> Tensor | None:
            return gradient.T @ values.flatten(0, 1).to(dtype) if ctx.needs_input_grad[wanted] else None

        return (
            (gates @ weights.input).view_as(inputs).to(inputs.dtype) if ctx.needs_input_grad[0] else None,
            None,
            None,
            over_time(gates, inputs, 3),
            over_time(gates, window.previous_hidden, 4),
            grad_gates.sum(dim=(0, 1)) if ctx.needs_input_grad[5] else None,
            over_time(projected, window.outputs, 6),
            None,
            None,
            None,
            *(part if wanted else None for part, wanted in zip(grad_start, ctx.needs_input_grad[10:], strict=True)),
        )


def _carry(into: Tensor, state: Tensor, rows: Tensor | None, start: Tensor | None) -> None:
    """What a step starts from: the state before it, and in the rows that begin anew the start, zeros if None."""
    into.copy_(state)
    if rows is not None:
        begin_anew(into, rows, start)


def _step(
    window: _Window, step: int, weights: LstmWeights, cell_clip: float | None, projection_clip: float | None
) -> None:
    """Fill the window's buffers at `step` from the state before it."""
    before, carried = window.previous_hidden[step], window.previous_cells[step]
    gates, cells, size = window.gates[step], window.cells[step], window.cells.shape[-1]
    put_product(gates, before, weights.recurrent.T, keep=True)
    gates[:, : 2 * size].sigmoid_()
    gates[:, 2 * size : 3 * size].tanh_()
    gates[:, 3 * size :].sigmoid_()
    torch.mul(gates[:, size : 2 * size], carried, out=cells)
    cells.addcmul_(gates[:, :size], gates[:, 2 * size : 3 * size])
    if cell_clip is not None:
        cells.clamp_(-cell_clip, cell_clip)
    torch.tanh(cells, out=window.squashed[step])
    torch.mul(gates[:, 3 * size :], window.squashed[step], out=window.outputs[step])
    put_product(window.hidden[step], window.outputs[step], weights.projection.T, keep=False)
    if projection_clip is not None:
        window.hidden[step].clamp_(-projection_clip, projection_clip)


def _back_through_time(
    window: _Window,
    grad_hidden: Tensor,
    weights: LstmWeights,
    cell_clip: float | None,
    projection_clip: float | None,
    rows_by_step: list[Tensor | None],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of the gates before activation and of the projection before clipping, for every step; then those of
    the hidden and the cell vector that rows begin anew from.
    """
    size = window.cells.shape[-1]
    start_hidden, start_cell = torch.zeros_like(window.hidden[0, 0]), torch.zeros_like(window.cells[0, 0])
    grad_gates = torch.empty_like(window.gates)
    grad_projected = grad_hidden.clone()
    grad_cell = torch.zeros_like(window.cells[0])
    for step in reversed(range(len(window.gates))):
        projected, gates, out = grad_projected[step], window.gates[step], grad_gates[step]
        input_gate, forget_gate, candidate, output_gate = gates.split(size, dim=-1)
        grad_input, grad_forget, grad_candidate, grad_output = out.split(size, dim=-1)
        if projection_clip is not None:
            projected.mul_(window.hidden[step].abs() < projection_clip)
        grad_outputs = product(projected, weights.projection)
        sigmoid_backward(grad_outputs * window.squashed[step], output_gate, grad_output)
        grad_cell += torch.ops.aten.tanh_backward(grad_outputs.mul_(output_gate), window.squashed[step])
        if cell_clip is not None:
            grad_cell.mul_(window.cells[step].abs() < cell_clip)
        sigmoid_backward(grad_cell * candidate, input_gate, grad_input)
        sigmoid_backward(grad_cell * window.previous_cells[step], forget_gate, grad_forget)
        torch.ops.aten.tanh_backward.grad_input(grad_cell * input_gate, candidate, grad_input=grad_candidate)
        rows = rows_by_step[step]
        if step == 0 and rows is None:
            break
        grad_cell.mul_(forget_gate)
        grad_before = product(out, weights.recurrent)
        if rows is not None:
            start_hidden += grad_before[rows].sum(dim=0)
            start_cell += grad_cell[rows].sum(dim=0)
            grad_cell.index_fill_(0, rows, 0.0)
            grad_before.index_fill_(0, rows, 0.0)
        if step > 0:
            grad_projected[step - 1] += grad_before
    return grad_gates, grad_projected, start_hidden, start_cell


def sigmoid_backward(grad: Tensor, output: Tensor, into: Tensor) -> None:
    """Write `grad * output * (1 - output)` into `into`."""
    torch.ops.aten.sigmoid_backward.grad_input(grad, output, grad_input=into)
