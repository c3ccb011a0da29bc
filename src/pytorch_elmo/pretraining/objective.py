"""The language-model loss of one window, and its gradients, one thread a direction."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.lstm import LayerState
from pytorch_elmo.model.lstm_fast import projected_lstm
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.model.threads import TwoThreads


class Negatives(NamedTuple):
    """Shared negative samples of one direction: ids (num_negatives,) int64, and the draws they took."""

    ids: Tensor
    num_tries: int


class DirectionBatch(NamedTuple):
    """What one direction reads and predicts: places (unroll_steps, batch_size) int64 into the window's distinct
    words, targets of the same shape into the vocabulary, and negatives (None: full softmax).
    """

    places: Tensor
    targets: Tensor
    negatives: Negatives | None


class StepResult(NamedTuple):
    """Mean loss per position of each direction, in nats, and the state after the window."""

    losses: tuple[float, float]
    state: LstmState


def accumulate(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    """Add gradients to what the parameters hold already."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)


class Objective:
    """Losses and gradients of a biLM and its softmax, accumulated in the parameters' `grad`.

    The two directions share nothing but the token vectors and the softmax: each runs in a thread of its own, the
    character encoder in two halves before and after them. No operation waits for another thread inside, so a
    busy machine costs its share and not more; sums are formed in a fixed order, so a run repeats bit for bit.
    """

    def __init__(self, bilm: BiLM, softmax: Softmax, *, dropout: float, seed: int) -> None:
        self.bilm, self.softmax, self.dropout = bilm, softmax, dropout
        self.generators = [torch.Generator().manual_seed(2 * seed + direction) for direction in range(2)]
        self._threads = TwoThreads()

    def backward(
        self,
        characters: Tensor,
        batches: tuple[DirectionBatch, DirectionBatch],
        state: LstmState,
        restarts: Tensor | None,
        scale: float = 1.0,
    ) -> StepResult:
        """Add the gradients of `scale` times the mean of both directions' losses.

        Args:
            characters: (num_words, num_characters) int64, the window's distinct words.
            batches: forward and backward.
            state: before the window.
            restarts: (unroll_steps, batch_size) bool, rows that start from zeros at a step.
            scale: factor of the loss.
        """
        halves = self._threads.both(lambda half: self.bilm.character_encoder.encode_words(characters[half::2]))
        leaf = characters.new_empty(len(characters), halves[0].shape[1], dtype=halves[0].dtype)
        for half, vectors in enumerate(halves):
            leaf[half::2] = vectors.detach()
        leaf.requires_grad_()
        results = self._threads.both(
            lambda d: self._direction(d, leaf, batches[d], state.direction(d), restarts, scale / 2)
        )
        leaf_gradient = results[0][1][0] + results[1][1][0]
        for direction, (_, gradients, _) in enumerate(results):
            accumulate([*self._shared(), *self._own(direction)], gradients[1:])
        encoder = list(self.bilm.character_encoder.parameters())
        for gradients in self._threads.both(
            lambda half: torch.autograd.grad(halves[half], encoder, leaf_gradient[half::2])
        ):
            accumulate(encoder, gradients)
        return StepResult((results[0][0], results[1][0]), LstmState.join([results[0][2], results[1][2]]))

    def _shared(self) -> list[Tensor]:
        return [self.softmax.weight, self.softmax.bias]

    def _own(self, direction: int) -> list[Tensor]:
        return [parameter for weights in self.bilm.lstm.weights(direction) for parameter in weights]

    def _direction(
        self,
        direction: int,
        leaf: Tensor,
        batch: DirectionBatch,
        initial: list[LayerState],
        restarts: Tensor | None,
        scale: float,
    ) -> tuple[float, tuple[Tensor, ...], list[LayerState]]:
        """Mean loss, gradients of (leaf, softmax, own parameters), final states."""
        vectors, states = self._top_layer(direction, F.embedding(batch.places, leaf), initial, restarts)
        flat, targets = vectors.flatten(0, 1), batch.targets.flatten()
        if batch.negatives is None:
            losses = self.softmax.full_loss(flat, targets)
        else:
            losses = self.softmax.sampled_loss(flat, targets, *batch.negatives)
        loss = losses.mean()
        gradients = torch.autograd.grad(loss * scale, [leaf, *self._shared(), *self._own(direction)])
        return loss.item(), gradients, states

    def _top_layer(
        self, direction: int, inputs: Tensor, initial: list[LayerState], restarts: Tensor | None
    ) -> tuple[Tensor, list[LayerState]]:
        """Dropout stands before every layer and after the last; the skip connection adds the dropped input."""
        config, finals = self.bilm.config.lstm, []
        for index, weights in enumerate(self.bilm.lstm.weights(direction)):
            inputs = self._drop(inputs, direction)
            states = projected_lstm(
                inputs,
                initial[index],
                weights,
                cell_clip=config.cell_clip,
                projection_clip=config.projection_clip,
                restarts=restarts,
            )
            finals.append(LayerState(states.hidden[-1].detach(), states.cell[-1].detach()))
            skip = index > 0 and config.use_skip_connections
            inputs = states.hidden + inputs if skip else states.hidden
        return self._drop(inputs, direction), finals

    def _drop(self, vectors: Tensor, direction: int) -> Tensor:
        if not self.dropout:
            return vectors
        keep = torch.empty_like(vectors).bernoulli_(1.0 - self.dropout, generator=self.generators[direction])
        return vectors * keep.div_(1.0 - self.dropout)
