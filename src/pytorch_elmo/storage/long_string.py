"""A long string put into an HDF5 file piece by piece.

HDF5 itself needs the whole string in memory three times over. Here its bytes are appended behind the closed file as a
global heap collection of one object, and the element of a variable-length dataset is pointed at it
(HDF5 File Format Specification, version 3.0: II.A superblock version 0, III.E global heap, VIII.A variable length).
"""

import os
import struct
from collections.abc import Iterable

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.disk import write_at

_SIGNATURE_AND_VERSION = b"\x89HDF\r\n\x1a\n\x00"
_SIZES = (13, b"\x08\x08")  # offset in the superblock: bytes of an address and of a length
_END_OF_FILE = struct.Struct("<Q")
_END_OF_FILE_AT = 40
_COLLECTION = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HH4xQ")
_ELEMENT = struct.Struct("<IQI")
_SMALLEST_COLLECTION = 4096
_LONGEST = 2**32 - 1
_BLOCK = 1 << 20


def _multiple_of_eight(number: int) -> int:
    return -(-number // 8) * 8


def _write_pieces(descriptor: int, pieces: Iterable[bytes], offset: int) -> int:
    """Write `pieces` one behind the other from `offset`, in blocks; returns their length in bytes."""
    block, begin = bytearray(), offset
    for piece in pieces:
        block += piece
        if len(block) >= _BLOCK:
            write_at(descriptor, bytes(block), offset)
            offset += len(block)
            block.clear()
    write_at(descriptor, bytes(block), offset)
    return offset + len(block) - begin


def append_string(descriptor: int, element_offset: int, pieces: Iterable[bytes]) -> None:
    """Let the variable-length string whose element lies at byte `element_offset` be the joined `pieces`.

    `descriptor` is an HDF5 file of the earliest format, open for reading and writing and not open in HDF5.

    Raises:
        LayerFileError: the string is longer than an HDF5 string can be, 4 GiB.
    """
    superblock = os.pread(descriptor, _END_OF_FILE_AT + _END_OF_FILE.size, 0)
    assert superblock.startswith(_SIGNATURE_AND_VERSION)
    assert superblock[_SIZES[0] :].startswith(_SIZES[1])
    (end,) = _END_OF_FILE.unpack_from(superblock, _END_OF_FILE_AT)
    collection = _multiple_of_eight(end)
    begin = collection + _COLLECTION.size + _OBJECT.size
    length = _write_pieces(descriptor, pieces, begin)
    if length > _LONGEST:
        raise LayerFileError(
            f"sentence_to_index must be shorter than 4 GiB, got {length:,} bytes; use --forget-sentences"
        )
    used = begin - collection + _multiple_of_eight(length)
    size = max(used, _SMALLEST_COLLECTION)
    os.ftruncate(descriptor, collection + size)
    if size - used >= _OBJECT.size:  # object 0 is the free space
        write_at(descriptor, _OBJECT.pack(0, 0, size - used), collection + used)
    write_at(descriptor, _COLLECTION.pack(b"GCOL", 1, size) + _OBJECT.pack(1, 0, length), collection)
    write_at(descriptor, _ELEMENT.pack(length, collection, 1), element_offset)
    write_at(descriptor, _END_OF_FILE.pack(collection + size), _END_OF_FILE_AT)
