"""The language-model loss of one window, and its gradients, one thread a direction."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.lstm import LayerState, LstmWeights
from pytorch_elmo.model.lstm_fast import projected_lstm
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax, sampled_loss
from pytorch_elmo.model.threads import TwoThreads
from pytorch_elmo.pretraining.dropout import Dropout
from pytorch_elmo.pretraining.gradients import accumulate, accumulate_rows


class Negatives(NamedTuple):
    """Shared negative samples of one direction: ids (num_negatives,) int64, and the draws they took."""

    ids: Tensor
    num_tries: int


class DirectionBatch(NamedTuple):
    """What one direction reads and predicts: places (unroll_steps, batch_size) int64 into the window's distinct
    words, targets of the same shape into the vocabulary, and negatives (None: every word is a candidate).
    """

    places: Tensor
    targets: Tensor
    negatives: Negatives | None


class Window(NamedTuple):
    """What a step reads.

    characters: (num_words, num_characters) int64, the window's distinct words. batches: forward and backward.
    restarts: (unroll_steps, batch_size) bool, rows that begin anew at a step; None where there are none.
    rows: (num_rows,) int64, rising ids of all targets and negatives, those of other processes too; None: all ids.
    """

    characters: Tensor
    batches: tuple[DirectionBatch, DirectionBatch]
    restarts: Tensor | None = None
    rows: Tensor | None = None


class StepResult(NamedTuple):
    """Mean loss per position of each direction, in nats, and the state after the window."""

    losses: tuple[float, float]
    state: LstmState


class _Candidates(NamedTuple):
    """What of a softmax a window needs: some rows as leaves of their own graph, and their ids; or all, None."""

    weight: Tensor
    bias: Tensor
    rows: Tensor | None


class Objective:
    """Losses and gradients of a biLM and its softmax, accumulated in the parameters' `grad`.

    The directions share only the token vectors and the softmax: each runs in a thread of its own, the
    character encoder in two halves before and after them. No operation waits for another thread inside, so a
    busy machine costs its share and not more; sums are formed in a fixed order, so a run repeats bit for bit.

    With `rows` in a window, only those rows of the softmax are looked at; `sparse` leaves their gradient a sparse
    tensor. With `half`, matrix products are made in bfloat16, everything between them in float32.
    """

    def __init__(
        self,
        bilm: BiLM,
        softmax: Softmax | AdaptiveSoftmax,
        *,
        dropout: Dropout | None = None,
        sparse: bool = False,
        half: bool = False,
    ) -> None:
        self.bilm, self.softmax = bilm, softmax
        self.dropout = dropout or Dropout(0.0, seed=0)
        self._sparse = sparse
        self._half = torch.bfloat16 if half else None
        device = next(bilm.parameters()).device
        self._device_type = device.type
        self._threads = TwoThreads(alone=device.type != "cpu")

    def backward(self, window: Window, state: LstmState, scale: float = 1.0) -> StepResult:
        """Add the gradients of `scale` times the mean of both directions' losses.

        Args:
            window: what is read and predicted.
            state: before the window.
            scale: factor of the loss.
        """
        halves = self._threads.both(lambda half: self._encode(window.characters[half::2]))
        leaf = window.characters.new_empty(len(window.characters), halves[0].shape[1], dtype=halves[0].dtype)
        for half, vectors in enumerate(halves):
            leaf[half::2] = vectors.detach()
        encoder = [p for p in self.bilm.character_encoder.parameters() if p.requires_grad]
        leaf.requires_grad_(bool(encoder))
        candidates = self._candidates(window.rows)
        results = self._threads.both(lambda d: self._direction(d, leaf, window, candidates, state, scale / 2))
        self._add_gradients([gradients for _, gradients, _ in results], window.rows)
        if encoder:
            leaf_gradient = results[0][1][-1] + results[1][1][-1]
            for gradients in self._threads.both(
                lambda half: torch.autograd.grad(halves[half], encoder, leaf_gradient[half::2])
            ):
                accumulate(encoder, gradients)
        return StepResult((results[0][0], results[1][0]), LstmState.join([results[0][2], results[1][2]]))

    def _encode(self, characters: Tensor) -> Tensor:
        with self._autocast():
            vectors = self.bilm.character_encoder.encode_words(characters)
        return vectors.float() if self._half else vectors

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device_type, torch.bfloat16, enabled=self._half is not None)

    def _candidates(self, rows: Tensor | None) -> _Candidates | None:
        """The softmax's rows, which both directions share; None for an adaptive one, which is not sampled."""
        if not isinstance(self.softmax, Softmax):
            return None
        weight, bias = self.softmax.weight, self.softmax.bias
        if rows is None:
            return _Candidates(weight, bias, None)
        return _Candidates(weight.detach()[rows].requires_grad_(), bias.detach()[rows].requires_grad_(), rows)

    def _output_parameters(self, candidates: _Candidates | None) -> list[Tensor]:
        return list(self.softmax.parameters()) if candidates is None else [candidates.weight, candidates.bias]

    def _own(self, direction: int) -> list[Tensor]:
        """What one direction trains: its layers, and its half of a start state that is learned."""
        parameters = [p for weights in self.bilm.lstm.weights(direction) for p in weights]
        return [p for p in (*parameters, *(self.bilm.lstm.start or ())) if p.requires_grad]

    def _add_gradients(self, gradients: Sequence[tuple[Tensor, ...]], rows: Tensor | None) -> None:
        """Those of the softmax and of each direction's own parameters."""
        output = list(self.softmax.parameters())
        for direction, found in enumerate(gradients):
            own = self._own(direction)
            if rows is None:
                accumulate(output, found[: len(output)])
            accumulate(own, found[len(output) :][: len(own)])
        if rows is not None:
            sums = [a + b for a, b in zip(gradients[0][:2], gradients[1][:2], strict=True)]
            accumulate_rows(output, rows, sums, sparse=self._sparse)

    def _direction(
        self,
        direction: int,
        leaf: Tensor,
        window: Window,
        candidates: _Candidates | None,
        state: LstmState,
        scale: float,
    ) -> tuple[float, tuple[Tensor, ...], list[LayerState]]:
        """Mean loss, gradients of (softmax, own parameters, leaf if it is trained), final states."""
        batch = window.batches[direction]
        inputs = F.embedding(batch.places, leaf)
        vectors, states = self._top_layer(direction, inputs, state.direction(direction), window.restarts)
        loss = self._losses(vectors.flatten(0, 1), batch, candidates).mean()
        wanted = [*self._output_parameters(candidates), *self._own(direction)]
        wanted += [leaf] * leaf.requires_grad
        return loss.item(), torch.autograd.grad(loss * scale, wanted), states

    def _losses(self, vectors: Tensor, batch: DirectionBatch, candidates: _Candidates | None) -> Tensor:
        targets, negatives = batch.targets.flatten(), batch.negatives
        if negatives is None:
            with self._autocast():
                return self.softmax.full_loss(vectors, targets)
        assert candidates is not None
        weight, bias, rows = candidates
        places = (targets, negatives.ids)
        if rows is not None:
            places = (torch.searchsorted(rows, targets), torch.searchsorted(rows, negatives.ids))
        return sampled_loss(
            vectors,
            *places,
            negatives.num_tries,
            weight.to(self._half or vectors.dtype),
            bias,
            vocabulary_size=len(self.softmax.weight),  # type: ignore[arg-type]
            rows=rows,
        )

    def _top_layer(
        self, direction: int, inputs: Tensor, initial: list[LayerState], restarts: Tensor | None
    ) -> tuple[Tensor, list[LayerState]]:
        """Dropout stands before every layer and after the last; the skip connection adds the dropped input."""
        config, start, finals = self.bilm.config.lstm, self.bilm.lstm.start, []
        for index, weights in enumerate(self.bilm.lstm.weights(direction)):
            inputs = self.dropout(inputs, direction)
            states = projected_lstm(
                inputs,
                initial[index],
                self._rounded(weights),
                cell_clip=config.cell_clip,
                projection_clip=config.projection_clip,
                restarts=restarts,
                start=LayerState(*(part[0] for part in start.direction(direction)[index])) if start else None,
            )
            finals.append(LayerState(states.hidden[-1].detach(), states.cell[-1].detach()))
            skip = index > 0 and config.use_skip_connections
            inputs = states.hidden + inputs if skip else states.hidden
        return self.dropout(inputs, direction), finals

    def _rounded(self, weights: LstmWeights) -> LstmWeights:
        """The matrices in the dtype of the products."""
        if self._half is None:
            return weights
        matrices = (weights.input.to(self._half), weights.recurrent.to(self._half))
        return LstmWeights(*matrices, weights.bias, weights.projection.to(self._half))
