"""Fingerprint64 of FarmHash (Pike and Alakuijala 2014), by which TensorFlow puts unknown tokens into buckets.

The same on every machine, over raw bytes. There is a formula for each range of lengths; each is computed here for
all strings of its range at once. Numbers are unsigned, of 64 bits, and wrap around.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
_Pair = tuple[Words, Words]
_State = tuple[Words, Words, Words, _Pair, _Pair]

_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_ONE = np.uint64(1)
_MOST_SHORT, _MOST_MIDDLE, _BLOCK = 16, 32, 64
_PADDING = bytes(8)  # eight bytes are fetched at a string's end, whatever its length


def fingerprint64(strings: Sequence[bytes]) -> Words:
    """The fingerprints of byte strings.

    Args:
        strings: of any lengths, the empty one among them.

    Returns:
        (number of strings,) uint64; that of `b""` is 11160318154034397263.
    """
    lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
    starts = np.cumsum(lengths) - lengths
    fetch = _Fetcher(b"".join([*strings, _PADDING]))
    prints = np.full(len(strings), _K2)  # the empty string's
    for shortest, longest, formula in (
        (1, 3, _of_1_to_3),
        (4, 7, _of_4_to_7),
        (8, _MOST_SHORT, _of_8_to_16),
        (_MOST_SHORT + 1, _MOST_MIDDLE, _of_17_to_32),
        (_MOST_MIDDLE + 1, _BLOCK, _of_33_to_64),
    ):
        chosen = np.flatnonzero((shortest <= lengths) & (lengths <= longest))
        prints[chosen] = formula(fetch, starts[chosen], lengths[chosen])
    num_blocks = (lengths - 1) // _BLOCK
    for number in np.unique(num_blocks[lengths > _BLOCK]).tolist():
        chosen = np.flatnonzero(num_blocks == number)
        prints[chosen] = _of_more(fetch, starts[chosen], lengths[chosen], number)
    return prints


def hash_buckets(strings: Sequence[bytes], num_buckets: int) -> Places:
    """The bucket of each string, its fingerprint modulo `num_buckets`; (number of strings,) int64."""
    return (fingerprint64(strings) % np.uint64(num_buckets)).astype(np.int64)


class _Fetcher:
    """Little-endian numbers at any bytes of a text."""

    def __init__(self, content: bytes) -> None:
        size = len(content) - 7
        self._bytes = np.frombuffer(content, dtype=np.uint8)
        self._halves = np.ndarray((size,), "<u4", content, strides=(1,))
        self._words = np.ndarray((size,), "<u8", content, strides=(1,))

    def byte(self, places: Places) -> Words:
        return self._bytes[places].astype(np.uint64)

    def half(self, places: Places) -> Words:
        return self._halves[places].astype(np.uint64)

    def word(self, places: Places) -> Words:
        return self._words[places].astype(np.uint64)


def _rotated(value: Words, bits: int) -> Words:
    """To the right."""
    return value >> np.uint64(bits) | value << np.uint64(64 - bits)


def _shift_mixed(value: Words) -> Words:
    return value ^ value >> np.uint64(47)


def _mixed(first: Words, second: Words, factor: Words) -> Words:
    """Two numbers as one."""
    inner = _shift_mixed((first ^ second) * factor)
    return _shift_mixed((second ^ inner) * factor) * factor


def _factor(lengths: Places) -> Words:
    return _K2 + np.uint64(2) * lengths.astype(np.uint64)


def _of_1_to_3(fetch: _Fetcher, starts: Places, lengths: Places) -> Words:
    first, middle, last = (fetch.byte(starts + at) for at in (0 * lengths, lengths >> 1, lengths - 1))
    low = first + (middle << np.uint64(8))
    high = lengths.astype(np.uint64) + (last << np.uint64(2))
    return _shift_mixed(low * _K2 ^ high * _K0) * _K2


def _of_4_to_7(fetch: _Fetcher, starts: Places, lengths: Places) -> Words:
    first, last = fetch.half(starts), fetch.half(starts + lengths - 4)
    return _mixed(lengths.astype(np.uint64) + (first << np.uint64(3)), last, _factor(lengths))


def _of_8_to_16(fetch: _Fetcher, starts: Places, lengths: Places) -> Words:
    factor = _factor(lengths)
    first, last = fetch.word(starts) + _K2, fetch.word(starts + lengths - 8)
    return _mixed(_rotated(last, 37) * factor + first, (_rotated(first, 25) + last) * factor, factor)


def _of_17_to_32(fetch: _Fetcher, starts: Places, lengths: Places) -> Words:
    factor, ends = _factor(lengths), starts + lengths
    return _mixed(*_outer_words(fetch, starts, ends, factor, _K1), factor)


def _of_33_to_64(fetch: _Fetcher, starts: Places, lengths: Places) -> Words:
    factor, ends = _factor(lengths), starts + lengths
    outer, other = _outer_words(fetch, starts, ends, factor, _K2)
    first, third, fourth = fetch.word(starts) * _K2, fetch.word(starts + 16) * factor, fetch.word(starts + 24)
    fifth = (outer + fetch.word(ends - 32)) * factor
    sixth = (_mixed(outer, other, factor) + fetch.word(ends - 24)) * factor
    inner = _rotated(third + fourth, 43) + _rotated(fifth, 30) + sixth
    return _mixed(inner, third + _rotated(fourth + first, 18) + fifth, factor)


def _outer_words(fetch: _Fetcher, starts: Places, ends: Places, factor: Words, weight: np.uint64) -> _Pair:
    """The first two words and the last two, as two numbers; `weight` is the first word's."""
    first, second = fetch.word(starts) * weight, fetch.word(starts + 8)
    last, before = fetch.word(ends - 8) * factor, fetch.word(ends - 16) * _K2
    total = _rotated(first + second, 43) + _rotated(last, 30) + before
    return total, first + _rotated(second + _K2, 18) + last


