"""Sentences as names of datasets, where `/` nests groups (`allennlp elmo --use-sentence-keys`)."""

from itertools import islice

from pytorch_elmo.errors import TextError
from pytorch_elmo.storage.layout import Texts

_LEAVE_OUT = "leave out --use-sentence-keys"


def path_of_key(key: str, index: int) -> str:
    """The HDF5 path of a sentence's dataset: empty parts and `.` stand for nothing, as in HDF5 itself.

    Raises:
        TextError: HDF5 has no such name; `index` counts from 0, the message from 1.
    """
    if "\0" in key:
        raise TextError(f"a sentence used as a key cannot hold a NUL, got {key!r} in line {index + 1}; {_LEAVE_OUT}")
    try:
        key.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(
            f"a sentence used as a key cannot hold half of a character (a lone surrogate), got {key!r} in line "
            f"{index + 1}; {_LEAVE_OUT}"
        ) from error
    path = "/".join(part for part in key.split("/") if part not in ("", "."))
    if not path:
        raise TextError(
            f"a sentence used as a key must name something, got {key!r} in line {index + 1}; {_LEAVE_OUT}"
        )
    return path


def refuse_conflict(keys: Texts, index: int) -> None:
    """Name the earlier sentence that leaves no place for the dataset of sentence `index`.

    HDF5 notices a conflict by itself, so that no table of names is kept; this looks for its reason.

    Raises:
        TextError: an earlier key is the same, or one is a group in the path of the other.
    """
    texts = list(islice(keys(), index, index + 1))
    parts = path_of_key(texts[0], index).split("/")
    for earlier, key in enumerate(islice(keys(), index)):
        others = path_of_key(key, earlier).split("/")
        shared = min(len(parts), len(others))
        if parts[:shared] == others[:shared]:
            reason = "are the same" if len(parts) == len(others) else "would be a dataset and a group of one name"
            raise TextError(
                f"sentences used as keys must be different, but lines {earlier + 1} and {index + 1} {reason}: "
                f"{key!r} and {texts[0]!r}; {_LEAVE_OUT}"
            )
