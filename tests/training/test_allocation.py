"""Keeping freed memory is asked of the C library, and quietly left where it cannot be."""

import ctypes
import platform
import subprocess
import sys

import pytest

from pytorch_elmo.training import allocation


def test_glibc_is_told_and_the_program_goes_on():
    """In a process of its own, for the setting cannot be taken back."""
    program = (
        "from pytorch_elmo.training.allocation import keep_freed_memory\n"
        "print(keep_freed_memory())\n"
        "print(sum(len(bytearray(1 << 20)) for _ in range(50)) >> 20)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [str(platform.libc_ver()[0] == "glibc"), "50"]


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("no library is to be loaded"))
    assert not allocation.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not allocation.keep_freed_memory()


@pytest.mark.parametrize(("answer", "told"), [(1, True), (0, False)])
def test_the_answer_is_passed_on(monkeypatch, answer, told):
    calls = []

    class Library:
        def mallopt(self, parameter: int, value: int) -> int:
            calls.append((parameter, value))
            return answer

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    assert allocation.keep_freed_memory() == told
    assert calls[0] == (-4, 0)
    assert len(calls) == (3 if told else 1)
