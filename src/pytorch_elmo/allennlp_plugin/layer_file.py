"""`elmo_layer_file`: ELMo from a file that `embed-to-hdf5` wrote; no biLM runs, and the mix is still learned.

The indexer turns a sentence into its place in the file, the embedder reads its vectors and mixes them. Both name the
same file, or the same files in the same order:

    "token_indexers": { "elmo": { "type": "elmo_layer_file", "layer_file": ["train.hdf5", "dev.hdf5"] } }
    "token_embedders": { "elmo": { "type": "elmo_layer_file", "layer_file": ["train.hdf5", "dev.hdf5"] } }
"""

# ruff: noqa: UP007, UP045 -- AllenNLP's from_params reads Optional and Union, not `X | None`

from itertools import accumulate
from pathlib import Path
from typing import Any, Optional, Union

import torch
from allennlp.data.token_indexers.token_indexer import TokenIndexer
from allennlp.data.tokenizers import Token
from allennlp.data.vocabulary import Vocabulary
from allennlp.modules.token_embedders.token_embedder import TokenEmbedder
from torch import Tensor, nn

from pytorch_elmo.allennlp_plugin.token_embedder import wrong_indexer
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage import LayerFileReader

PLACES = "sentence_places"  # the embedder's argument
_MISSING = -1
_ADVICE = "make it with embed-to-hdf5 from the tokens that the dataset reader gives, a sentence a line"


@TokenIndexer.register("elmo_layer_file", exist_ok=True)
class LayerFileIndexer(TokenIndexer):
    """Which sentence of some layer files a field is, found by its text: the tokens with single spaces between.

    Of equal sentences the last counts. A sentence that is in no file is an error when the first batch is made, by
    when all sentences of the data are known, so that the error can count them.

    Args:
        layer_file: a path, or several, whose sentences are counted on from file to file.
        token_min_padding_length: a batch is padded to at least so many tokens.

    Raises:
        LayerFileError: a file that cannot be read, or that was made without its sentences.
    """

    def __init__(self, layer_file: Union[str, list[str]], token_min_padding_length: int = 0) -> None:
        super().__init__(token_min_padding_length)
        self.layer_files = _absolute(layer_file)
        self._places: Optional[dict[str, int]] = _places_by_text(self.layer_files)
        self._num_asked, self._missing = 0, dict[str, None]()

    def __getstate__(self) -> dict[str, Any]:
        """A process that is not forked reads the sentences anew: that is faster than to send them."""
        return self.__dict__ | {"_places": None}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LayerFileIndexer):
            return NotImplemented
        same_length = self._token_min_padding_length == other._token_min_padding_length
        return same_length and self.layer_files == other.layer_files

    __hash__ = None  # type: ignore[assignment]  # as AllenNLP's indexers

    def count_vocab_items(self, token: Token, counter: dict[str, dict[str, int]]) -> None:
        """Nothing: the words' vectors are in the file."""

    def get_empty_token_list(self) -> dict[str, list[Any]]:
        """What a field without tokens holds."""
        return {PLACES: []}

    def tokens_to_indices(self, tokens: list[Token], vocabulary: Vocabulary) -> dict[str, list[Any]]:
        """For each token the place of its sentence, counted from 1; 0 is left for padding."""
        if not tokens:
            return self.get_empty_token_list()
        if self._places is None:
            self._places = _places_by_text(self.layer_files)
        text = " ".join(token.ensure_text() for token in tokens)
        place = self._places.get(text, _MISSING)
        self._num_asked += 1
        if place == _MISSING:
            self._missing[text] = None
        return {PLACES: [place] * len(tokens)}

    def as_padded_tensor_dict(
        self, tokens: dict[str, list[Any]], padding_lengths: dict[str, int]
    ) -> dict[str, Tensor]:
        """`sentence_places` (num_tokens,) int64, cut or padded with 0.

        Raises:
            LayerFileError: sentences are in no file: which, and how many.
        """
        if self._missing:
            message = self._describe_missing()
            self._num_asked, self._missing = 0, {}
            raise LayerFileError(message)
        padded: dict[str, Tensor] = super().as_padded_tensor_dict(tokens, padding_lengths)
        return padded

    def _describe_missing(self) -> str:
        first, count = next(iter(self._missing)), len(self._missing)
        which = f"{first[:80]!r}{'...' if len(first) > 80 else ''}"
        return (
            f"every sentence must be in the layer file, but {count} different of the {self._num_asked} asked for "
            f"{'is' if count == 1 else 'are'} not in {_names(self.layer_files)}, the first: {which}; {_ADVICE}"
        )


