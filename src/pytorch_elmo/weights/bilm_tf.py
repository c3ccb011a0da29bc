"""bilm-tf's checkpoints: what its trainer saves, softmax and all."""

import re
from pathlib import Path

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats import TensorBundle
from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.progress import Progress
from pytorch_elmo.weights.arrays import Arrays, bilm_from_arrays, softmax_from_arrays
from pytorch_elmo.weights.table import Shape, checkpoint_variable, softmax_rules, weight_rules

_LATEST = "checkpoint"
_INDEX = ".index"
_LATEST_PATH = re.compile(r'^model_checkpoint_path: "(.+)"\s*$', flags=re.MULTILINE)
_SLOT = re.compile(r".*/Adagrad(_\d+)?")
_OF_TRAINING = ("global_step", "train_perplexity")


class BilmTfCheckpoint:
    """A checkpoint with the architecture that its options file describes; names and shapes are checked at once.

    Args:
        prefix: the path without `.index`, see `find_checkpoint`.
        config: what the options file beside it says.

    Raises:
        WeightsError: unreadable, a variable is missing, has no place in the network, or is not float32 of the
            promised shape.
    """

    def __init__(self, prefix: Path, config: BiLMConfig) -> None:
        self.config, self._bundle = config, TensorBundle(prefix)
        self._bilm_shapes = {rule.dataset: rule.shape for rule in weight_rules(config)}
        self._softmax_shapes = self._find_softmax()
        shapes = {**self._bilm_shapes, **self._softmax_shapes}
        self._variables = {dataset: checkpoint_variable(dataset, config) for dataset in shapes}
        expected = {self._variables[dataset]: shape for dataset, shape in shapes.items()}
        self._check(expected)
        slots = sum(1 for name in self._bundle if _SLOT.fullmatch(name))
        of_training = [
            *([f"{slots} variables of the optimizer"] if slots else []),
            *(name for name in _OF_TRAINING if name in self._bundle),
        ]
        self.notes = [f"left out: {', '.join(of_training)}"] if of_training else []

    @property
    def vocabulary_size(self) -> int | None:
        """Words that the softmax predicts; None if the checkpoint has none."""
        return self._softmax_shapes["softmax/W"][0] if self._softmax_shapes else None

    def read(self, progress: Progress, *, with_softmax: bool) -> tuple[BiLM, Softmax | None]:
        """The biLM, and its output layer if asked for, frozen; `progress` hears bytes.

        Raises:
            WeightsError: a data file is missing or damaged, or a variable holds NaN or infinity.
        """
        datasets = [*self._bilm_shapes, *(self._softmax_shapes if with_softmax else ())]
        total = sum(self._bundle.num_bytes(self._variables[dataset]) for dataset in datasets)
        progress.start(total=total, unit="B", label="reading")
        arrays: Arrays = {}
        for dataset in datasets:
            arrays[dataset] = self._bundle.read(self._variables[dataset])
            progress.advance(arrays[dataset].nbytes)
        progress.finish()
        softmax = {name: arrays.pop(name) for name in self._softmax_shapes if with_softmax}
        bilm = bilm_from_arrays(arrays, self.config, str(self._bundle.prefix))
        return bilm, softmax_from_arrays(softmax) if softmax else None

    def _find_softmax(self) -> dict[str, Shape]:
        """Datasets of the output layer; its first variable tells how many words there are."""
        first = checkpoint_variable("softmax/W", self.config)
        if first not in self._bundle:
            return {}
        vocabulary_size = (*self._bundle.shape(first), 0)[0]
        return {r.dataset: r.shape for r in softmax_rules(vocabulary_size, self.config.lstm.projection_size)}

    def _check(self, expected: dict[str, Shape]) -> None:
        source = self._bundle.prefix
        found = {name for name in self._bundle if not (_SLOT.fullmatch(name) or name in _OF_TRAINING)}
        if missing := sorted(expected.keys() - found):
            raise WeightsError(
                f"{source}: misses {len(missing)} variable(s), first {missing[0]} {expected[missing[0]]}; "
                "is it the checkpoint that belongs to these options?"
            )
        if unknown := sorted(found - expected.keys()):
            raise WeightsError(
                f"{source}: {len(unknown)} variable(s) have no place in the network that the options describe, "
                f"first {unknown[0]}; nothing was converted"
            )
        for name, shape in expected.items():
            kind = (self._bundle.dtype(name), self._bundle.shape(name))
            if kind != ("float32", shape):
                raise WeightsError(
                    f"{source}: {name} is {kind[0]} {kind[1]}, the options promise float32 {shape}; take the options "
                    "file that came with this checkpoint"
                )


def is_checkpoint(path: Path) -> bool:
    """Whether a path is a folder of TensorFlow checkpoints, or the index of one."""
    if path.is_dir():
        return (path / _LATEST).is_file() or any(path.glob(f"*{_INDEX}"))
    return path.suffix == _INDEX


def find_checkpoint(path: Path) -> Path:
    """The prefix of the checkpoint that a path means: of the latest in a folder, or of the index that it names.

    Raises:
        WeightsError: the folder does not say which.
    """
    if not path.is_dir():
        return path.with_suffix("")
    latest = path / _LATEST
    if latest.is_file():
        named = _LATEST_PATH.search(latest.read_text(encoding="utf-8", errors="replace"))
        if named is None:
            raise WeightsError(f"{latest} names no checkpoint; give the path of one, FOLDER/NAME{_INDEX}")
        return path / re.split(r"[/\\]", named[1])[-1]  # where it was trained the folder had another name
    found = sorted(path.glob(f"*{_INDEX}"))
    if len(found) > 1:
        names = ", ".join(index.name for index in found)
        raise WeightsError(f"{path} holds the checkpoints {names} and does not say which is the latest; name one")
    return found[0].with_suffix("")
