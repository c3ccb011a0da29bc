"""What a person, a log file and `--quiet` hear of a long job."""

import io
import sys

import pytest

from pytorch_elmo.commands.progress_bar import ProgressBar, ProgressLines, make_progress
from pytorch_elmo.progress import SilentProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("quiet", "lines", "stream", "kind"),
    [
        (True, False, Terminal, SilentProgress),
        (True, True, Terminal, SilentProgress),
        (False, True, Terminal, ProgressLines),
        (False, False, Terminal, ProgressBar),
        (False, False, io.StringIO, ProgressLines),
    ],
)
def test_what_fits(monkeypatch, quiet, lines, stream, kind):
    monkeypatch.setattr(sys, "stderr", stream())
    assert type(make_progress(quiet=quiet, lines=lines)) is kind


@pytest.fixture
def clock(monkeypatch):
    """Seconds, as the lines' module is told them."""

    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr("pytorch_elmo.commands.progress_bar.time", clock)
    return clock


def test_a_line_every_ten_seconds(clock, capsys):
    progress = ProgressLines()
    progress.start(total=400, unit="token", done=100, label="embedding")
    for seconds, tokens in ((4.0, 50), (9.9, 50), (10.0, 50), (12.0, 10), (21.0, 40)):
        clock.now = 100.0 + seconds
        progress.advance(tokens)
    progress.note("a note")
    clock.now = 130.0
    progress.advance(100)
    progress.finish()
    assert capsys.readouterr().err.splitlines() == [
        "embedding: 250 token, 15 a second, 62%, 0.2 minutes left",
        "embedding: 300 token, 10 a second, 75%, 0.2 minutes left",
        "a note",
        "embedding: 400 token, 10 a second, 100%, 0.0 minutes left",
    ]


def test_a_stage_of_unknown_length(clock, capsys):
    progress = ProgressLines()
    progress.start(total=None, unit="sentence", label="reading")
    clock.now = 120.0
    progress.advance(1000)
    assert capsys.readouterr().err == "reading: 1,000 sentence, 50 a second\n"


def test_a_short_stage_says_nothing(clock, capsys):
    progress = ProgressLines()
    progress.start(total=3, unit="sentence", label="reading")
    clock.now = 101.0
    progress.advance(3)
    progress.finish()
    assert capsys.readouterr().err == ""


def test_the_bar_shows_share_and_rate_and_goes_away(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = ProgressBar()
    progress.advance(1)  # before the first stage there is nothing to move
    progress.start(total=10, unit="token", done=5, label="embedding")
    progress.note("a note")
    progress.advance(5)
    progress.start(total=4, unit="sentence", label="laying out")
    progress.finish()
    shown = stream.getvalue()
    assert "embedding:  50%" in shown
    assert "laying out:   0%" in shown
    assert "a note\n" in shown
    assert not shown.rsplit("\r", 1)[-1].strip()
