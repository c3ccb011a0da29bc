"""`elmo_characters`: the tokens of a field as character ids."""

# ruff: noqa: UP045 -- AllenNLP's from_params reads Optional, not `X | None`

from functools import lru_cache
from typing import Any, Optional

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.token_indexers.elmo_indexer import ELMoTokenCharactersIndexer
from allennlp.data.token_indexers.token_indexer import TokenIndexer
from allennlp.data.tokenizers import Token
from allennlp.data.vocabulary import Vocabulary
from torch import Tensor

from pytorch_elmo.text.characters import CHARACTERS_PER_TOKEN, token_to_ids

CHARACTER_IDS, WORD_IDS = "elmo_tokens", "word_inputs"  # the embedder's arguments
_WORDS_KEPT = 100_000


@lru_cache(maxsize=_WORDS_KEPT)
def _row(token: str) -> list[int]:
    """The ids of a token; equal tokens share the list, which nobody changes, so that a corpus fits in memory."""
    return token_to_ids(token)


@TokenIndexer.register("elmo_characters", exist_ok=True)
class ElmoCharactersIndexer(ELMoTokenCharactersIndexer):
    """AllenNLP's `elmo_characters`: the same arguments, the same ids, the same padding.

    Args:
        namespace: not used, as in AllenNLP.
        tokens_to_add: tokens with one raw character id each, before the shift by one.
        token_min_padding_length: a batch is padded to at least so many tokens.
        word_namespace: give the words' numbers in this namespace of the vocabulary too, for an embedder that keeps
            the vectors of these words (`namespace_to_cache`, or `vocab_to_cache` in the order of the vocabulary).
    """

    def __init__(
        self,
        namespace: str = "elmo_characters",
        tokens_to_add: Optional[dict[str, int]] = None,
        token_min_padding_length: int = 0,
        word_namespace: Optional[str] = None,
    ) -> None:
        super().__init__(namespace, tokens_to_add, token_min_padding_length)
        self._tokens_to_add = dict(tokens_to_add or {})
        self._word_namespace = word_namespace

    def get_empty_token_list(self) -> dict[str, list[Any]]:
        """What a field without tokens holds."""
        return {name: [] for name in self._names}

    def tokens_to_indices(self, tokens: list[Token], vocabulary: Vocabulary) -> dict[str, list[Any]]:
        """Of each token 50 character ids, and its number in the vocabulary if a namespace is named.

        Raises:
            ConfigurationError: the namespace has no padding entry, so that its first word would count as padding.
            ValueError: a token without text.
        """
        texts = [token.ensure_text() for token in tokens]
        indexed: dict[str, list[Any]] = {CHARACTER_IDS: [self._ids(text) for text in texts]}
        if self._word_namespace is not None:
            if vocabulary._padding_token not in vocabulary.get_token_to_index_vocabulary(self._word_namespace):
                raise ConfigurationError(
                    f"word_namespace needs a namespace with padding, got {self._word_namespace!r}; "
                    "name that of a single_id indexer, for instance tokens"
                )
            indexed[WORD_IDS] = [vocabulary.get_token_index(text, self._word_namespace) for text in texts]
        return indexed

    def as_padded_tensor_dict(
        self, tokens: dict[str, list[Any]], padding_lengths: dict[str, int]
    ) -> dict[str, Tensor]:
        """`elmo_tokens` (num_tokens, 50) int64, and `word_inputs` (num_tokens,) int64; cut or padded with 0."""
        shapes = {CHARACTER_IDS: (CHARACTERS_PER_TOKEN,), WORD_IDS: ()}
        padded = {}
        for name in self._names:
            length = padding_lengths[name]
            rows = tokens[name][:length]
            array = np.zeros((length, *shapes[name]), dtype=np.int64)
            if rows:
                array[: len(rows)] = rows
            padded[name] = torch.from_numpy(array)
        return padded

    @property
    def _names(self) -> tuple[str, ...]:
        return (CHARACTER_IDS,) if self._word_namespace is None else (CHARACTER_IDS, WORD_IDS)

    def _ids(self, text: str) -> list[int]:
        if text in self._tokens_to_add:
            return token_to_ids(text, tokens_to_add=self._tokens_to_add)
        return _row(text)
