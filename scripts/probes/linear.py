"""How much a linear classifier learns from one vector a sentence."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WEIGHT_DECAYS = (1e-4, 1e-3, 1e-2, 1e-1)
MOST_STEPS = 100


class Part(NamedTuple):
    """The sentences of a part as vectors, (num_sentences, dim) float32, and their labels, (num_sentences,) int64."""

    vectors: Tensor
    labels: Tensor


def accuracy(train: Part, dev: Part, test: Part) -> float:
    """Of the classifier on TEST, its weight decay chosen on DEV."""
    mean, deviation = train.vectors.mean(dim=0), train.vectors.std(dim=0).clamp(min=1e-6)
    train, dev, test = (part._replace(vectors=(part.vectors - mean) / deviation) for part in (train, dev, test))
    classifiers = [fit(train, decay) for decay in WEIGHT_DECAYS]
    return share_right(max(classifiers, key=lambda classifier: share_right(classifier, dev)), test)


def fit(train: Part, weight_decay: float) -> nn.Linear:
    """Multinomial logistic regression by L-BFGS, from zeros."""
    classifier = nn.Linear(train.vectors.shape[1], int(train.labels.max()) + 1)
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    optimizer = torch.optim.LBFGS(classifier.parameters(), max_iter=MOST_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(classifier(train.vectors), train.labels)
        value = value + weight_decay / 2 * classifier.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return classifier


def share_right(classifier: nn.Linear, part: Part) -> float:
    """Accuracy."""
    return float((classifier(part.vectors).argmax(dim=1) == part.labels).double().mean())
