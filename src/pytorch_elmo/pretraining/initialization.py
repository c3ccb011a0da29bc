"""How a biLM's parameters begin (elmo-spec 7.4)."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax
from pytorch_elmo.text.vocabulary import Vocabulary

_CARRY_BIAS = 2.0  # the authors' b_carry of -2: a fresh highway layer mostly passes its input on


@torch.no_grad()
def fresh_bilm(config: BiLMConfig, generator: torch.Generator) -> BiLM:
    """A biLM to be trained, with the authors' distributions."""
    bilm = BiLM(config)
    encoder, filters = bilm.character_encoder, config.character_encoder.num_filters
    encoder._char_embedding_weights[1:].uniform_(-1.0, 1.0, generator=generator)
    for convolution in encoder.convolutions:
        if config.character_encoder.activation == "relu":
            convolution.weight.uniform_(-0.05, 0.05, generator=generator)
        else:
            convolution.weight.normal_(0.0, math.sqrt(1.0 / convolution.weight[0].numel()), generator=generator)
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    for layer in encoder.highway_layers:
        layer.weight.normal_(0.0, math.sqrt(1.0 / filters), generator=generator)
        layer.bias.zero_()
        layer.bias[filters:] = _CARRY_BIAS
    encoder._projection.weight.normal_(0.0, math.sqrt(1.0 / filters), generator=generator)
    encoder._projection.bias.zero_()
    for direction in range(2):
        for weights in bilm.lstm.weights(direction):
            kernel = torch.cat([weights.input, weights.recurrent], dim=1)
            nn.init.xavier_uniform_(kernel, generator=generator)
            weights.input.copy_(kernel[:, : weights.input.shape[1]])
            weights.recurrent.copy_(kernel[:, weights.input.shape[1] :])
            nn.init.xavier_uniform_(weights.projection, generator=generator)
            weights.bias.zero_()
    return bilm


@torch.no_grad()
def fresh_softmax(vocabulary_size: int, projection_size: int, generator: torch.Generator) -> Softmax:
    """An output layer to be trained."""
    softmax = Softmax(vocabulary_size, projection_size)
    softmax.weight.normal_(0.0, 1.0 / math.sqrt(projection_size), generator=generator)
    return softmax


@torch.no_grad()
def fresh_adaptive_softmax(
    vocabulary_size: int, projection_size: int, cutoffs: Sequence[int], generator: torch.Generator
) -> AdaptiveSoftmax:
    """The same, with clusters from `cutoffs` on.

    Raises:
        ConfigurationError: cutoffs that do not rise, lie outside the vocabulary, or are too many for the vectors.
    """
    if list(cutoffs) != sorted(set(cutoffs)) or not cutoffs or cutoffs[0] < 1 or cutoffs[-1] >= vocabulary_size:
        raise ConfigurationError(
            f"adaptive_cutoffs must rise and lie between 1 and the vocabulary's size {vocabulary_size}, "
            f"got {list(cutoffs)}; change them"
        )
    smallest = int(AdaptiveSoftmax.DIVISOR) ** len(cutoffs)
    if projection_size < smallest:
        raise ConfigurationError(
            f"{len(cutoffs)} adaptive_cutoffs need a projection size of {smallest} at least, got {projection_size}; "
            "give fewer"
        )
    softmax = AdaptiveSoftmax(vocabulary_size, projection_size, cutoffs)
    for parameter in softmax.parameters():
        if parameter.dim() > 1:
            parameter.normal_(0.0, 1.0 / math.sqrt(parameter.shape[1]), generator=generator)
        else:
            parameter.zero_()
    return softmax


@torch.no_grad()
def take_over_rows(softmax: Softmax, vocabulary: Vocabulary, old: Softmax, old_vocabulary: Vocabulary) -> int:
    """Copy the rows of the words that both vocabularies have. Returns their number."""
    pairs = [(i, old_vocabulary.id_of(w)) for i, w in enumerate(vocabulary.tokens) if w in old_vocabulary]
    places, sources = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    softmax.weight[places] = old.weight[sources]
    softmax.bias[places] = old.bias[sources]
    return len(pairs)
