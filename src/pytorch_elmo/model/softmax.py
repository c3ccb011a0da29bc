"""The output layer of language-model training: one softmax, shared by both directions."""

import math

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
        return F.cross_entropy(F.linear(vectors, self.weight, self.bias), targets, reduction="none")

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
        vocabulary_size = len(self.weight)
        correction = expected_count(negatives, vocabulary_size, num_tries).log().to(vectors.dtype)
        scores = torch.addmm(
            F.embedding(negatives, self.bias.unsqueeze(-1)).squeeze(-1) - correction,
            vectors,
            F.embedding(negatives, self.weight).T,
        )
        column = torch.full((vocabulary_size,), -1, device=targets.device)
        column[negatives] = torch.arange(len(negatives), device=targets.device)
        hit = column[targets]
        positions = (hit >= 0).nonzero().flatten()
        scores[positions, hit[positions]] = -torch.inf
        target_correction = expected_count(targets, vocabulary_size, num_tries).log().to(vectors.dtype)
        target_scores = (vectors * F.embedding(targets, self.weight)).sum(dim=-1)
        target_scores = target_scores + self.bias[targets] - target_correction
        return torch.logaddexp(torch.logsumexp(scores, dim=-1), target_scores) - target_scores
