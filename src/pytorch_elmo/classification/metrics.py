"""How good predictions are: as the tutorials compute it, and as the names are usually meant.

Every metric takes logits (num_examples, 1), before the sigmoid, or (num_examples, num_classes), before the softmax,
and labels (num_examples,) int64.

As usually meant: `accuracy`, `macro_precision`, `macro_recall`, `macro_f1`. As the tutorials compute it:
`accuracy_of_probabilities` (a Keras model that ends in a sigmoid), `accuracy_of_logits_above_half` (a Keras model
that ends in a logit), `binarised_precision` and `binarised_recall` (`tf.metrics` with three classes).
"""

from collections.abc import Callable

import torch
from torch import Tensor

Metric = Callable[[Tensor, Tensor], float]


def predicted_classes(logits: Tensor) -> Tensor:
    """The class of the largest logit, the lowest of equals; of one logit a row, 1 where it is above 0.

    Returns:
        (num_examples,) int64.
    """
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of examples whose predicted class is their label."""
    return _share(predicted_classes(logits) == labels)


def accuracy_of_probabilities(logits: Tensor, labels: Tensor) -> float:
    """Keras' accuracy of a model that ends in a sigmoid: class 1 where the probability, rounded, is above 0.5."""
    return _share((logits[:, 0].sigmoid() > 0.5) == labels.bool())


def accuracy_of_logits_above_half(logits: Tensor, labels: Tensor) -> float:
    """Keras' accuracy of a model that ends in a logit: class 1 where the logit itself is above 0.5.

    So an example counts as class 1 from a probability of 0.6225 on.
    """
    return _share((logits[:, 0] > 0.5) == labels.bool())


def binarised_precision(logits: Tensor, labels: Tensor) -> float:
    """Precision after `tf.metrics` has cast classes to truth values: class 0 is negative, all others are positive.

    0 where no example is predicted positive.
    """
    positive, wanted = predicted_classes(logits) > 0, labels > 0
    return _ratio((positive & wanted).sum(), positive.sum())


def binarised_recall(logits: Tensor, labels: Tensor) -> float:
    """Recall of the truth values of `binarised_precision`; 0 where no label is positive."""
    positive, wanted = predicted_classes(logits) > 0, labels > 0
    return _ratio((positive & wanted).sum(), wanted.sum())


def macro_precision(logits: Tensor, labels: Tensor) -> float:
    """Mean over the classes, each counting the same, of the share of its predictions that are right."""
    right, predicted, _ = _counts(logits, labels)
    return _mean_of_ratios(right, predicted)


def macro_recall(logits: Tensor, labels: Tensor) -> float:
    """Mean over the classes of the share of its examples that are found."""
    right, _, wanted = _counts(logits, labels)
    return _mean_of_ratios(right, wanted)


def macro_f1(logits: Tensor, labels: Tensor) -> float:
    """Mean over the classes of the harmonic mean of precision and recall (Cohan et al. 2019 report it)."""
    right, predicted, wanted = _counts(logits, labels)
    return _mean_of_ratios(2 * right, predicted + wanted)


def _counts(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Right predictions, predictions and labels of each class that is predicted or wanted anywhere."""
    classes, num_classes = predicted_classes(logits), max(logits.shape[1], 2)
    predicted = torch.bincount(classes, minlength=num_classes)
    wanted = torch.bincount(labels, minlength=num_classes)
    right = torch.bincount(labels[classes == labels], minlength=num_classes)
    present = predicted + wanted > 0
    return right[present], predicted[present], wanted[present]


def _mean_of_ratios(parts: Tensor, wholes: Tensor) -> float:
    """A class without a whole counts as 0."""
    return (parts.double() / wholes.clamp(min=1)).mean().item() if len(parts) else 0.0


def _ratio(part: Tensor, whole: Tensor) -> float:
    return int(part) / int(whole) if whole else 0.0


def _share(right: Tensor) -> float:
    return right.double().mean().item() if len(right) else 0.0
