"""Examples to learn from: what a model is given, and what it should say."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pytorch_elmo.errors import ConfigurationError

Inputs = Tensor | Sequence[str]


@dataclass(frozen=True)
class Examples:
    """Inputs and labels, one of each an example.

    Attributes:
        inputs: a tensor whose first axis is the examples (vectors, ids, means of layers), or texts.
        labels: (num_examples,) int64, classes counted from 0.

    Raises:
        ConfigurationError: no examples, another number of labels, or labels that are no whole numbers.
    """

    inputs: Inputs
    labels: Tensor

    def __post_init__(self) -> None:
        if self.labels.ndim != 1 or self.labels.is_floating_point() or len(self.labels) != len(self.inputs):
            raise ConfigurationError(
                f"labels are whole numbers, one an example ({len(self.inputs)}), got {self.labels.dtype} of shape "
                f"{tuple(self.labels.shape)}; give one class an example"
            )
        if not len(self.labels):
            raise ConfigurationError("at least one example is needed, got 0; check how the data were read")

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indexes: Tensor) -> "Examples":
        """The examples at some places, (batch_size,) int64."""
        if isinstance(self.inputs, Tensor):
            return Examples(self.inputs[indexes], self.labels[indexes])
        return Examples([self.inputs[index] for index in indexes.tolist()], self.labels[indexes])
