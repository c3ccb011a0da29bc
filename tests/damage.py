"""Files with a changed bit and what a reader says to them, and what must not be unpickled."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytorch_elmo.errors import PytorchElmoError


def with_a_changed_bit(content: bytes, count: int, length: int | None = None) -> Iterator[bytes]:
    """`count` copies, each with one bit changed among the first `length` bytes (None: anywhere)."""
    places = random.Random(0)
    for _ in range(count):
        damaged = bytearray(content)
        damaged[places.randrange(length or len(content))] ^= 1 << places.randrange(8)
        yield bytes(damaged)


def refusal(read: Callable[[Any], object], source: object) -> str | None:
    """The one-line message with which `read` refuses `source`, None if it reads it; no other error is caught."""
    try:
        read(source)
    except PytorchElmoError as error:
        message = str(error)
    else:
        return None
    assert "\n" not in message
    return message


class Caught:
    """Unpickled, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))
