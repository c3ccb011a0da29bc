"""What a call does: a result, or an error of this package."""

from collections.abc import Callable
from typing import Any

from pytorch_elmo.errors import PytorchElmoError


def refused(call: Callable[[], Any]) -> bool:
    """Whether `call` ends in an error of this package; any other error is raised."""
    try:
        call()
    except PytorchElmoError:
        return True
    return False
