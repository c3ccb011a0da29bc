"""TensorFlow's checkpoints since 2016: an index of tensors and the files of their bytes (TensorBundle, V2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.bundle_entry import BundleEntry, parse_entry, places_of, slice_key
from pytorch_elmo.formats.crc32c import masked_crc32c
from pytorch_elmo.formats.sorted_table import read_table
from pytorch_elmo.formats.wire import Message, read_varint

_INDEX = ".index"
_NUM_SHARDS, _ENDIANNESS, _VERSION, _OLDEST_READER = 1, 2, 3, 2
_VERSION_READ = 1
_STRING, _BFLOAT16 = 7, 14
# TensorFlow's `types.proto`.
_NAMES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64",
    9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip


class TensorBundle:
    """The tensors of a checkpoint `PREFIX.index` with `PREFIX.data-00000-of-00001` and its like, read one by one.

    Each is checked against its check sum. Tensors that were saved in slices are joined. No TensorFlow is needed.

    Args:
        prefix: the path without `.index`.

    Raises:
        WeightsError: no such checkpoint, or its index is damaged or of an unknown version.
    """

    def __init__(self, prefix: str | Path) -> None:
        self.prefix = Path(prefix)
        self._index = self.prefix.with_name(self.prefix.name + _INDEX)
        try:
            content = self._index.read_bytes()
        except OSError as error:
            raise WeightsError(
                f"cannot read the index of a checkpoint, {self._index}: {error.strerror}; name the path that ends "
                f"in {_INDEX}, without that ending"
            ) from error
        with self._damage_named(self._index):
            table = read_table(content)
            self._read_header(table.pop(b"", b""))
            self._entries = {key: parse_entry(value) for key, value in table.items()}

    def __iter__(self) -> Iterator[str]:
        """Names of the tensors, in the order of the index, which is alphabetical."""
        return (_decoded(key) for key in self._entries if not key.startswith(b"\0"))  # the others are slices

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: str) -> bool:
        return _encoded(name) in self._entries

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape; () of a single number."""
        return self._entry(name).shape

    def dtype(self, name: str) -> str:
        """A tensor's dtype as TensorFlow calls it, `float32`, `string`, `bfloat16` and so on."""
        entry = self._entry(name)
        return _NAMES.get(entry.dtype, f"dtype {entry.dtype}")

    def num_bytes(self, name: str) -> int:
        """What reading a tensor takes from the files, in bytes."""
        entry = self._entry(name)
        keys = [slice_key(_encoded(name), part) for part in entry.slices]
        return entry.size + sum(self._entries[key].size for key in keys if key in self._entries)

    def read(self, name: str) -> NDArray[Any]:
        """A tensor of its own shape and dtype; bfloat16 becomes float32, strings become an object array of `bytes`.

        Raises:
            WeightsError: no such tensor, a data file is missing or cut off, the bytes are not those that were
                written, or the dtype is none that this reader knows.
        """
        entry = self._entry(name)
        if entry.dtype not in _NAMES:
            known = ", ".join(_NAMES.values())
            raise WeightsError(f"{self.prefix}: {name} has the unknown dtype {entry.dtype}; known are {known}")
        if not entry.slices:
            return self._read_entry(name, entry)
        with self._damage_named(self._index, name):
            return self._join_slices(name, entry)

    def _entry(self, name: str) -> BundleEntry:
        entry = self._entries.get(_encoded(name))
        if entry is None:
            raise WeightsError(f"the checkpoint {self.prefix} has no tensor {name}; it has {len(self)} others")
        return entry

    def _read_header(self, content: bytes) -> None:
        header = Message(content)
        self._num_shards = header.number(_NUM_SHARDS)
        if not self._num_shards:
            raise ValueError("it has no header")
        if header.number(_ENDIANNESS):
            raise ValueError("its numbers are big-endian, which is not read here")
        if header.message(_VERSION).number(_OLDEST_READER) > _VERSION_READ:
            raise ValueError("it is of a version that came later")

    def _join_slices(self, name: str, entry: BundleEntry) -> NDArray[Any]:
        parts = []
        for part in entry.slices:
            places = places_of(part, entry.shape)
            stored = self._entries.get(slice_key(_encoded(name), part))
            if stored is None:
                raise ValueError("the data of one of its slices are not in the index")
            if stored.shape != tuple(place.stop - place.start for place in places) or stored.dtype != entry.dtype:
                raise ValueError(f"one of its slices has the shape {stored.shape}, which is not the slice's")
            parts.append((places, stored))
        if sum(stored.num_elements for _, stored in parts) != entry.num_elements:
            raise ValueError("its slices are not the whole tensor")
        joined: NDArray[Any] | None = None
        for places, stored in parts:
            values = self._read_entry(name, stored)
            joined = np.empty(entry.shape, dtype=values.dtype) if joined is None else joined
            joined[places] = values
        assert joined is not None
        return joined

    def _read_entry(self, name: str, entry: BundleEntry) -> NDArray[Any]:
        path = self._shard(entry.shard)
        with self._damage_named(path, name):
            content = _read_bytes(path, entry)
            if entry.dtype == _STRING:
                return _parse_strings(content, entry)
            dtype = np.dtype("uint16" if entry.dtype == _BFLOAT16 else _NAMES[entry.dtype]).newbyteorder("<")
            if entry.size != entry.num_elements * dtype.itemsize:
                raise ValueError(f"it has {entry.size} bytes, its shape {entry.shape} does not")
            if masked_crc32c(content) != entry.check_sum:
                raise ValueError("its check sum is wrong")
            values = content.view(dtype).reshape(entry.shape)
            if entry.dtype == _BFLOAT16:
                return (values.astype(np.uint32) << 16).view(np.float32)
            return values.astype(dtype.newbyteorder("="), copy=False)

    def _shard(self, number: int) -> Path:
        return self.prefix.with_name(f"{self.prefix.name}.data-{number:05}-of-{self._num_shards:05}")

    @contextmanager
    def _damage_named(self, path: Path, name: str = "") -> Iterator[None]:
        """Say in which file, and in which tensor, what is wrong."""
        place = f"{path}: {name}" if name else str(path)
        try:
            yield
        except OSError as error:
            raise WeightsError(
                f"{place}: cannot read it: {error.strerror}; all files of a checkpoint go together, fetch them anew"
            ) from error
        except ValueError as error:
            raise WeightsError(f"{place}: {error}; fetch the checkpoint anew") from error


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _decoded(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _read_bytes(path: Path, entry: BundleEntry) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        length = file.seek(0, 2)
        if entry.offset + entry.size > length:
            raise ValueError(f"it ends at byte {entry.offset + entry.size}, the file at {length}: it is cut off")
        file.seek(entry.offset)
        content = np.empty(entry.size, dtype=np.uint8)
        if file.readinto(content.data) != entry.size:
            raise ValueError("the file became shorter while it was read")
    return content


def _parse_strings(content: NDArray[np.uint8], entry: BundleEntry) -> NDArray[Any]:
    """Lengths of all elements, a check sum of these, then the elements themselves, end to end."""
    data = content.tobytes()
    if entry.num_elements > len(data):
        raise ValueError(f"it has {len(data)} bytes, too few for the shape {entry.shape}")
    lengths, place = [], 0
    for _ in range(entry.num_elements):
        length, place = read_varint(data, place)
        lengths.append(length)
    checked = b"".join(length.to_bytes(4 if length < 1 << 32 else 8, "little") for length in lengths)
    checked += data[place : place + 4]
    start = place + 4
    if sum(lengths) != len(data) - start:
        raise ValueError(f"its strings have {sum(lengths)} bytes, there are {len(data) - start}")
    if masked_crc32c(checked[:-4]).to_bytes(4, "little") != data[place:start]:
        raise ValueError("the check sum of its lengths is wrong")
    if masked_crc32c(checked + data[start:]) != entry.check_sum:
        raise ValueError("its check sum is wrong")
    strings = np.empty(entry.num_elements, dtype=object)
    for index, length in enumerate(lengths):
        strings[index] = data[start : start + length]
        start += length
    return strings.reshape(entry.shape)
