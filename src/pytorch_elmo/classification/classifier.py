"""Text classifiers: something that gives each text a vector, and dense layers on it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from pytorch_elmo.errors import ConfigurationError


class TextClassifier(nn.Module):
    """An encoder and a head; two classifiers may share either.

    Args:
        encoder: inputs -> vectors (batch_size, dim) float: `MeanEmbedding`, `nn.Identity` for vectors that were made
            before, a text embedding, an ELMo layer.
        head: vectors -> logits (batch_size, num_outputs) float; see `dense_head`.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, inputs: Tensor | Sequence[str]) -> Tensor:
        """Logits (batch_size, num_outputs) float, before sigmoid or softmax."""
        return cast(Tensor, self.head(self.encoder(inputs)))


def dense_head(*sizes: int) -> nn.Sequential:
    """Linear layers from the first size to the last, with a ReLU between two of them; the last one gives logits.

    Raises:
        ConfigurationError: fewer than two sizes, or one that is not positive.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ConfigurationError(f"a head has at least two sizes, all positive, got {list(sizes)}; give more")
    layers: list[nn.Module] = []
    for size, next_size in pairwise(sizes):
        layers += [nn.Linear(size, next_size), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class MeanEmbedding(nn.Module):
    """The mean of the rows that a text's ids name, over all its positions.

    As in the tutorial on warm starts (`Embedding`, `GlobalAveragePooling1D`) padding is no exception: its row is
    trained, and averaged in.

    Args:
        num_rows: size of the vocabulary, special words included.
        dim: size of a vector.
    """

    def __init__(self, num_rows: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_rows, dim)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors (batch_size, dim) float of ids (batch_size, num_positions) int64."""
        return cast(Tensor, self.embedding(ids)).mean(dim=1)


def num_trained(module: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
