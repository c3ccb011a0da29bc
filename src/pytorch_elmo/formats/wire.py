"""Protocol-buffer messages, read by field numbers alone."""

import struct
from collections.abc import Iterator
from typing import TypeVar

_LONGEST_VARINT = 10
_SIGN = 1 << 63

_Kind = TypeVar("_Kind", int, bytes)


def read_varint(content: bytes, start: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends.

    Raises:
        ValueError: it is cut off, or longer than 64 bits.
    """
    if start < len(content) and content[start] < 0x80:  # as most are
        return content[start], start + 1
    value = 0
    for place in range(start, min(start + _LONGEST_VARINT, len(content))):
        byte = content[place]
        value |= (byte & 0x7F) << 7 * (place - start)
        if byte < 0x80:
            if value >> 64:
                break
            return value, place + 1
    raise ValueError(f"a number at byte {start} is cut off or too long")


def as_signed(value: int) -> int:
    """An int64 as it is written: negative numbers in two's complement of 64 bits."""
    return value - 2 * _SIGN if value & _SIGN else value


class Message:
    """One message's fields by their numbers; a field that is absent has its default, as in proto3.

    Raises:
        ValueError: the bytes are no message; also from every method, where a field is of another kind.
    """

    def __init__(self, content: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _read_fields(content):
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, field: int) -> bool:
        return field in self._fields

    def number(self, field: int) -> int:
        """An unsigned number, 0 if absent; of several the last counts."""
        numbers = self._of_kind(field, int)
        return numbers[-1] if numbers else 0

    def content(self, field: int) -> bytes:
        """A string's or a message's bytes, empty if absent."""
        contents = self.contents(field)
        return contents[-1] if contents else b""

    def contents(self, field: int) -> list[bytes]:
        """A repeated string's or message's bytes, in their order."""
        return self._of_kind(field, bytes)

    def message(self, field: int) -> "Message":
        """A message within this one, an empty one if absent."""
        return Message(self.content(field))

    def messages(self, field: int) -> list["Message"]:
        """A repeated message, in the order of the file."""
        return [Message(content) for content in self.contents(field)]

    def _of_kind(self, field: int, kind: type[_Kind]) -> list[_Kind]:
        values = self._fields.get(field, [])
        found = [value for value in values if isinstance(value, kind)]
        if len(found) < len(values):
            raise ValueError(f"field {field} of a message is not of the kind that it should be")
        return found


def _read_fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(content):
        tag, place = read_varint(content, place)
        value: int | bytes
        match tag & 7:
            case 0:  # varint
                value, place = read_varint(content, place)
            case 1:  # 64 bits
                value, place = _fixed(content, place, "<Q")
            case 2:  # length, then bytes
                size, place = read_varint(content, place)
                value = content[place : place + size]
                if len(value) < size:
                    raise ValueError(f"a field at byte {place} is cut off")
                place += size
            case 5:  # 32 bits
                value, place = _fixed(content, place, "<I")
            case kind:
                raise ValueError(f"a field at byte {place} is of the unknown kind {kind}")
        yield tag >> 3, value


def _fixed(content: bytes, place: int, form: str) -> tuple[int, int]:
    end = place + struct.calcsize(form)
    if end > len(content):
        raise ValueError(f"a number at byte {place} is cut off")
    return struct.unpack(form, content[place:end])[0], end
