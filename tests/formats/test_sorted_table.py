"""LevelDB's tables against a slow writer, whole and damaged."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import with_a_changed_bit
from pytorch_elmo.formats.sorted_table import read_table
from slow_bundle import MAGIC, block, masked, table, varint

ENTRIES = st.dictionaries(st.binary(max_size=12), st.binary(max_size=20), max_size=40)
EXAMPLE = [(f"lm/layer_{index:03}".encode(), bytes([index]) * index) for index in range(70)]


@given(ENTRIES, st.integers(1, 50), st.sampled_from([0, 1]))
def test_what_is_written_is_read(entries, keys_per_block, packing):
    pairs = sorted(entries.items())
    assert list(read_table(table(pairs, keys_per_block=keys_per_block, packing=packing)).items()) == pairs


def test_snappy_with_copies():
    """As the snappy library packs: what repeats is copied."""
    import pyarrow

    raw = block(EXAMPLE)[:-5]
    packed = pyarrow.Codec("snappy").compress(raw, asbytes=True)
    assert len(packed) < len(raw) / 2
    data = packed + b"\1" + masked(packed + b"\1")
    index = block([(b"z", varint(0) + varint(len(packed)))])
    handles = varint(0) + varint(0) + varint(len(data)) + varint(len(index) - 5)
    content = data + index + handles.ljust(40, b"\0") + struct.pack("<Q", MAGIC)
    assert list(read_table(content).items()) == EXAMPLE


@pytest.mark.parametrize("packing", [0, 1])
def test_a_changed_bit_is_found_or_changes_nothing(packing):
    content = table(EXAMPLE, keys_per_block=20, packing=packing)
    found = 0
    for damaged in with_a_changed_bit(content, 400):
        try:
            again = read_table(damaged)
        except ValueError as error:
            assert "\n" not in str(error)  # noqa: PT017
            found += 1
        else:
            assert list(again.items()) == EXAMPLE  # in the footer's padding, or in what is not needed
    assert found > 350


def test_cut_off_anywhere():
    content = table(EXAMPLE, keys_per_block=20)
    for length in range(len(content)):
        with pytest.raises(ValueError, match="it is cut off"):
            read_table(content[:length])


def assembled(data: bytes) -> bytes:
    """A table whose one data block is `data`, check sum and all."""
    index = block([(b"z", varint(0) + varint(len(data) - 5))])
    handles = varint(0) + varint(0) + varint(len(data)) + varint(len(index) - 5)
    return data + index + handles.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def with_check(content: bytes) -> bytes:
    return content + masked(content)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (block([(b"b", b""), (b"a", b"")], restart_every=1), "its keys are not in order"),
        (block([(b"a", b""), (b"a", b"")], restart_every=1), "its keys are not in order"),
        (with_check(block([])[:-5] + b"\2"), "its block at byte 0 is packed in the unknown way 2"),
        (with_check(b"\0"), "a block is too short$"),
        (with_check(struct.pack("<I", 9) + b"\0"), "a block is too short for what it lists"),
        (with_check(b"\1\1\0a" + bytes(4) + b"\0"), "an entry of a block is longer than the block"),
        (with_check(b"\0\x09\0a" + bytes(4) + b"\0"), "an entry of a block is longer than the block"),
        (with_check(varint(10**9) + b"ab\1"), "a block of 7 bytes says that it unpacks to 1000000000"),
        (with_check(varint(5) + b"\xf0\1"), "a block cannot be unpacked: "),
    ],
)
def test_blocks_that_are_wrong_although_their_check_sums_are_right(data, reason):
    with pytest.raises(ValueError, match=reason):
        read_table(assembled(data))


def test_a_wrong_check_sum():
    content = bytearray(table(EXAMPLE))
    content[10] ^= 1
    with pytest.raises(ValueError, match="the check sum of its block at byte 0 is wrong"):
        read_table(bytes(content))
