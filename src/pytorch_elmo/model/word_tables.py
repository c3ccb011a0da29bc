"""The character encoder for inference: convolutions by table look-up, in blocks of one size.

A convolution's product of a character's embedding with one offset of a filter depends on the character alone:
there are only 262 of them, so all products fit a table, and a window's score is a sum of table rows.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from pytorch_elmo.model.character_encoder import CharacterEncoder, written_length
from pytorch_elmo.model.packed_linear import Packing, pack

WORDS_PER_BLOCK = 256


class WordTables:
    """Token embeddings of words by a frozen `CharacterEncoder`, equal to it but for rounding.

    The dense layers always see `WORDS_PER_BLOCK` rows, so a word's vector has the same bits whatever words are
    encoded with it.
    """

    def __init__(self, encoder: CharacterEncoder, *, packing: Packing, dtype: torch.dtype) -> None:
        self._config, self._dtype = encoder.config, dtype
        self._tables: list[Tensor] = []
        self._offsets: list[Tensor] = []
        characters = encoder._char_embedding_weights.detach()
        for convolution in encoder.convolutions:
            weight = convolution.weight.detach()
            table = torch.einsum("cd,ndw->wcn", characters, weight).flatten(0, 1).contiguous()
            self._tables.append(table)
            self._offsets.append(torch.arange(weight.shape[2], device=weight.device) * len(characters))
        self._bias = torch.cat([c.bias.detach() for c in encoder.convolutions if c.bias is not None])
        layers = [*encoder.highway_layers, encoder._projection]
        packed = [pack(layer.weight.detach().to(dtype), layer.bias.detach().to(dtype), packing) for layer in layers]
        self._highways, self._projection = packed[:-1], packed[-1]

    def encode(self, character_ids: Tensor) -> Tensor:
        """Token embeddings (num_words, projection_size) float32 of (num_words, num_characters) int64 ids."""
        size = self._config.projection_size
        vectors = torch.empty(len(character_ids), size, device=character_ids.device)
        if not len(character_ids):
            return vectors
        lengths = written_length(character_ids, self._config.character_vocabulary_size - 1)
        order = torch.argsort(lengths, stable=True)
        for words in order.split(WORDS_PER_BLOCK):
            filtered = torch.zeros(WORDS_PER_BLOCK, self._config.num_filters, device=vectors.device)
            filtered[: len(words)] = self._filter(character_ids[words], int(lengths[words[-1]]))
            vectors[words] = self._dense(filtered)[: len(words)]
        return vectors

    def _filter(self, character_ids: Tensor, longest: int) -> Tensor:
        """Every filter's maximum over positions, up to the first window that sees padding alone."""
        num_characters, outputs = character_ids.shape[1], []
        for table, offsets in zip(self._tables, self._offsets, strict=True):
            num_windows = min(longest, num_characters - len(offsets)) + 1
            windows = character_ids.unfold(1, len(offsets), 1)[:, :num_windows] + offsets
            scores = F.embedding_bag(windows.flatten(0, 1), table, mode="sum")
            outputs.append(scores.view(len(character_ids), num_windows, -1).amax(dim=1))
        filtered = torch.cat(outputs, dim=-1).add_(self._bias)
        return filtered.relu_() if self._config.activation == "relu" else filtered.tanh_()

    def _dense(self, filtered: Tensor) -> Tensor:
        inputs = filtered.to(self._dtype)
        for highway in self._highways:
            transformed, gate = highway(inputs).chunk(2, dim=-1)
            inputs = torch.lerp(torch.relu(transformed), inputs, torch.sigmoid(gate))
        return self._projection(inputs.contiguous()).float()
