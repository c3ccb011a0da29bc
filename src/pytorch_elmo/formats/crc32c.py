"""CRC-32C (Castagnoli), the check sum of TensorFlow's files, over arrays at a time.

The register after a word is linear in register and word, so words a fixed distance apart are folded together by one
table: thousands of lanes run in step, and at the end they are folded into one.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78  # its bits reversed, as everywhere where the lowest bit goes first
_ALL_ONES = 0xFFFFFFFF
_LANES = 1 << 14  # 32-bit words; a row and the tables stay in the processor's second cache
_LARGE, _SMALL = 16, 8  # bits of a register that a table takes: large ones are faster, but slow to make and to fetch
_SHORT = 1024  # bytes below which a loop over bytes is faster
_MASK_DELTA = 0xA282EAD8


def crc32c(content: bytes | NDArray[np.uint8], before: int = 0) -> int:
    """The check sum of bytes; `before` is that of what stands before them, 0 for nothing."""
    data = np.frombuffer(content, dtype=np.uint8) if isinstance(content, bytes) else content
    register = before ^ _ALL_ONES
    whole = len(data) // 4 * 4 if len(data) >= _SHORT else 0
    if whole:
        register = _over_words(np.ascontiguousarray(data[:whole]).view("<u4"), register)
    table = _byte_table()
    for byte in data[whole:].tolist():
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ _ALL_ONES


def masked_crc32c(content: bytes | NDArray[np.uint8], before: int = 0) -> int:
    """The check sum as LevelDB and TensorFlow store it, turned and shifted so that it may stand among data."""
    value = crc32c(content, before)
    return ((value >> 15 | value << 17) + _MASK_DELTA) & _ALL_ONES


def _over_words(words: Words, register: int) -> int:
    """The register after all words: each is moved on by the zeros that would stand for those after it."""
    first = len(words) % _LANES or _LANES
    lanes = np.zeros(_LANES, dtype=np.uint32)  # zeros in front of the data change nothing
    lanes[-first:] = words[:first]
    lanes[-first] ^= np.uint32(register)
    rows = words[first:].reshape(-1, _LANES)
    tables = _tables(4 * _LANES, _LARGE) if len(rows) else ()
    for row in rows:
        lanes = _advanced(lanes, tables)
        lanes ^= row
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = _advanced(lanes[:half], _tables(4 * half, _SMALL)) ^ lanes[half:]
    return int(_advanced(lanes, _tables(4, _SMALL))[0])


def _advanced(registers: Words, tables: tuple[Words, ...]) -> Words:
    """Registers after the zeros that the tables stand for."""
    parts = registers.astype("<u4", copy=False).view(f"<u{4 // len(tables)}").reshape(-1, len(tables))
    advanced = tables[0].take(parts[:, 0], mode="clip")
    for number, table in enumerate(tables[1:], start=1):
        advanced ^= table.take(parts[:, number], mode="clip")
    return advanced


@cache
def _byte_table() -> tuple[int, ...]:
    """What each lowest byte of a register becomes while a byte is read."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


@cache
def _tables(num_zeros: int, bits: int) -> tuple[Words, ...]:
    """Registers that differ from zero in so many bits alone, the lowest first, after `num_zeros` zero bytes."""
    images = _single_bits_after(num_zeros)
    return tuple(_spanned(images[first : first + bits]) for first in range(0, 32, bits))


@cache
def _single_bits_after(num_zeros: int) -> Words:
    """What each of a register's 32 bits becomes; `num_zeros` is a power of two, twice as many are the map twice."""
    if num_zeros > 1:
        images = _single_bits_after(num_zeros // 2)
        return _mapped(images, images)
    table = _byte_table()
    return np.array([table[(1 << bit) & 0xFF] ^ (1 << bit >> 8) for bit in range(32)], dtype=np.uint32)


def _mapped(registers: Words, images: Words) -> Words:
    bits = registers[:, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
    mapped: Words = np.bitwise_xor.reduce(bits * images, axis=1)
    return mapped


def _spanned(images: Words) -> Words:
    """The sum of `images[bit]` over the set bits of every number of that many bits."""
    table = np.zeros(1, dtype=np.uint32)
    for image in images:
        table = np.concatenate([table, table ^ image])
    return table
