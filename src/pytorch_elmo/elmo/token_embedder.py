"""One ELMo representation, optionally projected: AllenNLP's `ElmoTokenEmbedder` without AllenNLP."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from pytorch_elmo.elmo.elmo import Elmo


class ElmoTokenEmbedder(nn.Module):
    """`Elmo` with one representation; arguments, order and parameter names are AllenNLP's.

    `projection_dim` adds a linear layer after the dropout, so padded positions then hold its bias; None or 0 means
    none.
    """

    def __init__(
        self,
        options_file: str | Path,
        weight_file: str | Path,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        requires_grad: bool = False,
        projection_dim: int | None = None,
        vocab_to_cache: Sequence[str] | None = None,
        scalar_mix_parameters: Sequence[float] | None = None,
        *,
        stateful: bool = False,
    ) -> None:
        super().__init__()
        self._elmo = Elmo(
            options_file,
            weight_file,
            1,
            do_layer_norm=do_layer_norm,
            dropout=dropout,
            requires_grad=requires_grad,
            vocab_to_cache=vocab_to_cache,
            scalar_mix_parameters=scalar_mix_parameters,
            stateful=stateful,
        )
        self._projection = nn.Linear(self._elmo.get_output_dim(), projection_dim) if projection_dim else None

    def get_output_dim(self) -> int:
        """Size of a vector."""
        return self._projection.out_features if self._projection else self._elmo.get_output_dim()

    def forward(self, elmo_tokens: Tensor, word_inputs: Tensor | None = None) -> Tensor:
        """(batch_size, num_tokens, output size) float of (batch_size, num_tokens, num_characters) int64 ids."""
        vectors = self._elmo(elmo_tokens, word_inputs)["elmo_representations"][0]
        projected: Tensor = vectors if self._projection is None else self._projection(vectors)
        return projected
