"""The output layer of language-model training: one softmax, shared by both directions."""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def log_uniform_probability(ids: Tensor, vocabulary_size: int) -> Tensor:
    """Probability of drawing each id: `ln((id + 2) / (id + 1)) / ln(vocabulary_size + 1)`, float64.

    Ids are ranks by falling frequency, so this is close to Zipf's law (elmo-spec 7.5).
    """
    ranks = ids.double()
    return torch.log1p(1.0 / (ranks + 1.0)) / math.log(vocabulary_size + 1.0)


def expected_count(ids: Tensor, vocabulary_size: int, num_tries: int) -> Tensor:
    """How often an id is expected among `num_tries` draws of which repeats are thrown away: `1 - (1 - P)^tries`."""
    return -torch.expm1(num_tries * torch.log1p(-log_uniform_probability(ids, vocabulary_size)))


class OutputLayer(Protocol):
    """What tells how likely the next word was."""

    def full_loss(self, vectors: Tensor, targets: Tensor) -> Tensor:
        """See `Softmax.full_loss`."""
        ...


class Softmax(nn.Module):
    """Scores of the next (or previous) word from one direction's top layer."""

    def __init__(self, vocabulary_size: int, projection_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocabulary_size, projection_size))
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))

    def full_loss(self, vectors: Tensor, targets: Tensor) -> Tensor:
        """Negative log-probability of each target over the whole vocabulary.

        Args:
            vectors: (num_positions, projection_size) float.
            targets: (num_positions,) int64.

        Returns:
            (num_positions,) float, in nats.
        """
        scores = F.linear(vectors, self.weight, self.bias).to(vectors.dtype)
        return F.cross_entropy(scores, targets, reduction="none")

    def sampled_loss(self, vectors: Tensor, targets: Tensor, negatives: Tensor, num_tries: int) -> Tensor:
        """Sampled-softmax loss of each target against shared negatives (Jean et al. 2015; elmo-spec 7.5).

        Scores are corrected by the logarithm of the expected count, and a negative that is a position's own
        target does not count there.

        Args:
            vectors: (num_positions, projection_size) float.
            targets: (num_positions,) int64.
            negatives: (num_negatives,) int64, without repeats.
            num_tries: draws that were needed to find them.

        Returns:
            (num_positions,) float, in nats; smaller than the full loss.
        """
        return sampled_loss(
            vectors, targets, negatives, num_tries, self.weight, self.bias, vocabulary_size=len(self.weight)
        )


def sampled_loss(
    vectors: Tensor,
    targets: Tensor,
    negatives: Tensor,
    num_tries: int,
    weight: Tensor,
    bias: Tensor,
    *,
    vocabulary_size: int,
    rows: Tensor | None = None,
) -> Tensor:
    """As `Softmax.sampled_loss`, from some rows of the output layer.

    Args:
        vectors: (num_positions, projection_size) float.
        targets: (num_positions,) int64, places in `weight`.
        negatives: (num_negatives,) int64, places in `weight`, without repeats.
        num_tries: draws that were needed to find them.
        weight: (num_rows, projection_size); the products are made in its dtype.
        bias: (num_rows,).
        vocabulary_size: of the whole layer.
        rows: (num_rows,) int64, the id of each row; None: the layer is whole.
    """
    id_of = (lambda places: places) if rows is None else rows.__getitem__
    correction = expected_count(id_of(negatives), vocabulary_size, num_tries).log().to(vectors.dtype)
    offsets = F.embedding(negatives, bias.unsqueeze(-1)).squeeze(-1) - correction
    chosen = F.embedding(negatives, weight)
    if weight.dtype == vectors.dtype:
        scores = torch.addmm(offsets, vectors, chosen.T)
    else:
        scores = (vectors.to(weight.dtype) @ chosen.T).to(vectors.dtype) + offsets
    column = torch.full((len(weight),), -1, device=targets.device)
    column[negatives] = torch.arange(len(negatives), device=targets.device)
    hit = column[targets]
    positions = (hit >= 0).nonzero().flatten()
    scores[positions, hit[positions]] = -torch.inf
    target_correction = expected_count(id_of(targets), vocabulary_size, num_tries).log().to(vectors.dtype)
    target_scores = (vectors * F.embedding(targets, weight)).sum(dim=-1)
    target_scores = target_scores + bias[targets] - target_correction
    return torch.logaddexp(torch.logsumexp(scores, dim=-1), target_scores) - target_scores


class AdaptiveSoftmax(nn.Module):
    """The output layer of Grave et al. 2017: frequent words in a short list, the rest in clusters of lower rank.

    Ids are ranks by falling frequency. `cutoffs` are the first ids of the clusters; each cluster's vectors are
    `DIVISOR` times shorter than those of the one before.
    """

    DIVISOR = 4.0

    def __init__(self, vocabulary_size: int, projection_size: int, cutoffs: Sequence[int]) -> None:
        super().__init__()
        self.cutoffs = list(cutoffs)
        self.layer = nn.AdaptiveLogSoftmaxWithLoss(
            projection_size, vocabulary_size, self.cutoffs, div_value=self.DIVISOR, head_bias=True
        )

    def full_loss(self, vectors: Tensor, targets: Tensor) -> Tensor:
        """As `Softmax.full_loss`."""
        found: Tensor = self.layer(vectors, targets).output
        return -found
