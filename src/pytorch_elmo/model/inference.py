"""The frozen biLM, fast: packed weights, lanes of sentences, one thread a direction (see `lanes`, `word_tables`)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.bilm import BiLM
from pytorch_elmo.model.lanes import LanePlan, LaneSteps, choose_num_lanes, group_by_length, lane_steps, plan_lanes
from pytorch_elmo.model.lstm import FORGET_BIAS, LayerState, LstmWeights, begin_anew
from pytorch_elmo.model.packed_linear import Linear, Packing, best_packing, pack, refuse_slow_precision
from pytorch_elmo.model.threads import TwoThreads
from pytorch_elmo.model.word_tables import WordTables


class PackedLayer(NamedTuple):
    """One layer in one direction: gates of [input; hidden] in the order input, forget, candidate, output.

    tanh(x) is computed as 2 sigmoid(2 x) - 1, so that one operation serves all gates: it is several times faster
    where the vector mathematics library knows the processor's maker too well, and not slower elsewhere. The
    candidate's weights and the projection hold the factors 2, which change no digit.
    """

    gates: Linear
    projection: Linear
    cell_size: int


class InferenceBiLM:
    """What a frozen `BiLM` computes, several times faster; equal to it but for rounding.

    Matrix products run in `dtype` with sums in float32; states, gates and results are float32. A text begins from
    `start`, a state of one row; from the biLM's own if that is None.

    Raises:
        ConfigurationError: half precision on a processor that has no arithmetic for it.
    """

    def __init__(
        self,
        bilm: BiLM,
        *,
        dtype: torch.dtype = torch.float32,
        packing: Packing | None = None,
        start: LstmState | None = None,
    ) -> None:
        self.device = bilm.lstm.layers(0)[0].state_linearity.bias.device
        refuse_slow_precision(self.device, dtype)
        self.config, self.dtype = bilm.config, dtype
        self.packing = packing or best_packing(self.device, dtype)
        self.boundaries = bilm.boundaries
        self._words = WordTables(bilm.character_encoder, packing=self.packing, dtype=dtype)
        self._layers = [[self._pack(weights) for weights in bilm.lstm.weights(d)] for d in range(2)]
        start = start or bilm.lstm.start
        self._start = None if start is None else [_rows(start.direction(d)) for d in range(2)]
        self._threads = TwoThreads() if self.device.type == "cpu" else None

    @torch.no_grad()
    def encode_words(self, character_ids: Tensor) -> Tensor:
        """Token embeddings (num_words, projection_size) float32 of (num_words, num_characters) int64 ids."""
        return self._words.encode(character_ids.to(self.device))

    @torch.no_grad()
    def embed(
        self, token_embeddings: Tensor, sentences: Sequence[NDArray[np.int64]], *, boundaries: bool = True
    ) -> list[Tensor]:
        """All layers of each sentence, every sentence from the biLM's start state.

        Args:
            token_embeddings: (num_words, projection_size) float32.
            sentences: for each the places of its tokens in `token_embeddings`, sentence boundaries included.
            boundaries: whether the vectors of the boundaries are wanted too.

        Returns:
            For each sentence (num_layers, num_tokens, dim) float32.
        """
        lengths = np.array([len(tokens) for tokens in sentences], dtype=np.int64)
        results: list[Tensor] = [torch.empty(0)] * len(sentences)
        for group in group_by_length(lengths) if len(lengths) else []:
            plan = plan_lanes(lengths[group], choose_num_lanes(lengths[group]))
            members = [sentences[index] for index in group]
            embedded = self._embed_group(token_embeddings, members, plan, 0 if boundaries else 1)
            for index, vectors in zip(group, embedded, strict=True):
                results[index] = vectors
        return results

    @torch.no_grad()
    def run_lanes(
        self, direction: int, token_embeddings: Tensor, steps: LaneSteps, initial: list[LayerState] | None = None
    ) -> tuple[Tensor, list[LayerState]]:
        """Run one direction's layers over all steps of some lanes.

        Args:
            direction: 0 forward, 1 backward.
            token_embeddings: (num_words, projection_size) float32.
            steps: what each lane reads, and where it begins anew.
            initial: each layer's state before the first step; the start state if None.

        Returns:
            Outputs (num_lstm_layers, num_steps, num_lanes, projection_size) float32 and each layer's final state.
        """
        num_steps, num_lanes = steps.places.shape
        size, num_layers = token_embeddings.shape[1], self.config.lstm.num_lstm_layers
        inputs = token_embeddings[steps.places.to(self.device)]
        outputs = inputs.new_empty(num_layers, num_steps, num_lanes, size)
        restarts = [None if lanes is None else lanes.to(self.device) for lanes in steps.restarts]
        finals = []
        for index, layer in enumerate(self._layers[direction]):
            start = self._start[direction][index] if self._start else None
            state = initial[index] if initial else start_rows(start, inputs, num_lanes, layer.cell_size)
            finals.append(self._run_layer(layer, inputs, restarts, state, start, outputs[index]))
            if index > 0 and self.config.lstm.use_skip_connections:
                outputs[index] += inputs
            inputs = outputs[index]
        return outputs, finals

    def _run_layer(
        self,
        layer: PackedLayer,
        inputs: Tensor,
        restarts: list[Tensor | None],
        state: LayerState,
        start: LayerState | None,
        outputs: Tensor,
    ) -> LayerState:
        """Fill `outputs` (num_steps, num_lanes, projection_size) with the layer's hidden vectors, in place."""
        size, cell_size, bounds = outputs.shape[-1], layer.cell_size, self.config.lstm
        joined = torch.empty(outputs.shape[1], 2 * size, dtype=self.dtype, device=self.device)
        current, hidden = joined[:, :size], joined[:, size:]
        hidden.copy_(state.hidden)
        cell, squashed = state.cell.clone(), torch.empty_like(state.cell)
        for step, lanes in enumerate(restarts):
            current.copy_(inputs[step])
            if lanes is not None:
                begin_anew(hidden, lanes, start and start.hidden)
                begin_anew(cell, lanes, start and start.cell)
            gates = layer.gates(joined).float().sigmoid_()
            admit, keep, candidate, show = gates.split(cell_size, dim=-1)
            cell.mul_(keep).addcmul_(admit, candidate, value=2.0).sub_(admit)
            if bounds.cell_clip:
                cell.clamp_(-bounds.cell_clip, bounds.cell_clip)
            torch.mul(cell, 2.0, out=squashed).sigmoid_().sub_(0.5).mul_(show)
            outputs[step] = layer.projection(squashed.to(self.dtype))
            if bounds.projection_clip:
                outputs[step].clamp_(-bounds.projection_clip, bounds.projection_clip)
            hidden.copy_(outputs[step])
        return LayerState(hidden.float(), cell)

    def _embed_group(
        self, token_embeddings: Tensor, sentences: list[NDArray[np.int64]], plan: LanePlan, trim: int
    ) -> list[Tensor]:
        forward, backward = self._both(
            lambda d: self.run_lanes(d, token_embeddings, lane_steps(plan, sentences, backward=d == 1))[0]
        )
        results = []
        for lane, start, tokens in zip(plan.lane, plan.start, sentences, strict=True):
            steps, size = slice(start + trim, start + len(tokens) - trim), token_embeddings.shape[1]
            inner = torch.from_numpy(tokens[trim : len(tokens) - trim]).to(self.device)
            vectors = forward.new_empty(self.config.num_layers, len(inner), self.config.dim)
            vectors[0].unflatten(-1, (2, size)).copy_(token_embeddings[inner].unsqueeze(1))
            vectors[1:, :, :size] = forward[:, steps, lane]
            vectors[1:, :, size:] = backward[:, steps, lane].flip(1)
            results.append(vectors)
        return results

    def _both(self, job: Callable[[int], Tensor]) -> list[Tensor]:
        return self._threads.both(job) if self._threads else [job(0), job(1)]

    def _pack(self, weights: LstmWeights) -> PackedLayer:
        joined = torch.cat([weights.input, weights.recurrent], dim=1).detach()
        bias = weights.bias.detach().clone()
        cell_size = len(bias) // 4
        bias[cell_size : 2 * cell_size] += FORGET_BIAS
        candidate = slice(2 * cell_size, 3 * cell_size)
        joined[candidate] *= 2.0
        bias[candidate] *= 2.0
        return PackedLayer(
            pack(joined.to(self.dtype), bias.to(self.dtype), self.packing),
            pack(2.0 * weights.projection.detach().to(self.dtype), None, self.packing),
            cell_size,
        )


def start_rows(start: LayerState | None, like: Tensor, num_lanes: int, cell_size: int) -> LayerState:
    """The state of lanes that have not begun, from one row of it; zeros if None."""
    if start is None:
        return LayerState(like.new_zeros(num_lanes, like.shape[-1]), like.new_zeros(num_lanes, cell_size))
    return LayerState(*(part.expand(num_lanes, -1) for part in start))


def _rows(states: list[LayerState]) -> list[LayerState]:
    """The states of one batch row, without the batch's axis, float32."""
    return [LayerState(*(part[0].detach().float() for part in state)) for state in states]
