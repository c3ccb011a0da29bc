"""ELMo as a layer over whole sentences, with the inputs and outputs of TensorFlow Hub's module `google/elmo`."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from pytorch_elmo.elmo.frozen import FrozenBiLM
from pytorch_elmo.elmo.pooling import mean_over_tokens
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.mask import remove_sentence_boundaries
from pytorch_elmo.text.characters import batch_to_ids, refuse_string, words_to_ids
from pytorch_elmo.weights.load import load_pretrained


class ElmoSentenceLayer(nn.Module):
    """Sentences in, one vector each out: the mean over tokens of a learned mix of a frozen biLM's layers.

    As the hub's module of versions 2 and 3 it trains the mix's scalars (one a layer, and gamma: 4 numbers for three
    layers) and nothing else. Calling it gives the output `default`; `from_sentences` and `from_tokens`, the module's
    two signatures, give all outputs.

    Args:
        bilm: frozen here, and put into evaluation mode.
        padding_in_mean: take `default` as versions 1 and 2 did, which did not leave padding out: the sum over all
            positions of the batch, where padding has the token vectors of the empty word and no LSTM output, divided
            by the number of tokens. How they did it exactly is inferred from reports, and not compared with them;
            a sentence's vector then depends on the longest one beside it.
        scalar_mix: one that is there already, e.g. that of a trained `MixOfMeans`.
    """

    def __init__(self, bilm: BiLM, *, padding_in_mean: bool = False, scalar_mix: ScalarMix | None = None) -> None:
        super().__init__()
        self.bilm = bilm.requires_grad_(False).eval()
        self.padding_in_mean = padding_in_mean
        self.scalar_mix = scalar_mix or ScalarMix(bilm.config.num_layers)
        if self.scalar_mix.mixture_size != bilm.config.num_layers:
            raise ConfigurationError(
                f"the mix must have the biLM's {bilm.config.num_layers} layers, got {self.scalar_mix.mixture_size}"
            )
        self._frozen = FrozenBiLM()

    @classmethod
    def from_pretrained(
        cls, name_or_folder: str | Path = "default", *, padding_in_mean: bool = False
    ) -> "ElmoSentenceLayer":
        """A layer over a model by its name (`default`, `small`, `original`, …) or folder."""
        return cls(load_pretrained(name_or_folder), padding_in_mean=padding_in_mean)

    def get_output_dim(self) -> int:
        """Size of a sentence's vector."""
        return self.bilm.config.dim

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """The output `default` of `from_sentences`, (batch_size, dim) float."""
        return self.from_sentences(sentences)["default"]

    def from_sentences(self, sentences: Sequence[str]) -> dict[str, Tensor]:
        """The hub's signature `default`: sentences are split at spaces, and at nothing else.

        Args:
            sentences: strings; one without a token has zeros for its vector.

        Returns:
            - `default` (batch_size, dim) float: the mean of `elmo` over the tokens.
            - `elmo` (batch_size, num_tokens, dim) float: the mix of the layers; where padded zero, or with
              `padding_in_mean` the mix of the empty word.
            - `word_emb` (batch_size, num_tokens, dim / 2) float: the token vectors, of which layer 0 has two copies.
            - `lstm_outputs1`, `lstm_outputs2`, … (batch_size, num_tokens, dim) float: the layers above.
            - `sequence_len` (batch_size,) int64: tokens.

        Raises:
            TextError: one string instead of several, or something that is no string.
        """
        if isinstance(sentences, str) or not all(isinstance(sentence, str) for sentence in sentences):
            raise TextError(f"sentences are several strings, got {sentences!r:.40}; put one into a list")
        tokens = [[token for token in sentence.split(" ") if token] for sentence in sentences]
        return self._outputs(tokens, max(map(len, tokens), default=0))

    def from_tokens(self, tokens: Sequence[Sequence[str]], sequence_len: Sequence[int] | Tensor) -> dict[str, Tensor]:
        """The hub's signature `tokens`.

        Args:
            tokens: for each sentence `max_length` strings, those after its tokens being padding, usually `""`.
            sequence_len: for each sentence how many of them are tokens.

        Returns:
            As `from_sentences`, with `num_tokens` = `max_length`.

        Raises:
            TextError: a string in place of tokens, sentences of different lengths, or a number of tokens that a
                sentence cannot have.
        """
        for sentence in [tokens, *tokens]:
            refuse_string(sentence)
        lengths = [int(length) for length in sequence_len]
        widths = sorted({len(sentence) for sentence in tokens})
        if len(widths) > 1:
            raise TextError(f"tokens are padded to one length, got lengths {widths[0]} to {widths[-1]}; pad with ''")
        width = widths[0] if widths else 0
        if len(lengths) != len(tokens) or not all(0 <= length <= width for length in lengths):
            raise TextError(
                f"sequence_len is 0 to {width} for each of {len(tokens)} sentences, got {lengths!s:.60}; count them"
            )
        return self._outputs([list(row[:length]) for row, length in zip(tokens, lengths, strict=True)], width)

    def _outputs(self, sentences: list[list[str]], num_positions: int) -> dict[str, Tensor]:
        ids = batch_to_ids(sentences)
        ids = nn.functional.pad(ids, (0, 0, 0, num_positions - ids.shape[1])).to(self.bilm.boundaries.device)
        layers, mask = self._layers(ids)
        mixed = self.scalar_mix(self._with_padding(layers, mask) if self.padding_in_mean else layers)
        sequence_len = mask.sum(dim=1)
        if self.padding_in_mean:
            default = mixed.sum(dim=1) / sequence_len.clamp(min=1).unsqueeze(1)
        else:
            default = mean_over_tokens(mixed, mask)
        contextual = {f"lstm_outputs{number}": layer for number, layer in enumerate(layers[1:], start=1)}
        word_emb = layers[0][..., : self.bilm.config.dim // 2]
        return {"default": default, "elmo": mixed, "word_emb": word_emb, **contextual, "sequence_len": sequence_len}

    def _layers(self, character_ids: Tensor) -> tuple[list[Tensor], Tensor]:
        """Layers (batch_size, num_tokens, dim) and mask (batch_size, num_tokens) without sentence boundaries."""
        table = self._frozen.token_table(self.bilm, character_ids)
        if self._frozen.may_run(self.bilm):
            bounded = self._frozen.run(self.bilm, table)
        else:
            bounded = self.bilm.run_tokens(table.token_embeddings, table.mask).layer_activations
        inner = [remove_sentence_boundaries(layer, table.mask)[0] for layer in bounded]
        return inner, table.mask[:, 2:]

    def _with_padding(self, layers: list[Tensor], mask: Tensor) -> list[Tensor]:
        """Layer 0 with the vector of the empty word at padded positions."""
        rows = torch.from_numpy(words_to_ids([""])).to(mask.device)
        padding = self._frozen.encode_words(self.bilm, rows)[0].repeat(2)
        return [torch.where(mask.unsqueeze(-1), layers[0], padding), *layers[1:]]
