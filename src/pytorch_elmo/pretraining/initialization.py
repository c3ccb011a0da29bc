"""How a biLM's parameters begin (elmo-spec 7.4)."""

import math

import torch
from torch import nn

from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.softmax import Softmax

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
