"""Two of AllenNLP's encoders with less work: the same numbers, and the same gradients, in less time.

Task models spend much of a training step there once ELMo's vectors are read or fast: in the convolution over
characters beside the word vectors (NER, SQuAD), and in the LSTM of SRL.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

States = tuple[Tensor, Tensor]  # what was put out, and the memory; (num_rows, hidden_size) each


def mend_token_characters(module: ModuleType) -> None:
    """The CNN over a word's characters depends on the word alone: each distinct word of a batch meets it once.

    AllenNLP runs it on every token and on all padding; what comes out is the same to 1e-6. An encoder that is not
    the CNN may have dropout of its own, for each token another, and stays as it is; so does a GPU, where finding the
    distinct words has not been measured.
    """
    owner: Any = module.TokenCharactersEncoder
    forward: Callable[..., Tensor] = owner.forward

    @functools.wraps(forward)
    def each_word_once(self: Any, token_characters: Tensor) -> Tensor:
        encoder = self._encoder._module
        is_cnn, is_cpu = type(encoder).__name__ == "CnnEncoder", token_characters.device.type == "cpu"
        if not (is_cnn and is_cpu and token_characters.numel()):
            return forward(self, token_characters)
        words, places = torch.unique(token_characters.flatten(0, 1), dim=0, return_inverse=True)
        vectors = encoder(self._embedding._module(words), (words != 0).long())
        dropped: Tensor = self._dropout(F.embedding(places.view(token_characters.shape[:2]), vectors))
        return dropped

    owner.forward = each_word_once


def mend_augmented_lstm(module: ModuleType) -> None:
    """What the input adds to the gates of all time steps is one matrix product, not one a step.

    And a step takes its rows from the packed sequence as they lie there, with no padding and no copies of states.
    AllenNLP lets no gradient through the last states of rows that end before the longest, nor through the first of
    rows that begin after it; so here.
    """
    owner: Any = module.AugmentedLstm
    forward: Callable[..., tuple[PackedSequence, States]] = owner.forward

    @functools.wraps(forward)
    def input_first(self: Any, inputs: Any, states: States | None = None) -> tuple[PackedSequence, States]:
        if not isinstance(inputs, PackedSequence) or inputs.sorted_indices is not None:
            return forward(self, inputs, states)
        num_rows = int(inputs.batch_sizes[0])
        zeros = inputs.data.new_zeros(num_rows, self.lstm_dim)
        first = (zeros, zeros) if states is None else (states[0].squeeze(0), states[1].squeeze(0))
        dropout = self.recurrent_dropout_probability
        mask = module.get_dropout_mask(dropout, zeros) if dropout > 0.0 else None  # drawn when nothing is dropped too
        outputs, last = _run(self, inputs, first, mask if self.training else None)
        return PackedSequence(outputs, inputs.batch_sizes), (last[0].unsqueeze(0), last[1].unsqueeze(0))

    owner.forward = input_first


def _run(lstm: Any, inputs: PackedSequence, first: States, mask: Tensor | None) -> tuple[Tensor, States]:
    """All time steps: what each row of `inputs.data` becomes, and the states that rows end with."""
    sizes = inputs.batch_sizes.tolist()
    projected = lstm.cell.input_linearity(inputs.data).split(sizes)
    order = range(len(sizes)) if lstm.go_forward else range(len(sizes) - 1, -1, -1)
    outputs: list[Tensor] = [projected[0]] * len(sizes)
    hidden, memory = (state[: sizes[order[0]]] for state in first)
    ended: list[States] = []
    for step in order:
        size, before = sizes[step], len(hidden)
        if size < before:
            ended.append((hidden[size:].detach(), memory[size:].detach()))
            hidden, memory = hidden[:size], memory[:size]
        elif size > before:
            begun = (state[before:size].detach() for state in first)
            hidden, memory = (torch.cat(pair) for pair in zip((hidden, memory), begun, strict=True))
        kept = hidden if mask is None else hidden * mask[:size]
        hidden, memory = _step(lstm.cell, projected[step], kept, memory)
        outputs[step] = hidden
    last = [torch.cat(parts) for parts in zip((hidden, memory), *reversed(ended), strict=True)]
    return torch.cat(outputs), (last[0], last[1])


def _step(cell: Any, projected: Tensor, hidden: Tensor, memory: Tensor) -> States:
    """One step of AllenNLP's `AugmentedLSTMCell`, given what the input adds to the gates."""
    num_gates = 5 if cell.use_highway else 4
    size = cell.lstm_dim
    gates = projected[:, : num_gates * size] + cell.state_linearity(hidden)
    chunks = gates.chunk(num_gates, dim=1)
    taken, kept, shown = (torch.sigmoid(chunks[place]) for place in (0, 1, 3))
    memory = taken * torch.tanh(chunks[2]) + kept * memory
    output = shown * torch.tanh(memory)
    if cell.use_highway:
        carried = torch.sigmoid(chunks[4])
        output = carried * output + (1 - carried) * projected[:, num_gates * size :]
    return output, memory


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {
    "allennlp.modules.token_embedders.token_characters_encoder": (mend_token_characters,),
    "allennlp.modules.augmented_lstm": (mend_augmented_lstm,),
}
