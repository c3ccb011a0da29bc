"""Progress for people: a bar in a terminal, a line now and then in a log file, nothing with `--quiet`."""

import sys
import time
from typing import Any

import click
from tqdm import tqdm

from pytorch_elmo.progress import Progress, SilentProgress

_SECONDS_BETWEEN_LINES = 10.0


class ProgressBar:
    """A bar with the rate and the time left, on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None

    def start(self, *, total: int | None, unit: str, done: int = 0, label: str = "") -> None:
        """Begin a bar."""
        self.finish()
        self._bar = tqdm(
            total=total, initial=done, desc=label, unit=f" {unit}", unit_scale=True, dynamic_ncols=True, leave=False
        )

    def advance(self, amount: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(amount)

    def note(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line, file=sys.stderr)

    def finish(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class ProgressLines:
    """A line with share, rate and time left every ten seconds: for log files."""

    def __init__(self) -> None:
        self._total: int | None = None
        self._done = self._first = 0
        self._unit = self._label = ""
        self._began = self._printed = time.monotonic()

    def start(self, *, total: int | None, unit: str, done: int = 0, label: str = "") -> None:
        """Begin a stage."""
        self._total, self._unit, self._label = total, unit, label
        self._done = self._first = done
        self._began = self._printed = time.monotonic()

    def advance(self, amount: int) -> None:
        """Count, and print if it is time."""
        self._done += amount
        if time.monotonic() - self._printed >= _SECONDS_BETWEEN_LINES:
            self._printed = time.monotonic()
            self._print()

    def note(self, line: str) -> None:
        """Print the line."""
        click.echo(line, err=True)

    def finish(self) -> None:
        """Print where a stage that was long enough to be seen ended."""
        if self._printed > self._began:
            self._print()

    def _print(self) -> None:
        seconds = time.monotonic() - self._began
        rate = (self._done - self._first) / max(seconds, 1e-9)
        line = f"{self._label}: {self._done:,} {self._unit}, {rate:,.0f} a second"
        if self._total and rate > 0:
            left = (self._total - self._done) / rate
            line += f", {self._done / self._total:.0%}, {left / 60:.1f} minutes left"
        click.echo(line, err=True)


def make_progress(*, quiet: bool, lines: bool) -> Progress:
    """What fits the terminal: nothing if quiet, lines if asked for or where standard error is no terminal."""
    if quiet:
        return SilentProgress()
    return ProgressLines() if lines or not sys.stderr.isatty() else ProgressBar()
