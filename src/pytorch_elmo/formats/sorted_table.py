"""LevelDB's table of sorted keys (`.ldb`, TensorFlow's `.index`), read whole.

Blocks hold entries whose keys leave out what they share with the key before; an index block says where the data
blocks are, a footer where the index is (LevelDB's document on its table format).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pytorch_elmo.formats.crc32c import masked_crc32c
from pytorch_elmo.formats.wire import read_varint

_MAGIC = 0xDB4775248B80FB57
_FOOTER_SIZE, _HANDLES_SIZE = 48, 40
_SNAPPY_EXPANDS_BY = 32  # at most; a copy of 64 bytes takes three


class _Handle(NamedTuple):
    offset: int
    size: int


def read_table(content: bytes) -> dict[bytes, bytes]:
    """Every key of a table file and its value, in the order of the keys.

    Raises:
        ValueError: the file is cut off, damaged, or none.
    """
    if len(content) < _FOOTER_SIZE:
        raise ValueError(f"it is cut off: {len(content)} bytes, a table has {_FOOTER_SIZE} at least")
    footer = content[-_FOOTER_SIZE:]
    if struct.unpack("<Q", footer[_HANDLES_SIZE:])[0] != _MAGIC:
        raise ValueError("it does not end as a table does: it is cut off, or a file of another kind")
    _, place = _read_handle(footer, 0)  # of the block of metadata, which says nothing here
    index, _ = _read_handle(footer, place)
    found: dict[bytes, bytes] = {}
    last: bytes | None = None
    for _, value in _entries(_block(content, index)):
        for key, data in _entries(_block(content, _read_handle(value, 0)[0])):
            if last is not None and key <= last:
                raise ValueError("its keys are not in order")
            found[key] = data
            last = key
    return found


def _read_handle(content: bytes, place: int) -> tuple[_Handle, int]:
    offset, place = read_varint(content, place)
    size, place = read_varint(content, place)
    return _Handle(offset, size), place


def _block(content: bytes, handle: _Handle) -> bytes:
    """A block's bytes, checked and unpacked; behind them stand one byte for the packing, and the check sum."""
    end = handle.offset + handle.size
    if end + 5 > len(content) - _FOOTER_SIZE:
        raise ValueError(f"it is cut off: a block should end at byte {end + 5}")
    checked = content[handle.offset : end + 1]
    if struct.unpack("<I", content[end + 1 : end + 5])[0] != masked_crc32c(checked):
        raise ValueError(f"the check sum of its block at byte {handle.offset} is wrong")
    match checked[-1]:
        case 0:  # not at all
            return checked[:-1]
        case 1:  # snappy
            return _unpack_snappy(checked[:-1])
        case packing:
            raise ValueError(f"its block at byte {handle.offset} is packed in the unknown way {packing}")


def _unpack_snappy(packed: bytes) -> bytes:
    import pyarrow  # type: ignore[import-untyped]

    size, _ = read_varint(packed, 0)
    if size > _SNAPPY_EXPANDS_BY * len(packed):
        raise ValueError(f"a block of {len(packed)} bytes says that it unpacks to {size}")
    try:
        unpacked: bytes = pyarrow.Codec("snappy").decompress(packed, decompressed_size=size, asbytes=True)
    except OSError as error:  # pyarrow's word for damage
        raise ValueError(f"a block cannot be unpacked: {error}") from error
    return unpacked


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; after them the block lists places at which keys begin anew, which reading in order skips."""
    if len(block) < 4:
        raise ValueError("a block is too short")
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    if end < 0:
        raise ValueError("a block is too short for what it lists")
    key, place = b"", 0
    while place < end:
        shared, place = read_varint(block, place)
        fresh, place = read_varint(block, place)
        size, place = read_varint(block, place)
        if shared > len(key) or place + fresh + size > end:
            raise ValueError("an entry of a block is longer than the block")
        key = key[:shared] + block[place : place + fresh]
        yield key, block[place + fresh : place + fresh + size]
        place += fresh + size