def _of_more(fetch: _Fetcher, starts: Places, lengths: Places, num_blocks: int) -> Words:
    """Blocks of 64 bytes one after the other, then the last 64 bytes, which may overlap them."""
    x = np.full(len(starts), np.uint64(81))
    y = x * _K1 + np.uint64(113)
    z = _shift_mixed(y * _K2 + np.uint64(113)) * _K2
    v, w = (0 * x, 0 * x), (0 * x, 0 * x)
    x = x * _K2 + fetch.word(starts)
    for number in range(num_blocks):
        x, y, z, v, w = _after_block(fetch, starts + number * _BLOCK, (x, y, z, v, w))
    factor = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w0 = w[0] + ((lengths - 1) % _BLOCK).astype(np.uint64)
    v0 = v[0] + w0
    state = (x, y, z, (v0, v[1]), (w0 + v0, w[1]))
    x, y, z, v, w = _after_block(fetch, starts + lengths - _BLOCK, state, factor, np.uint64(9))
    low = _mixed(v[0], w[0], factor) + _shift_mixed(y) * _K0 + z
    return _mixed(low, _mixed(v[1], w[1], factor) + x, factor)


def _after_block(
    fetch: _Fetcher, at: Places, state: _State, factor: Words | np.uint64 = _K1, weight: np.uint64 = _ONE
) -> _State:
    """The state after 64 bytes; `weight` is what the last block gives two of its numbers."""
    x, y, z, v, w = state
    x = _rotated(x + y + v[0] + fetch.word(at + 8), 37) * factor ^ w[1] * weight
    y = _rotated(y + v[1] + fetch.word(at + 48), 42) * factor + v[0] * weight + fetch.word(at + 40)
    z = _rotated(z + w[0], 33) * factor
    v = _of_32_bytes(fetch, at, v[1] * factor, x + w[0])
    w = _of_32_bytes(fetch, at + 32, z + w[1], y + fetch.word(at + 16))
    return z, y, x, v, w


def _of_32_bytes(fetch: _Fetcher, at: Places, first: Words, second: Words) -> _Pair:
    words = [fetch.word(at + shift) for shift in (0, 8, 16, 24)]
    first = first + words[0]
    second = _rotated(second + first + words[3], 21)
    total = first + words[1] + words[2]
    return total + words[3], second + _rotated(total, 44) + first
