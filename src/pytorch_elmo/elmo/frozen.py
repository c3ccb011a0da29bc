"""Runs a biLM through its fast form where its parameters are not trained, kept up to date with them."""

import torch
from torch import Tensor

from pytorch_elmo.elmo.token_table import TokenTable, distinct_tokens
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.inference import InferenceBiLM

_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes of a number


def _state(parameter: Tensor) -> tuple[int, ...]:
    """What differs when the parameter has changed.

    PyTorch counts versions, but its fused optimizers step without counting: of what may be trained the bits are
    summed up too (40 ms for the 94 million parameters of the original shape).
    """
    counted = parameter.data_ptr(), parameter._version
    if not parameter.requires_grad:
        return counted
    bits = _BITS[parameter.element_size()]
    return (*counted, int(parameter.detach().view(bits).sum(dtype=bits)))


class FrozenBiLM:
    """The fast form of a biLM, made when it is first needed and again when a parameter has changed."""

    def __init__(self) -> None:
        self._engine: InferenceBiLM | None = None
        self._made_from: list[tuple[int, ...]] = []

    def __deepcopy__(self, memo: object) -> "FrozenBiLM":
        """A copy of a module makes its own fast form."""
        return FrozenBiLM()

    def __getstate__(self) -> dict[str, object]:
        """Packed weights and threads are not carried to another process."""
        return {"_engine": None, "_made_from": []}

    def may_run(self, bilm: BiLM) -> bool:
        """Whether no gradient has to reach the biLM, and its parameters are float32.

        Where one has to, they are about to change: the fast form is made anew when it is next needed.
        """
        parameters = list(bilm.parameters())
        trained = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in parameters)
        if trained:
            self._made_from = []
        return not trained and all(parameter.dtype == torch.float32 for parameter in parameters)

    def engine(self, bilm: BiLM) -> InferenceBiLM:
        """The fast form of the biLM as it is now."""
        now = [_state(parameter) for parameter in bilm.parameters()]
        if self._engine is None or self._made_from != now:
            self._engine, self._made_from = InferenceBiLM(bilm), now
        return self._engine

    def encode_words(self, bilm: BiLM, rows: Tensor) -> Tensor:
        """Token vectors (num_words, dim / 2) of character ids (num_words, num_characters)."""
        encoder = self.engine(bilm) if self.may_run(bilm) else bilm.character_encoder
        return encoder.encode_words(rows)

    def token_table(self, bilm: BiLM, character_ids: Tensor) -> TokenTable:
        """The distinct tokens of sentences (batch_size, num_tokens, num_characters), each encoded once."""
        tokens = distinct_tokens(bilm, character_ids)
        return TokenTable(self.encode_words(bilm, tokens.rows), tokens.places, tokens.mask)

    def run(self, bilm: BiLM, table: TokenTable) -> list[Tensor]:
        """Layer activations as `BiLM.forward` gives them, every row from zeros."""
        lengths = table.mask.sum(dim=1).tolist()
        places = table.places.cpu().numpy()
        sentences = [row[:length] for row, length in zip(places, lengths, strict=True)]
        vectors = self.engine(bilm).embed(table.vectors, sentences)
        shape = (bilm.config.num_layers, *table.mask.shape, bilm.config.dim)
        padded = table.vectors.new_zeros(shape)
        for row, (sentence, length) in enumerate(zip(vectors, lengths, strict=True)):
            padded[:, row, :length] = sentence
        return list(padded)
