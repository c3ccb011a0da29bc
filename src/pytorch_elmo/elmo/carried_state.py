"""AllenNLP's carried state: what each batch row ended with, kept for the next call."""

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model.bidirectional_lstm import BidirectionalLstm, LstmState


class CarriedState:
    """The LSTM states of batch rows from call to call (elmo-spec 3.3).

    A larger batch than before adds rows in the biLM's start state (zeros, where it names none); a smaller one uses
    and updates the first rows and leaves the others as they are.
    """

    def __init__(self) -> None:
        self.state: LstmState | None = None

    def rows(self, lstm: BidirectionalLstm, batch_size: int) -> LstmState:
        """The states that the first `batch_size` rows start from, on the network's device."""
        fresh = lstm.start_state(batch_size)
        if self.state is None:
            return fresh
        return LstmState(*(_first_rows(old, new) for old, new in zip(self.state, fresh, strict=True)))

    def update(self, final: LstmState) -> None:
        """Keep what the rows of a call ended with."""
        if self.state is not None:
            final = LstmState(*(_with_tail(new, old) for new, old in zip(final, self.state, strict=True)))
        self.state = final

    def reset(self, mask: Tensor | None = None) -> None:
        """Forget all rows, or those where `mask`, (num_rows,), is true.

        Raises:
            ConfigurationError: the mask is not as long as there are rows.
        """
        if mask is None or self.state is None:
            self.state = None
            return
        if len(mask) != self.state.hidden.shape[1]:
            raise ConfigurationError(
                f"the mask needs one entry per carried row ({self.state.hidden.shape[1]}), got {len(mask)}"
            )
        keep = ~mask.bool().to(self.state.hidden.device)[None, :, None]
        self.state = LstmState(self.state.hidden * keep, self.state.cell * keep)


def _first_rows(old: Tensor, fresh: Tensor) -> Tensor:
    shared = min(old.shape[1], fresh.shape[1])
    return torch.cat([old[:, :shared].to(fresh), fresh[:, shared:]], dim=1)


def _with_tail(new: Tensor, old: Tensor) -> Tensor:
    return torch.cat([new, old[:, new.shape[1] :].to(new)], dim=1)
