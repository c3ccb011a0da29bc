"""A slow writer of TensorBundles, by the description of the format, for tests to read and to do harm to."""

import struct
from pathlib import Path

import numpy as np

DTYPES = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "object": 7, "complex64": 8,
    "int64": 9, "bool": 10, "uint16": 17, "complex128": 18, "float16": 19, "uint32": 22, "uint64": 23,
}  # fmt: skip
MAGIC = 0xDB4775248B80FB57


def crc32c(content: bytes) -> int:
    """Bit by bit."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    value = crc32c(content)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def number_field(field: int, number: int) -> bytes:
    """Nothing for 0, as TensorFlow writes it."""
    return varint(field << 3) + varint(number) if number else b""


def bytes_field(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def shape_message(shape: tuple[int, ...]) -> bytes:
    return b"".join(bytes_field(2, number_field(1, length)) for length in shape)


def entry(
    dtype: int, shape: tuple[int, ...], *, shard: int = 0, offset: int = 0, content: bytes = b"", slices: bytes = b""
) -> bytes:
    check = varint(6 << 3 | 5) + masked(content)
    where = number_field(3, shard) + number_field(4, offset) + number_field(5, len(content))
    return number_field(1, dtype) + bytes_field(2, shape_message(shape)) + where + check + slices


def header(num_shards: int = 1, *, endianness: int = 0, oldest_reader: int = 0) -> bytes:
    version = number_field(1, 1) + number_field(2, oldest_reader)
    return number_field(1, num_shards) + number_field(2, endianness) + bytes_field(3, version)


def tensor_bytes(array: np.ndarray) -> bytes:
    """C order, little-endian; strings as lengths, their check sum, and the bytes."""
    if array.dtype != object:
        return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
    elements = array.reshape(-1).tolist()
    checked = b"".join(struct.pack("<I", len(element)) for element in elements)
    return b"".join(varint(len(element)) for element in elements) + masked(checked) + b"".join(elements)


def checked_bytes(array: np.ndarray) -> bytes:
    """What an entry's check sum is taken of: of strings, the lengths are 32 bits each there."""
    if array.dtype != object:
        return tensor_bytes(array)
    elements = array.reshape(-1).tolist()
    lengths = b"".join(struct.pack("<I", len(element)) for element in elements)
    return lengths + masked(lengths) + b"".join(elements)


def block(entries: list[tuple[bytes, bytes]], *, restart_every: int = 16, packing: int = 0) -> bytes:
    out, restarts, last = b"", [], b""
    for index, (key, value) in enumerate(entries):
        shared = 0
        if index % restart_every == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    out += b"".join(struct.pack("<I", place) for place in restarts) + struct.pack("<I", len(restarts))
    if packing == 1:
        out = snappy(out)
    return out + bytes([packing]) + masked(out + bytes([packing]))


def snappy(content: bytes) -> bytes:
    """Packed by literals alone."""
    out = varint(len(content))
    for start in range(0, len(content), 60):
        part = content[start : start + 60]
        out += bytes([len(part) - 1 << 2]) + part
    return out


def table(entries: list[tuple[bytes, bytes]], *, keys_per_block: int = 1000, packing: int = 0) -> bytes:
    """A table file: data blocks, an empty block of metadata, the index block, the footer."""
    out, index = b"", []

    def add(content: bytes) -> bytes:
        nonlocal out
        handle = varint(len(out)) + varint(len(content) - 5)
        out += content
        return handle

    for start in range(0, len(entries), keys_per_block):
        part = entries[start : start + keys_per_block]
        index.append((part[-1][0], add(block(part, packing=packing))))
    handles = add(block([])) + add(block(index, restart_every=1, packing=packing))
    return out + handles.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def write_bundle(
    prefix: Path, tensors: dict[str, np.ndarray], *, num_shards: int = 1, extra: dict[bytes, bytes] | None = None,
    first: bytes | None = None, **how: int,
) -> None:  # fmt: skip
    """Tensors over shards in turn; `extra` entries as they are, `first` in the header's place."""
    shards, entries = [b""] * num_shards, dict(extra or {})
    for number, (name, array) in enumerate(sorted(tensors.items())):
        shard = number % num_shards
        stored = entry(
            DTYPES[array.dtype.name], array.shape, shard=shard, offset=len(shards[shard]), content=tensor_bytes(array)
        )
        if array.dtype == object:
            stored = stored.replace(masked(tensor_bytes(array)), masked(checked_bytes(array)))
        entries[name.encode("utf-8", "surrogateescape")] = stored
        shards[shard] += tensor_bytes(array)
    entries[b""] = header(num_shards) if first is None else first
    prefix.with_name(prefix.name + ".index").write_bytes(table(sorted(entries.items()), **how))
    for number, content in enumerate(shards):
        prefix.with_name(f"{prefix.name}.data-{number:05}-of-{num_shards:05}").write_bytes(content)
