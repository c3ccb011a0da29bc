"""What is minimised: the mean over a batch of an example's cross entropy, always from logits."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of two classes.

    Keras computes it from the logit even where a model ends in a sigmoid, and does not clip it then.

    Args:
        logits: (batch_size, 1) float, before the sigmoid.
        labels: (batch_size,) int64, 0 or 1.

    Returns:
        () float.
    """
    return F.binary_cross_entropy_with_logits(logits.squeeze(1), labels.to(logits.dtype))


def softmax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of several classes.

    Args:
        logits: (batch_size, num_classes) float, before the softmax.
        labels: (batch_size,) int64.

    Returns:
        () float.
    """
    return F.cross_entropy(logits, labels)
