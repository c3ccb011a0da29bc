"""Distinct tokens of a batch: each is encoded once, wherever it stands."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.mask import add_sentence_boundaries


class TokenTable(NamedTuple):
    """vectors: (num_words, projection_size) float. places: (batch_size, num_tokens + 2) int64, which vector stands
    where, with sentence boundaries. mask: (batch_size, num_tokens + 2) bool.
    """

    vectors: Tensor
    places: Tensor
    mask: Tensor

    @property
    def token_embeddings(self) -> Tensor:
        """(batch_size, num_tokens + 2, projection_size) float."""
        return F.embedding(self.places, self.vectors)


class DistinctTokens(NamedTuple):
    """rows: (num_words, num_characters) int64; places and mask as in `TokenTable`."""

    rows: Tensor
    places: Tensor
    mask: Tensor


def distinct_tokens(bilm: BiLM, character_ids: Tensor) -> DistinctTokens:
    """The distinct rows of (batch_size, num_tokens, num_characters) ids with sentence boundaries added.

    Raises:
        ConfigurationError: the ids are no whole numbers, of another width than the network's, or beyond its table.
    """
    config = bilm.config.character_encoder
    if character_ids.shape[-1] != config.num_characters or character_ids.is_floating_point():
        raise ConfigurationError(
            f"character ids are whole numbers, {config.num_characters} a token, got {character_ids.dtype} of shape "
            f"{tuple(character_ids.shape)}; make them with batch_to_ids"
        )
    bounded, mask = add_sentence_boundaries(character_ids.long(), *bilm.boundaries)
    rows, places = torch.unique(bounded.flatten(0, 1), dim=0, return_inverse=True)
    last = config.character_vocabulary_size - 1
    if len(rows) and not (int(rows.min()) >= 0 and int(rows.max()) <= last):
        raise ConfigurationError(
            f"character ids are 0 to {last}, got {int(rows.min())} to {int(rows.max())}; make them with batch_to_ids"
        )
    return DistinctTokens(rows, places.view(mask.shape), mask)


def is_padded_right(mask: Tensor) -> bool:
    """Whether every row's tokens stand before its padding, without a hole."""
    return not bool((mask[:, 1:] & ~mask[:, :-1]).any())
