"""The bidirectional language model without its softmax: characters in, one vector per layer and token out."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pytorch_elmo.model.bidirectional_lstm import BidirectionalLstm, LstmState
from pytorch_elmo.model.character_encoder import CharacterEncoder
from pytorch_elmo.model.config import BiLMConfig
from pytorch_elmo.model.mask import add_sentence_boundaries

# Raw ids of the marks (elmo-spec 1.1), counted from the end of the character table: begin and end of sentence,
# begin and end of word, padding.
_MARKS = 5


def boundary_rows(vocabulary_size: int, num_characters: int) -> Tensor:
    """Character ids of the begin-of-sentence and the end-of-sentence token: (2, num_characters) int64."""
    begin_sentence, end_sentence, begin_word, end_word, padding = range(vocabulary_size - _MARKS, vocabulary_size)
    rows = torch.full((2, num_characters), padding)
    rows[:, :3] = torch.tensor([[begin_word, begin_sentence, end_word], [begin_word, end_sentence, end_word]])
    return rows


class BiLMOutput(NamedTuple):
    """layer_activations: num_layers tensors (batch_size, num_tokens + 2, dim), the token embeddings twice side by
    side first, zero where padded; mask: (batch_size, num_tokens + 2) bool; state: after the last token of a row.
    """

    layer_activations: list[Tensor]
    mask: Tensor
    state: LstmState


class BiLM(nn.Module):
    """Character encoder and two stacks of LSTM layers (Peters et al. 2018, section 3).

    It keeps nothing between calls: the LSTM state is an argument and a result. Attribute names are AllenNLP's, for
    they are the names in every archived state_dict.
    """

    boundaries: Tensor

    def __init__(self, config: BiLMConfig) -> None:
        super().__init__()
        self.config = config
        self._token_embedder = CharacterEncoder(config.character_encoder)
        self._elmo_lstm = BidirectionalLstm(config.lstm)
        encoder = config.character_encoder
        rows = boundary_rows(encoder.character_vocabulary_size, encoder.num_characters)
        self.register_buffer("boundaries", rows, persistent=False)

    @classmethod
    def unfilled(cls, config: BiLMConfig) -> "BiLM":
        """A network to load parameters into; drawing random ones first would take longer than reading them.

        The row of the padding character is zero; all other numbers are whatever the memory held.
        """
        with torch.device("meta"):
            bilm = cls(config)
        bilm.to_empty(device="cpu")
        encoder = config.character_encoder
        bilm.boundaries = boundary_rows(encoder.character_vocabulary_size, encoder.num_characters)
        with torch.no_grad():
            bilm.character_encoder.get_parameter("_char_embedding_weights")[0] = 0.0
        return bilm

    @property
    def character_encoder(self) -> CharacterEncoder:
        """Characters to token embeddings."""
        return self._token_embedder

    @property
    def lstm(self) -> BidirectionalLstm:
        """Token embeddings to contextual layers."""
        return self._elmo_lstm

    def forward(self, character_ids: Tensor, state: LstmState | None = None) -> BiLMOutput:
        """Run a batch of sentences, with boundaries added.

        Args:
            character_ids: (batch_size, num_tokens, num_characters) int64, 0 where padded.
            state: what each row begins from; the start state of `lstm` if None.

        Returns:
            The activations of all layers, their mask with boundaries, and the state after each row.
        """
        bounded, mask = add_sentence_boundaries(character_ids, *self.boundaries)
        return self.run_tokens(self.character_encoder(bounded), mask, state)

    def run_tokens(self, token_embeddings: Tensor, mask: Tensor, state: LstmState | None = None) -> BiLMOutput:
        """As `forward`, from token embeddings (batch_size, num_tokens + 2, projection_size) with boundaries."""
        contextual, final = self.lstm(token_embeddings, mask, state)
        doubled = torch.cat([token_embeddings, token_embeddings], dim=-1) * mask.unsqueeze(-1)
        return BiLMOutput([doubled, *contextual], mask, final)
