"""Two independent stacks of projected LSTM layers, one reading forward and one backward."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.config import LstmConfig
from pytorch_elmo.model.lstm import LayerState, LstmWeights, ProjectedLstm
from pytorch_elmo.model.lstm_fast import projected_lstm

DIRECTIONS = ("forward", "backward")


class LstmState(NamedTuple):
    """What a batch carries from one call to the next, the forward half first in the last axis.

    hidden: (num_lstm_layers, batch_size, 2 * projection_size). cell: (num_lstm_layers, batch_size, 2 * cell_size).
    """

    hidden: Tensor
    cell: Tensor

    def direction(self, index: int) -> list[LayerState]:
        """The states of one direction's layers."""
        hidden, cell = self.hidden.chunk(2, dim=-1)[index], self.cell.chunk(2, dim=-1)[index]
        return [LayerState(h, c) for h, c in zip(hidden, cell, strict=True)]

    @staticmethod
    def join(directions: list[list[LayerState]]) -> "LstmState":
        """The inverse of `direction`, for both directions at once."""
        hidden = torch.cat([torch.stack([state.hidden for state in layers]) for layers in directions], dim=-1)
        cell = torch.cat([torch.stack([state.cell for state in layers]) for layers in directions], dim=-1)
        return LstmState(hidden, cell)


class BidirectionalLstm(nn.Module):
    """All LSTM layers of a biLM; parameter names are those of AllenNLP's `ElmoLstm`.

    Attributes:
        start: what a text begins from, an `LstmState` of one row; None: zeros. It is no parameter and stands in no
            state_dict, for AllenNLP's networks have none.
    """

    start_hidden: Tensor | None
    start_cell: Tensor | None

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        size = config.projection_size
        for layer in range(config.num_lstm_layers):
            for direction in DIRECTIONS:
                self.add_module(f"{direction}_layer_{layer}", ProjectedLstm(size, config.cell_size, size))
        self.register_buffer("start_hidden", None, persistent=False)
        self.register_buffer("start_cell", None, persistent=False)

    @property
    def start(self) -> LstmState | None:
        """See the class."""
        if self.start_hidden is None or self.start_cell is None:
            return None
        return LstmState(self.start_hidden, self.start_cell)

    @start.setter
    def start(self, state: LstmState | None) -> None:
        zeros = self.zero_state(1)
        if state is not None and any(a.shape != b.shape for a, b in zip(state, zeros, strict=True)):
            shapes, needed = ([tuple(part.shape) for part in each] for each in (state, zeros))
            raise ConfigurationError(f"a start state of this biLM has shapes {needed}, got {shapes}; give another")
        self.start_hidden, self.start_cell = state or (None, None)

    def layers(self, direction: int) -> list[ProjectedLstm]:
        """The layers of one direction (0 forward, 1 backward), lowest first."""
        name = DIRECTIONS[direction]
        return [self.get_submodule(f"{name}_layer_{i}") for i in range(self.config.num_lstm_layers)]  # type: ignore[misc]

    def weights(self, direction: int) -> list[LstmWeights]:
        """The parameters of one direction's layers."""
        return [layer.weights for layer in self.layers(direction)]

    def zero_state(self, batch_size: int) -> LstmState:
        """The state of texts that have not begun."""
        config, like = self.config, self.layers(0)[0].state_linearity.bias.detach()
        return LstmState(
            like.new_zeros(config.num_lstm_layers, batch_size, 2 * config.projection_size),
            like.new_zeros(config.num_lstm_layers, batch_size, 2 * config.cell_size),
        )

    def start_state(self, batch_size: int) -> LstmState:
        """The state from which a batch of texts begins."""
        if self.start is None:
            return self.zero_state(batch_size)
        return LstmState(*(part.expand(-1, batch_size, -1).contiguous() for part in self.start))

    def forward(
        self, inputs: Tensor, mask: Tensor, initial: LstmState | None = None
    ) -> tuple[list[Tensor], LstmState]:
        """Read every row in both directions.

        Args:
            inputs: (batch_size, num_tokens, projection_size) float.
            mask: (batch_size, num_tokens) bool, rows padded on the right; a row without any token keeps its state.
            initial: the state to begin with; the start state if None.

        Returns:
            For each layer (batch_size, num_tokens, 2 * projection_size), zero where padded, and the state after
            the last token of each row (backward: after the first), detached.
        """
        initial = initial or self.start_state(len(inputs))
        lengths = mask.sum(dim=1)
        time_first = inputs.transpose(0, 1)
        outputs, finals = [], []
        for direction in range(2):
            order = reading_order(lengths, mask.shape[1], backward=direction == 1)
            read, final = self._read(reorder(time_first, order), lengths, direction, initial.direction(direction))
            outputs.append([reorder(layer, order) for layer in read])
            finals.append(final)
        visible = mask.unsqueeze(-1)
        joined = [torch.cat(both, dim=-1).transpose(0, 1) * visible for both in zip(*outputs, strict=True)]
        return joined, LstmState.join(finals)

    def _read(
        self, inputs: Tensor, lengths: Tensor, direction: int, initial: list[LayerState]
    ) -> tuple[list[Tensor], list[LayerState]]:
        """Outputs (num_tokens, batch_size, projection_size) of each layer in reading order, and final states."""
        config, outputs, finals = self.config, [], []
        for index, weights in enumerate(self.weights(direction)):
            states = projected_lstm(
                inputs, initial[index], weights, cell_clip=config.cell_clip, projection_clip=config.projection_clip
            )
            finals.append(last_state(states, lengths, initial[index]))
            skip = index > 0 and config.use_skip_connections
            inputs = states.hidden + inputs if skip else states.hidden
            outputs.append(inputs)
        return outputs, finals


def reading_order(lengths: Tensor, num_tokens: int, *, backward: bool) -> Tensor:
    """Position read at each step, (num_tokens, batch_size) int64; backward begins at each row's last token."""
    steps = torch.arange(num_tokens, device=lengths.device).unsqueeze(-1).expand(-1, len(lengths))
    return torch.where(steps < lengths, lengths - 1 - steps, steps) if backward else steps


def reorder(time_first: Tensor, order: Tensor) -> Tensor:
    """Take each row's positions in `order`; a reading order is its own inverse."""
    return time_first.gather(0, order.unsqueeze(-1).expand_as(time_first))


def last_state(states: LayerState, lengths: Tensor, initial: LayerState) -> LayerState:
    """Each row's state after its last token, the initial one where there is none; detached."""
    last = (lengths - 1).clamp(min=0)
    rows = torch.arange(len(lengths), device=lengths.device)
    empty = (lengths == 0).unsqueeze(-1)
    return LayerState(
        *(torch.where(empty, old, new.detach()[last, rows]) for old, new in zip(initial, states, strict=True))
    )
