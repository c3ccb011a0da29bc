"""One projected LSTM layer with clipping, written to be read; `lstm_fast` has the same numbers, faster."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

FORGET_BIAS = 1.0


class LstmWeights(NamedTuple):
    """The parameters of one layer in one direction; gates in the order input, forget, candidate, output.

    input: (4 * cell_size, input_size). recurrent: (4 * cell_size, projection_size). bias: (4 * cell_size,),
    without the forget gate's constant `FORGET_BIAS`. projection: (projection_size, cell_size).
    """

    input: Tensor
    recurrent: Tensor
    bias: Tensor
    projection: Tensor


class LayerState(NamedTuple):
    """What one layer in one direction carries: hidden (batch_size, projection_size), cell (batch_size, cell_size)."""

    hidden: Tensor
    cell: Tensor


def clip(values: Tensor, bound: float | None) -> Tensor:
    """Values cut to [-bound, bound]; None or 0 leaves them as they are."""
    return values.clamp(-bound, bound) if bound else values


def restart(state: LayerState, rows: Tensor, start: LayerState | None = None) -> LayerState:
    """Put the rows, (batch_size,) bool, at which a new text begins into the start state; zeros if None.

    `start` holds one row: hidden (projection_size,), cell (cell_size,).
    """
    begins = rows.unsqueeze(-1)
    if start is None:
        return LayerState(state.hidden * ~begins, state.cell * ~begins)
    return LayerState(*(torch.where(begins, new, old) for new, old in zip(start, state, strict=True)))


def begin_anew(values: Tensor, rows: Tensor, start: Tensor | None) -> None:
    """Put the start, (size,), zeros if None, into the rows of `values`, (batch_size, size), with these indexes."""
    if start is None:
        values.index_fill_(0, rows, 0.0)
    else:
        values[rows] = start.to(values.dtype)


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
    """Run one layer over a window of time (Sak et al. 2014 without peepholes; elmo-spec section 3.1).

    Args:
        inputs: (num_tokens, batch_size, input_size) float, time first.
        initial: the state before the first step.
        weights: the layer's parameters.
        cell_clip: bound of the cell values that are carried, None or 0 for none.
        projection_clip: bound of the projected values, None or 0 for none.
        restarts: (num_tokens, batch_size) bool; True: this row begins anew at this step.
        start: what it then begins from, one row (see `restart`); zeros if None.

    Returns:
        The state after every step: hidden (num_tokens, batch_size, projection_size), which is also the output,
        and cell (num_tokens, batch_size, cell_size).
    """
    state, states = initial, []
    for step, vectors in enumerate(inputs):
        if restarts is not None:
            state = restart(state, restarts[step], start)
        state = lstm_step(vectors, state, weights, cell_clip, projection_clip)
        states.append(state)
    return LayerState(torch.stack([s.hidden for s in states]), torch.stack([s.cell for s in states]))


def lstm_step(
    vectors: Tensor, state: LayerState, weights: LstmWeights, cell_clip: float | None, projection_clip: float | None
) -> LayerState:
    """One step: the state after reading `vectors`, (batch_size, input_size)."""
    gates = vectors @ weights.input.T + state.hidden @ weights.recurrent.T + weights.bias
    input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=-1)
    kept = torch.sigmoid(forget_gate + FORGET_BIAS) * state.cell
    cell = clip(kept + torch.sigmoid(input_gate) * torch.tanh(candidate), cell_clip)
    hidden = (torch.sigmoid(output_gate) * torch.tanh(cell)) @ weights.projection.T
    return LayerState(clip(hidden, projection_clip), cell)


class ProjectedLstm(nn.Module):
    """The parameters of one layer in one direction, under AllenNLP's names.

    The forget gate's constant 1.0 stands in no weight file and is added when the layer runs, so that a weight
    file survives the way in and out bit for bit. AllenNLP's state_dicts hold it inside the bias: it is added when
    a state_dict is made and taken away when one is loaded. Where the sum that is loaded is the sum that this
    layer would save, its own, more exact bias stays.
    """

    def __init__(self, input_size: int, cell_size: int, projection_size: int) -> None:
        super().__init__()
        self.cell_size = cell_size
        self.input_linearity = nn.Linear(input_size, 4 * cell_size, bias=False)
        self.state_linearity = nn.Linear(projection_size, 4 * cell_size)
        self.state_projection = nn.Linear(cell_size, projection_size, bias=False)
        self.register_state_dict_post_hook(_add_forget_bias)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_take_forget_bias)  # type: ignore[no-untyped-call]

    @property
    def weights(self) -> LstmWeights:
        """The parameters as `projected_lstm` takes them."""
        return LstmWeights(
            self.input_linearity.weight,
            self.state_linearity.weight,
            self.state_linearity.bias,
            self.state_projection.weight,
        )


_BIAS = "state_linearity.bias"


def _forget_block(bias: Tensor) -> slice:
    cell_size = len(bias) // 4
    return slice(cell_size, 2 * cell_size)


def _add_forget_bias(module: nn.Module, state_dict: dict[str, Tensor], prefix: str, metadata: object) -> None:
    bias = state_dict[prefix + _BIAS].clone()
    bias[_forget_block(bias)] += FORGET_BIAS
    state_dict[prefix + _BIAS] = bias


def _take_forget_bias(module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *unused: object) -> None:
    loaded = state_dict.get(prefix + _BIAS)
    own = module.get_parameter(_BIAS)
    if loaded is None or loaded.shape != own.shape:
        return
    forget = _forget_block(loaded)
    exact = own.detach()[forget].to(loaded)
    bias = loaded.clone()
    bias[forget] = torch.where(exact + FORGET_BIAS == loaded[forget], exact, loaded[forget] - FORGET_BIAS)
    state_dict[prefix + _BIAS] = bias
