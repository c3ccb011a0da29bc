"""The bidirectional language model as a reader: character ids to the activations of every layer."""

from typing import NamedTuple

import numpy as np

from .character_encoder import encode
from .characters import token_ids
from .lstm import State, bilstm
from .model import Array, Ids, Mask, Model


class Reading(NamedTuple):
    """One call of the biLM on a batch of num_tokens columns, which are num_tokens + 2 with the boundaries.

    token_embeddings:  (batch_size, num_tokens + 2, P), also where the mask is False
    layer_activations: (L + 1, batch_size, num_tokens + 2, 2 P), zero where the mask is False
    mask:              (batch_size, num_tokens + 2) bool
    state:             for the next call
    """

    token_embeddings: Array
    layer_activations: Array
    mask: Mask
    state: State


def add_boundaries(character_ids: Ids) -> tuple[Ids, Mask]:
    """Put <S> before the first token of each row and </S> after its last; an empty row becomes <S> </S>."""
    batch_size, num_tokens, width = character_ids.shape
    with_boundaries = np.zeros((batch_size, num_tokens + 2, width), dtype=np.int64)
    for row, tokens in enumerate(character_ids):
        n = int((tokens > 0).any(axis=-1).sum())
        with_boundaries[row, 1 : num_tokens + 1] = tokens
        with_boundaries[row, 0] = token_ids("<S>")
        with_boundaries[row, n + 1] = token_ids("</S>")
    return with_boundaries, np.asarray((with_boundaries > 0).any(axis=-1))


def read(model: Model, character_ids: Ids, state: State | None = None) -> Reading:
    """Run the biLM on (batch_size, num_tokens, 50) ids; without `state` every row starts from zeros.

    With the state of the last call, row r goes on where row r ended, as AllenNLP's stateful module does: new rows
    start from zeros, rows above the batch wait, and an empty sentence is read as its two boundaries.
    """
    with_boundaries, mask = add_boundaries(character_ids)
    x = encode(model, with_boundaries)
    twice = np.concatenate([x, x], axis=-1) * mask[..., None]
    outputs, state = bilstm(model, x, mask, state)
    return Reading(x, np.concatenate([twice[None], outputs]), mask, state)