class LayerFileElmo(nn.Module):
    """Takes the place of `Elmo`, with the same names for its parameters: reads layers instead of computing them.

    Paths and vectors are no part of the state_dict. The files are opened by each process for itself.
    """

    def __init__(
        self,
        layer_files: list[Path],
        *,
        do_layer_norm: bool,
        dropout: float,
        scalar_mix_parameters: Optional[list[float]],
    ) -> None:
        super().__init__()
        self._readers = [LayerFileReader(path) for path in layer_files]
        _refuse_different_models(self._readers)
        self._ends = list(accumulate(map(len, self._readers)))
        self.num_layers, self.dim = self._readers[0].num_layers or 1, self._readers[0].dim
        self.scalar_mix_0 = ScalarMix(
            self.num_layers, do_layer_norm, scalar_mix_parameters, trainable=scalar_mix_parameters is None
        )
        self._dropout = nn.Dropout(p=dropout)

    def forward(self, places: Tensor) -> Tensor:
        """(batch_size, ..., num_tokens, dim) float of places (batch_size, ..., num_tokens) int64.

        With layer norm the sentence boundaries, which are in no layer file, do not count, unlike in `Elmo`.

        Raises:
            LayerFileError: a place that no file has, or a sentence of another length than the file's.
        """
        rows = places.flatten(0, -2)
        mask = rows != 0
        layers = self._read(rows.cpu()).to(self.scalar_mix_0.gamma)
        mixed = self.scalar_mix_0(list(layers), mask) * mask.unsqueeze(-1)
        vectors: Tensor = self._dropout(mixed.unflatten(0, places.shape[:-1]))
        return vectors

    def _read(self, rows: Tensor) -> Tensor:
        """(num_layers, batch_size, num_tokens, dim) float32 of rows (batch_size, num_tokens)."""
        layers = torch.zeros(self.num_layers, *rows.shape, self.dim)
        wrong = []
        for row, (place, length) in enumerate(zip(*_sentences(rows), strict=True)):
            if place == 0:
                continue
            reader, index = self._find(place)
            if reader.token_counts[index] != length:
                wrong.append(
                    f"sentence {index} of {reader.path} has {reader.token_counts[index]} tokens, not {length}"
                )
                continue
            layers[:, row, :length] = torch.from_numpy(reader[index])
        if wrong:
            raise LayerFileError(
                f"a field and its sentence in the layer file must be as long as each other, but {len(wrong)} of "
                f"{len(rows)} in the batch are not: {wrong[0]}; give the indexer and the embedder the same layer_file"
            )
        return layers

    def _find(self, place: int) -> tuple[LayerFileReader, int]:
        """The file that has the sentence of a place counted from 1, and its index there."""
        for reader, end in zip(self._readers, self._ends, strict=True):
            if 0 < place <= end:
                return reader, place - 1 - (end - len(reader))
        raise LayerFileError(
            f"places of sentences are 1 to {self._ends[-1]} in {_names([reader.path for reader in self._readers])}, "
            f"got {place}; give the indexer and the embedder the same layer_file"
        )


@TokenEmbedder.register("elmo_layer_file", exist_ok=True)
class LayerFileTokenEmbedder(TokenEmbedder):
    """One mixture of the layers in a file, as `elmo_token_embedder` makes it of layers that it computes.

    Args:
        layer_file: the indexer's path, or its paths in its order. One layer per token (`--top`, `--average`) is
            scaled by the mix's gamma alone.
        do_layer_norm: normalise the layers before mixing, over the whole batch.
        dropout: on the mixture, in training.
        projection_dim: a linear layer to this size comes last; None or 0 means none.
        scalar_mix_parameters: fixed numbers before the softmax, one per layer; learned if None.

    Raises:
        LayerFileError: a file that cannot be read, or files of different models.
        PytorchElmoError: not one scalar per layer.
    """

    def __init__(
        self,
        layer_file: Union[str, list[str]],
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        projection_dim: Optional[int] = None,
        scalar_mix_parameters: Optional[list[float]] = None,
    ) -> None:
        super().__init__()
        self._named = layer_file
        self._elmo = LayerFileElmo(
            _absolute(layer_file),
            do_layer_norm=do_layer_norm,
            dropout=dropout,
            scalar_mix_parameters=scalar_mix_parameters,
        )
        self._projection = nn.Linear(self._elmo.dim, projection_dim) if projection_dim else None
        self.output_dim = projection_dim or self._elmo.dim

    def get_output_dim(self) -> int:
        """Size of a vector."""
        return self.output_dim

    def forward(self, sentence_places: Optional[Tensor] = None, **others: Tensor) -> Tensor:
        """(batch_size, ..., num_tokens, output size) float of places (batch_size, ..., num_tokens) int64.

        Raises:
            ConfigurationError: the field has no places, but what another indexer gives.
            LayerFileError: a place that no file has, or a sentence of another length than the file's.
        """
        if sentence_places is None or others:
            raise wrong_indexer(self, list(others))
        vectors: Tensor = self._elmo(sentence_places)
        return vectors if self._projection is None else self._projection(vectors)

    def indexer_to_add(self) -> dict[str, Any]:
        """The token indexer that this embedder needs, as a configuration says it."""
        return {"type": "elmo_layer_file", "layer_file": self._named}


def _absolute(layer_file: Union[str, list[str]]) -> list[Path]:
    """Absolute paths, for a process that opens the file later may stand in another folder."""
    named = [layer_file] if isinstance(layer_file, str) else list(layer_file)
    if not named:
        raise LayerFileError("layer_file is a path or a list of paths, got an empty list; name a layer file")
    return [Path(path).expanduser().absolute() for path in named]


def _places_by_text(layer_files: list[Path]) -> dict[str, int]:
    """From the text of a sentence, single-spaced, to its place, counted from 1 through all files."""
    places, before = dict[str, int](), 1
    for path in layer_files:
        with LayerFileReader(path) as reader:
            places.update({" ".join(text.split()): before + i for text, i in reader.sentence_to_index.items()})
            before += len(reader)
    return places


def _sentences(rows: Tensor) -> tuple[list[int], list[int]]:
    """Of each row its place, 0 where it has no tokens, and its length."""
    if not rows.shape[1]:
        return [0] * len(rows), [0] * len(rows)
    return rows[:, 0].tolist(), (rows != 0).sum(dim=1).tolist()


def _refuse_different_models(readers: list[LayerFileReader]) -> None:
    def description(reader: LayerFileReader) -> tuple[object, ...]:
        manifest = reader.manifest
        made_by = None if manifest is None else (manifest.model_hash, manifest.layers)
        return reader.num_layers, reader.dim, made_by

    for reader in readers[1:]:
        if description(reader) != description(readers[0]):
            raise LayerFileError(
                f"layer files in one list are of one model and its same layers, got {readers[0].path} and "
                f"{reader.path}; make them with the same command"
            )


def _names(paths: list[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
