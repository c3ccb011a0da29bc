"""ELMo representations beside static word vectors: what a task's encoder reads (Peters et al. 2018, section 3.3)."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from pytorch_elmo.elmo.elmo import Elmo
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.static_embeddings import WordVectors
from pytorch_elmo.text.characters import batch_to_ids


class TokenRepresentations(nn.Module):
    """The first representation of `elmo`, then the word vector, of each token; dropout on both together.

    Build `elmo` with `dropout=0.0`, else its half is dropped twice.

    Args:
        elmo: without sentence boundaries, so that its tokens are the word vectors' tokens.
        word_vectors: looked up by the same tokens.
        dropout: share of the numbers set to zero in training mode.
    """

    def __init__(self, elmo: Elmo, word_vectors: WordVectors, dropout: float = 0.5) -> None:
        super().__init__()
        self.elmo = elmo
        self.word_vectors = word_vectors
        self.dropout = nn.Dropout(dropout)

    def get_output_dim(self) -> int:
        """Size of a token's vector."""
        return self.elmo.get_output_dim() + self.word_vectors.dim

    def sentences_to_ids(self, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """What `forward` needs of a batch of tokenised sentences, e.g. made by a data loader's worker.

        Returns:
            Character ids (batch_size, num_tokens, num_characters) int64 and word ids (batch_size, num_tokens) int64,
            both on the CPU.

        Raises:
            TextError: a sentence is a string, or a token is not a string.
        """
        return batch_to_ids(sentences), self.word_vectors.words_to_ids(sentences)

    def forward(self, inputs: Sequence[Sequence[str]] | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Represent a batch of sentences.

        Args:
            inputs: tokenised sentences, or their character ids and word ids as `sentences_to_ids` gives them; ids
                may lie on another device than the parameters.

        Returns:
            Vectors (batch_size, num_tokens, elmo dim + word dim) float, zero where padded, and the mask
            (batch_size, num_tokens) bool, True where a token stands.

        Raises:
            TextError: a sentence is a string, or a token is not a string.
            ConfigurationError: character ids, word ids and `elmo` do not see the same tokens.
        """
        if isinstance(inputs, tuple) and inputs and isinstance(inputs[0], Tensor):
            character_ids, word_ids = inputs
        else:
            character_ids, word_ids = self.sentences_to_ids(cast(Sequence[Sequence[str]], inputs))
        device = self.word_vectors.embedding_matrix.device
        output = self.elmo(character_ids.to(device))
        contextual, mask = output["elmo_representations"][0], output["mask"]
        if contextual.shape[:-1] != word_ids.shape:
            raise ConfigurationError(
                f"ELMo and word vectors must see the same tokens, got {tuple(contextual.shape[:-1])} and "
                f"{tuple(word_ids.shape)} (sentences, tokens); make both of one batch, keep no sentence boundaries"
            )
        static = self.word_vectors(word_ids.to(device))
        vectors = torch.cat([contextual, static], dim=-1).masked_fill(~mask.unsqueeze(-1), 0.0)
        return self.dropout(vectors), mask
