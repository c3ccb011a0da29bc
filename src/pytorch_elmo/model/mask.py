"""Where tokens stand in a padded batch, and the sentence boundaries around them."""

import torch
from torch import Tensor


def token_mask(character_ids: Tensor) -> Tensor:
    """True where a token stands, False where the batch is padded.

    Args:
        character_ids: (batch_size, num_tokens, num_characters) int64.

    Returns:
        (batch_size, num_tokens) bool.
    """
    return (character_ids > 0).any(dim=-1)


def add_sentence_boundaries(character_ids: Tensor, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Put `begin` before and `end` after the tokens of each row; an empty row becomes begin, end.

    As AllenNLP's `add_sentence_boundary_token_ids`: the number of tokens of a row is the number of its non-zero
    positions, so a row is expected to be padded on the right.

    Args:
        character_ids: (batch_size, num_tokens, num_characters) int64.
        begin: (num_characters,) int64, the ids of the begin-of-sentence token.
        end: (num_characters,) int64.

    Returns:
        Character ids (batch_size, num_tokens + 2, num_characters) and their mask (batch_size, num_tokens + 2) bool.
    """
    batch_size, num_tokens, num_characters = character_ids.shape
    lengths = token_mask(character_ids).sum(dim=1)
    bounded = character_ids.new_zeros(batch_size, num_tokens + 2, num_characters)
    bounded[:, 1:-1] = character_ids
    bounded[:, 0] = begin
    bounded[torch.arange(batch_size, device=character_ids.device), lengths + 1] = end
    return bounded, token_mask(bounded)


def remove_sentence_boundaries(vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Drop the first and the last real position of each row; padded positions become zero.

    Args:
        vectors: (batch_size, num_tokens + 2, dim) float.
        mask: (batch_size, num_tokens + 2) bool.

    Returns:
        Vectors (batch_size, num_tokens, dim) and mask (batch_size, num_tokens) bool.
    """
    inner = mask[:, 2:]
    return vectors[:, 1:-1] * inner.unsqueeze(-1), inner
