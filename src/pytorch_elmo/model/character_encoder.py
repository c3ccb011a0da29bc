"""A token's characters to one vector that does not depend on the context."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytorch_elmo.model.config import CharacterEncoderConfig
from pytorch_elmo.model.highway import Highway

WORDS_PER_CHUNK = 4096
_LENGTH_STEP = 4


def written_length(character_ids: Tensor, padding_id: int) -> Tensor:
    """Positions of each row up to the last one that is not in-word padding: (num_words,) int64."""
    num_characters = character_ids.shape[-1]
    positions = torch.arange(1, num_characters + 1, device=character_ids.device)
    return (positions * (character_ids != padding_id)).amax(dim=-1)


class CharacterEncoder(nn.Module):
    """Embedding, convolutions with maximum over positions, highway layers, projection (elmo-spec section 2).

    Parameter names and shapes are those of AllenNLP's `_ElmoCharacterEncoder`, so that its state_dicts load.
    """

    def __init__(self, config: CharacterEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self._char_embedding_weights = nn.Parameter(
            torch.zeros(config.character_vocabulary_size, config.character_embedding_size)
        )
        for index, (width, number) in enumerate(config.filters):
            self.add_module(f"char_conv_{index}", nn.Conv1d(config.character_embedding_size, number, width))
        self._highways = Highway(config.num_filters, config.num_highway_layers)
        self._projection = nn.Linear(config.num_filters, config.projection_size)

    @property
    def convolutions(self) -> list[nn.Conv1d]:
        """The filter banks in the order of the options."""
        return [self.get_submodule(f"char_conv_{i}") for i in range(len(self.config.filters))]  # type: ignore[misc]

    @property
    def highway_layers(self) -> list[nn.Linear]:
        """The linear maps of the highway layers, lowest first."""
        return list(self._highways._layers)  # type: ignore[arg-type]

    def forward(self, character_ids: Tensor) -> Tensor:
        """Encode words, each distinct one once.

        Args:
            character_ids: (..., num_characters) int64.

        Returns:
            Token embeddings (..., projection_size) float.
        """
        rows = character_ids.reshape(-1, character_ids.shape[-1])
        words, places = torch.unique(rows, dim=0, return_inverse=True)
        vectors = F.embedding(places, self.encode_words(words))
        return vectors.view(*character_ids.shape[:-1], self.config.projection_size)

    def encode_words(self, character_ids: Tensor) -> Tensor:
        """Token embeddings (num_words, projection_size) of (num_words, num_characters) int64 ids."""
        if not len(character_ids):
            return self._projection.weight.new_zeros(0, self.config.projection_size)
        filtered = self._filter_by_length(character_ids)
        activated = torch.relu(filtered) if self.config.activation == "relu" else torch.tanh(filtered)
        projected: Tensor = self._projection(self._highways(activated))
        return projected

    def _filter_by_length(self, character_ids: Tensor) -> Tensor:
        """Maximum over all windows, (num_words, num_filters), without looking at equal windows twice.

        Words of like length are taken together and cut after the first window that holds padding alone: all
        later windows equal it, so the maximum is the same.
        """
        widest = max(width for width, _ in self.config.filters)
        padding_id = self.config.character_vocabulary_size - 1
        needed = (written_length(character_ids, padding_id) + widest).clamp(max=character_ids.shape[-1])
        steps = torch.div(needed + _LENGTH_STEP - 1, _LENGTH_STEP, rounding_mode="floor")
        order = torch.argsort(steps, stable=True)
        sizes = torch.unique_consecutive(steps[order], return_counts=True)
        parts = []
        for step, group in zip(sizes[0].tolist(), order.split(sizes[1].tolist()), strict=True):
            for words in group.split(WORDS_PER_CHUNK):
                parts.append(self._filter(character_ids[words, : step * _LENGTH_STEP]))
        return torch.cat(parts)[torch.argsort(order)]

    def _filter(self, character_ids: Tensor) -> Tensor:
        """Every filter's maximum over the positions of equally long rows: (num_words, num_filters)."""
        embedded = F.embedding(character_ids, self._char_embedding_weights)
        outputs = []
        for convolution in self.convolutions:
            windows = embedded.unfold(1, convolution.kernel_size[0], 1).flatten(2)
            scores = F.linear(windows, convolution.weight.flatten(1), convolution.bias)
            outputs.append(scores.max(dim=1).values)
        return torch.cat(outputs, dim=-1)
