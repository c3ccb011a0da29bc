"""Protocol-buffer messages by field numbers, against bytes put together here."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.formats.wire import Message, as_signed, read_varint
from slow_bundle import bytes_field, number_field, varint

NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS, st.binary(max_size=3))
def test_numbers_come_back(number, behind):
    assert read_varint(varint(number) + behind, 0) == (number, len(varint(number)))


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_come_back(number):
    assert as_signed(read_varint(varint(number), 0)[0]) == number


def test_every_kind_of_field():
    inner = number_field(1, 7) + number_field(1, 9)
    content = (
        number_field(1, 300)
        + bytes_field(2, b"one")
        + bytes_field(2, b"two")
        + bytes_field(500, inner)
        + varint(6 << 3 | 5)
        + struct.pack("<I", 2**32 - 1)
        + varint(7 << 3 | 1)
        + struct.pack("<Q", 2**64 - 1)
    )
    message = Message(content)
    assert (message.number(1), message.number(6), message.number(7)) == (300, 2**32 - 1, 2**64 - 1)
    assert (message.content(2), message.contents(2)) == (b"two", [b"one", b"two"])
    assert message.message(500).number(1) == 9  # of a field that is there twice, the last counts
    assert [part.number(1) for part in message.messages(500)] == [9]
    assert 500 in message
    assert 501 not in message


def test_what_is_absent_has_a_default():
    message = Message(b"")
    assert (message.number(1), message.content(1), message.contents(1)) == (0, b"", [])
    assert message.message(1).number(1) == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x08", "a number at byte 1 is cut off or too long"),
        (b"\x08" + b"\xff" * 10, "a number at byte 1 is cut off or too long"),
        (b"\x08" + b"\xff" * 9 + b"\x7f", "a number at byte 1 is cut off or too long"),
        (b"\x12\x05abc", "a field at byte 2 is cut off"),
        (b"\x0d\x01\x02", "a number at byte 1 is cut off"),
        (b"\x09\x01\x02\x03\x04", "a number at byte 1 is cut off"),
        (b"\x0b", "a field at byte 1 is of the unknown kind 3"),
    ],
)
def test_what_is_no_message(content, reason):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        Message(content)


def test_a_field_of_another_kind():
    message = Message(number_field(1, 5) + bytes_field(2, b"x"))
    for read in (lambda: message.content(1), lambda: message.number(2), lambda: message.messages(1)):
        with pytest.raises(ValueError, match=r"field \d of a message is not of the kind that it should be"):
            read()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(content):
    try:
        Message(content)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017
