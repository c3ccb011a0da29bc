"""Token vectors of a known vocabulary, computed once (AllenNLP's `vocab_to_cache`)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pytorch_elmo.elmo.token_table import TokenTable
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.text.characters import words_to_ids


def cached_embedding(words: Sequence[str], engine: InferenceBiLM) -> nn.Embedding:
    """A frozen table of token vectors, one row a word.

    Row 0 is padding and zero, so the first word has to be a stand-in: AllenNLP passes its vocabulary, which
    begins with `@@PADDING@@`.
    """
    vectors = engine.encode_words(torch.from_numpy(words_to_ids(words)))
    vectors[:1] = 0.0
    embedding: nn.Embedding = nn.Embedding.from_pretrained(vectors, freeze=True)
    return embedding


def cached_token_table(
    bilm: BiLM, engine: InferenceBiLM, cache: nn.Embedding, word_ids: Tensor, character_ids: Tensor | None
) -> TokenTable:
    """Look words up by id; a word whose id is not in the cache is encoded from its characters.

    Args:
        bilm: the network, for its sentence boundaries.
        engine: encodes what the cache does not hold.
        cache: the table.
        word_ids: (batch_size, num_tokens) int64, 0 where padded.
        character_ids: (batch_size, num_tokens, num_characters) int64, or None where no word is new.

    Raises:
        ConfigurationError: a word is new and its characters are not given.
    """
    mask = word_ids > 0
    known = mask & (word_ids < cache.num_embeddings)
    new = mask & ~known
    if bool(new.any()) and character_ids is None:
        raise ConfigurationError(
            f"word id {int(word_ids.max())} is not among the {cache.num_embeddings} cached words; "
            "pass character ids as well, and new words are computed"
        )
    extra = bilm.boundaries if character_ids is None else torch.cat([bilm.boundaries, character_ids[new]])
    computed = engine.encode_words(extra)
    vectors = torch.cat([cache.weight, computed.to(cache.weight)])
    first = cache.num_embeddings
    places = torch.where(known, word_ids, 0)
    places[new] = torch.arange(first + 2, first + len(extra), device=word_ids.device)
    return _with_boundaries(vectors, places, mask, first)


def _with_boundaries(vectors: Tensor, places: Tensor, mask: Tensor, begin: int) -> TokenTable:
    """Begin of sentence at `begin` in the table, end of sentence after it."""
    batch_size, lengths = len(places), mask.sum(dim=1)
    rows = torch.arange(batch_size, device=places.device)
    bounded = places.new_zeros(batch_size, places.shape[1] + 2)
    visible = torch.zeros_like(bounded, dtype=torch.bool)
    bounded[:, 1:-1], visible[:, 1:-1] = places, mask
    bounded[:, 0], visible[:, 0] = begin, True
    bounded[rows, lengths + 1], visible[rows, lengths + 1] = begin + 1, True
    return TokenTable(vectors, bounded, visible)
