"""Prose tokenised by several processes: the same as by one, in the same order."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.text import prose
from pytorch_elmo.text.prose import processes_for, tokenized_prose

CONTENTS = [
    "One fish. Two fish!",
    None,
    ["already", "two  tokens", ""],
    [" "],
    "",
    *(f"Paragraph {number} isn't long. It ends." for number in range(300)),
    None,
]


def test_paragraphs_tokens_and_ends():
    sentences = list(tokenized_prose(CONTENTS, "moses", 1))
    assert sentences[:4] == [["One", "fish", "."], ["Two", "fish", "!"], None, ["already", "two", "tokens"]]
    assert sentences[4:6] == [["Paragraph", "0", "isn", "'t", "long", "."], ["It", "ends", "."]]
    assert sentences[-1] is None
    assert len(sentences) == 4 + 2 * 300 + 1


def test_two_processes_give_what_one_gives(monkeypatch):
    monkeypatch.setattr(prose, "_CHARACTERS_A_TASK", 300)
    assert list(tokenized_prose(CONTENTS, "moses", 2)) == list(tokenized_prose(CONTENTS, "moses", 1))


def test_reading_stays_close_to_what_is_taken(monkeypatch):
    """Paragraphs are not read ahead without bound."""
    monkeypatch.setattr(prose, "_CHARACTERS_A_TASK", 10)
    read = []

    def contents():
        for number in range(1000):
            read.append(number)
            yield "word word word"

    sentences = tokenized_prose(contents(), "moses", 2)
    next(sentences)
    assert len(read) <= 2 * prose._TASKS_PER_PROCESS + 1
    sentences.close()


def test_what_fails_to_be_read_is_raised():
    def contents():
        yield "A sentence."
        raise ValueError("bad line")

    with pytest.raises(ValueError, match="bad line"):
        list(tokenized_prose(contents(), "moses", 2))


def test_a_process_that_is_ended(monkeypatch):
    monkeypatch.setattr(prose, "_tokenize", _end)
    with pytest.raises(
        PytorchElmoError, match=r"^one of 2 tokenising processes ended before its work did; start aga"
    ):
        list(tokenized_prose(["A sentence."], "moses", 2))


def _end(*_):
    os._exit(1)


PROGRAM = """
import sys
from pytorch_elmo.text import prose
if __name__ == "__main__":
    prose._CHARACTERS_A_TASK = 10
    sentences = prose.tokenized_prose(("word word word" for _ in range(10 ** 9)), "moses", 2)
    next(sentences)
    import multiprocessing
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


def test_processes_end_with_the_one_that_is_killed(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, tmp_path / "program.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        children = [int(pid) for pid in program.stdout.readline().split()]
        assert len(children) == 2
        program.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while any(map(_runs, children)):
        assert time.monotonic() < deadline, "they stay"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_small_texts_are_not_worth_a_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert [processes_for(size) for size in (0, 4 << 20, 9 << 20, 1 << 40)] == [1, 1, 2, 16]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert processes_for(1 << 40) == 1
