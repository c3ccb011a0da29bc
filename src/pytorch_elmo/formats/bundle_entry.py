"""What a TensorBundle's index says of a tensor, and the keys under which the parts of a sliced one stand.

Field numbers are those of TensorFlow's `tensor_bundle.proto`, `tensor_shape.proto` and `tensor_slice.proto`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pytorch_elmo.formats.wire import Message, as_signed

_DTYPE, _SHAPE, _SHARD, _OFFSET, _SIZE, _CHECK_SUM, _SLICES = range(1, 8)
_DIMENSIONS, _LENGTH_OF_DIMENSION = 2, 1
_EXTENTS, _START, _LENGTH = 1, 1, 2
_WHOLE_AXIS = -1


class Extent(NamedTuple):
    """The part of one axis that a slice covers; a length of -1 is the whole axis."""

    start: int
    length: int


Slice = tuple[Extent, ...]


class BundleEntry(NamedTuple):
    """Where a tensor's bytes are.

    Attributes:
        dtype: TensorFlow's number for it.
        shape: of the whole tensor.
        shard: number of the data file.
        offset: of the first byte in it.
        size: bytes; 0 for a tensor in slices.
        check_sum: masked CRC-32C of the bytes.
        slices: the parts, of a tensor whose data stand elsewhere.
    """

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    check_sum: int
    slices: tuple[Slice, ...]

    @property
    def num_elements(self) -> int:
        """Of the whole tensor."""
        return math.prod(self.shape)


def parse_entry(content: bytes) -> BundleEntry:
    """An entry of the index.

    Raises:
        ValueError: it is no entry.
    """
    message = Message(content)
    shape = tuple(
        as_signed(dimension.number(_LENGTH_OF_DIMENSION))
        for dimension in message.message(_SHAPE).messages(_DIMENSIONS)
    )
    if any(length < 0 for length in shape):
        raise ValueError(f"a shape must be known, {shape} is not")
    return BundleEntry(
        dtype=message.number(_DTYPE),
        shape=shape,
        shard=message.number(_SHARD),
        offset=message.number(_OFFSET),
        size=message.number(_SIZE),
        check_sum=message.number(_CHECK_SUM),
        slices=tuple(_parse_slice(part) for part in message.messages(_SLICES)),
    )


def _parse_slice(message: Message) -> Slice:
    extents = message.messages(_EXTENTS)
    return tuple(
        Extent(as_signed(extent.number(_START)), as_signed(extent.number(_LENGTH)) if _LENGTH in extent else -1)
        for extent in extents
    )


def places_of(part: Slice, shape: Sequence[int]) -> tuple[slice, ...]:
    """The part of the whole tensor that a slice is.

    Raises:
        ValueError: it lies outside the tensor.
    """
    if len(part) != len(shape):
        raise ValueError(f"a slice has {len(part)} axes, the tensor {len(shape)}")
    places = []
    for extent, size in zip(part, shape, strict=True):
        end = size if extent.length == _WHOLE_AXIS else extent.start + extent.length
        if not 0 <= extent.start <= end <= size:
            raise ValueError(f"a slice from {extent.start} to {end} lies outside an axis of {size}")
        places.append(slice(extent.start, end))
    return tuple(places)


def slice_key(name: bytes, part: Slice) -> bytes:
    """The key of one slice's data: 0, name, number of axes and extents, so written that bytes sort as values do."""
    escaped = b"".join(_ESCAPED.get(byte, bytes([byte])) for byte in name)
    extents = b"".join(_ordered_signed(number) for extent in part for number in extent)
    return _ordered(0) + escaped + b"\0\1" + _ordered(len(part)) + extents


_ESCAPED = {0x00: b"\x00\xff", 0xFF: b"\xff\x00"}


def _ordered(number: int) -> bytes:
    """An unsigned number: how many bytes, then the bytes, highest first."""
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _ordered_signed(number: int) -> bytes:
    """A signed number: two's complement, highest byte first, with as many leading ones flipped as it has bytes."""
    magnitude = number if number >= 0 else ~number
    size = magnitude.bit_length() // 7 + 1  # each byte gives up one bit to the count, one bit is the sign
    header = ((1 << size) - 1) << 7 * size
    return ((number & (1 << 8 * size) - 1) ^ header).to_bytes(size, "big")
