"""How a long job tells what it has done, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """A listener of one job; `commands` shows it as a bar, tests and library callers as nothing."""

    def start(self, *, total: int | None, unit: str, done: int = 0, label: str = "") -> None:
        """A stage of `total` units begins (None: unknown); `done` of them were there already."""

    def advance(self, amount: int) -> None:
        """`amount` more units are finished."""

    def note(self, line: str) -> None:
        """Something that a person watching would want to read."""

    def finish(self) -> None:
        """The stage is over."""


class SilentProgress:
    """Hears everything, says nothing."""

    def start(self, *, total: int | None, unit: str, done: int = 0, label: str = "") -> None:
        """Ignore the beginning."""

    def advance(self, amount: int) -> None:
        """Ignore the advance."""

    def note(self, line: str) -> None:
        """Ignore the line."""

    def finish(self) -> None:
        """Ignore the end."""
