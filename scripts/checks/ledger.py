"""The golden files, and for every part of each of them what was found out about it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.model import BiLM
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.weights.load import load_bilm

TOLERANCE = 1e-5  # absolute, of forward values and training: the golden README, "Tolerances"
FROM_2, FROM_0_9 = "goldens_2.10.1", "goldens_0.9.0"
MODELS = ("fixture", "syn1", "syn2", "syn3", "syn4", "syn5", "syn6", "syn7")

Array = NDArray[Any]


class GoldenFile:
    """One file's arrays or JSON entries by name; each has to be compared, taken as an input, or accounted for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._left = set(content)
        self.compared = 0
        self.worst, self.worst_name, self.worst_share = 0.0, "", 0.0
        self.purposes: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.faults: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    @property
    def left(self) -> list[str]:
        """Parts that nothing has looked at."""
        return sorted(self._left)

    def prefixes(self) -> list[str]:
        """What stands before the first `__` of the names, each once, in the order of the file."""
        return list(dict.fromkeys(name.split("__")[0] for name in self))

    def rest(self, prefix: str) -> list[str]:
        """The names that begin with `prefix`, without it."""
        return [name.removeprefix(prefix) for name in self if name.startswith(prefix)]

    def take(self, name: str) -> Any:
        """A part that is an input to what is compared."""
        self._left.discard(name)
        return self._content[name]

    def compare(self, name: str, ours: Tensor | Array | list[Tensor] | float, tolerance: float = TOLERANCE) -> None:
        """Equal shapes and dtypes, and no number further away than `tolerance`."""
        mine, theirs = as_array(ours), np.asarray(self.take(name))
        self.compared += 1
        if (mine.shape, mine.dtype) != (theirs.shape, theirs.dtype):
            self.fault(f"{name} is {mine.dtype} {mine.shape}, there {theirs.dtype} {theirs.shape}")
            return
        difference = float(np.abs(mine.astype(np.float64) - theirs.astype(np.float64)).max(initial=0.0))
        if not difference <= tolerance:
            self.fault(f"{name} differs by {difference:.1e}, more than {tolerance:.1e}")
        if difference / tolerance > self.worst_share:
            self.worst, self.worst_name, self.worst_share = difference, name, difference / tolerance

    def equal(self, name: str, ours: Any) -> None:
        """The same value: ids, masks, names, shapes, words."""
        theirs = self.take(name)
        self.compared += 1
        if isinstance(theirs, np.ndarray):
            ours = as_array(ours)
            same = ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
        else:
            same = ours == theirs
        if not same:
            self.fault(f"{name} is {shortened(ours)}, there {shortened(theirs)}")

    def differs(self, name: str, purpose: str, as_promised: bool) -> None:
        """A difference of the table of purposes; `as_promised`: this package does what the table says."""
        self._left.discard(name)
        self.purposes[purpose] += 1
        if not as_promised:
            self.fault(f"{name}: should differ on purpose ({purpose}), but is not what that promises")

    def wait(self, name: str, issue: str) -> None:
        """A part that `issue` is to compare."""
        self._left.discard(name)
        self.waits[issue] += 1

    def fault(self, line: str) -> None:
        """Something that makes parity fail."""
        self.faults.append(line)

    def all_faults(self) -> list[str]:
        """The faults that were noted, and the parts that nothing looked at."""
        left = [f"{len(self.left)} part(s) were not looked at, first {self.left[0]}"] if self.left else []
        return self.faults + left


class Golden:
    """A folder of golden files that remembers which of them were opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, GoldenFile] = {}

    def use(self, path: str) -> Path:
        """A file that is an input as a whole."""
        self.files.setdefault(path, GoldenFile({}))
        return self.folder / path

    def arrays(self, path: str) -> GoldenFile:
        """The arrays of a `.npz` or an HDF5 file."""
        return self._open(path, _read_npz if path.endswith(".npz") else read_hdf5)

    def entries(self, path: str) -> GoldenFile:
        """The entries of a JSON object."""
        return self._open(path, _read_json)

    def leaves(self, path: str) -> GoldenFile:
        """The values inside the nested objects of a JSON object, named `<key>/<key>`."""
        return self._open(path, lambda file: dict(_leaves(_read_json(file))))

    def entries_by_model(self, path: str) -> GoldenFile:
        """The entries of a JSON object of JSON objects, named `<model>__<entry>`."""
        return self._open(path, _read_json_by_model)

    def sentences(self, batch: str) -> list[list[str]]:
        """A batch of tokenised sentences by its name."""
        document = json.loads(self.use(f"inputs/{batch}.json").read_text("utf-8"))
        sentences: list[list[str]] = document["sentences"]
        return sentences

    def ids(self, batch: str) -> Tensor:
        """The character ids of a batch."""
        return batch_to_ids(self.sentences(batch))

    def model_files(self, name: str) -> tuple[Path, Path]:
        """The options file and the weight file of a model."""
        folder, weights = ("fixtures", "lm_weights") if name == "fixture" else (f"models/{name}", "weights")
        return self.use(f"{folder}/options.json"), self.use(f"{folder}/{weights}.hdf5")

    def bilm(self, name: str) -> BiLM:
        """A model by its name."""
        return load_bilm(*self.model_files(name))

    def found(self, pattern: str) -> list[str]:
        """Files that a pattern names, relative to the folder."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(pattern) if path.is_file())

    def all_faults(self) -> list[str]:
        """The faults of all files that were opened."""
        return [f"{path}: {fault}" for path, file in self.files.items() for fault in file.all_faults()]

    def _open(self, path: str, read: Any) -> GoldenFile:
        known = self.files.get(path)
        if known is None or not list(known):
            self.files[path] = GoldenFile(read(self.folder / path))
        return self.files[path]


def as_array(values: Any) -> Array:
    """A tensor's, or a list of tensors', numbers."""
    if isinstance(values, list) and values and isinstance(values[0], Tensor):
        return np.stack([as_array(value) for value in values])
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _read_npz(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _read_json_by_model(path: Path) -> dict[str, Any]:
    return {f"{model}__{name}": entry for model, part in _read_json(path).items() for name, entry in part.items()}


def _leaves(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, entry in content.items():
        if isinstance(entry, dict):
            yield from _leaves(entry, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", entry


def read_hdf5(path: Path) -> dict[str, Any]:
    """All datasets by name; strings as lists of strings."""
    content: dict[str, Any] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            content[name] = item.asstr()[()].tolist() if h5py.check_string_dtype(item.dtype) else item[()]

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    return content


def shortened(value: Any) -> str:
    """A value as one line that a table has room for."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"
