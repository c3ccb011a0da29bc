"""What a layer file holds and how it was made, as one strict record."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import get_type_hints

from pytorch_elmo.errors import LayerFileError

FORMAT_VERSION = 1
PER_SENTENCE, PACKED = "per-sentence", "packed"
INDEX_KEYS, SENTENCE_KEYS = "index", "sentence"
_CHOICES = {
    "layout": (PER_SENTENCE, PACKED),
    "dtype": ("float32", "float16"),
    "keys": (INDEX_KEYS, SENTENCE_KEYS),
}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The record that every layer file of this project carries as an attribute of its root.

    `complete` is the only field that ever changes, so it is kept in an attribute of its own, not in the JSON.

    Raises:
        LayerFileError: a field has a value that no layer file can have.
    """

    project_version: str
    model: str
    model_hash: str
    layers: str  # "all", "top", "average", "layer 1", "mix [...]"
    num_layers: int | None  # None: one vector per token, without an axis for the layers
    dim: int
    dtype: str  # of the stored vectors
    precision: str  # of the computation
    state_mode: str
    start_state: str  # "zeros" or a hash
    layout: str
    keys: str
    num_sentences: int
    num_tokens: int
    input_sha256: str
    tokenizer: str
    batch_plan: str
    format_version: int = FORMAT_VERSION
    complete: bool = False

    def __post_init__(self) -> None:
        for field, hint in get_type_hints(type(self)).items():
            value = getattr(self, field)
            if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
                name = getattr(hint, "__name__", str(hint))
                raise LayerFileError(f"{field} of a manifest must be of type {name}, got {value!r}")
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in choices:
                raise LayerFileError(
                    f"{field} of a manifest must be one of {', '.join(choices)}, got {getattr(self, field)!r}"
                )
        if self.dim < 1 or (self.num_layers is not None and self.num_layers < 1):
            raise LayerFileError(
                f"dim and num_layers of a manifest must be at least 1, got {self.dim} and {self.num_layers}"
            )
        if self.layout == PACKED and self.keys == SENTENCE_KEYS:
            raise LayerFileError("sentence keys need one dataset a sentence, got the packed layout; use index keys")

    def to_dict(self) -> dict[str, object]:
        """The fields as they are stored, without `complete`."""
        stored = asdict(self)
        del stored["complete"]
        return stored

    def to_json(self) -> str:
        """The stored form: an ASCII JSON object without `complete`."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str, *, complete: bool) -> "Manifest":
        """Read the stored form; nothing is ignored or filled in.

        Raises:
            LayerFileError: not JSON, another format version, a missing or unknown key, a value that cannot be.
        """
        try:
            stored = json.loads(text)
        except json.JSONDecodeError as error:
            raise LayerFileError(
                f"a manifest must be JSON ({error}), got {text[:40]!r}; make the file again"
            ) from error
        if not isinstance(stored, dict):
            raise LayerFileError(f"a manifest must be a JSON object, got {text[:40]!r}; make the file again")
        version = stored.get("format_version")
        if version != FORMAT_VERSION:
            raise LayerFileError(
                f"the format version must be {FORMAT_VERSION}, got {version!r}; read the file with the pytorch-elmo "
                f"that wrote it ({stored.get('project_version', 'unknown')})"
            )
        expected = {field.name for field in fields(cls)} - {"complete"}
        for what, keys in (("lacks the", expected - stored.keys()), ("has the unknown", stored.keys() - expected)):
            if keys:
                raise LayerFileError(f"the manifest {what} key(s) {', '.join(sorted(keys))}; make the file again")
        return replace(cls(**stored), complete=complete)


def first_difference(stored: dict[str, object], given: dict[str, object]) -> str | None:
    """The first field, by name, in which two records differ, with both values; None if there is none."""
    absent = "nothing"
    for field in sorted(stored.keys() | given.keys()):
        before, now = stored.get(field, absent), given.get(field, absent)
        if before != now:
            return f"{field} was {before!r} and is now {now!r}"
    return None
