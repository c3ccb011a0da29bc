"""Commands of the table: one at a time on a folder, whoever started it, and one line where one fails."""

import subprocess
import sys
import threading
from importlib import import_module

import pytest

from pytorch_elmo.errors import ConfigurationError


@pytest.fixture
def process():
    module = import_module("table.process")
    yield module
    module.allow()


def is_free(process, folder):
    """Whether a thread gets the folder within a moment; it waits on, and lets it go then."""
    got = threading.Event()

    def take():
        with process.sole(folder):
            got.set()

    threading.Thread(target=take, daemon=True).start()
    return got.wait(0.3), got


def test_a_folder_is_one_worker_s(process, tmp_path):
    with process.sole(tmp_path / "new"):
        free, got = is_free(process, tmp_path / "new")
        assert not free
        assert is_free(process, tmp_path / "other")[0]
    assert got.wait(10)


def test_a_command_that_outlives_its_starter_keeps_the_folder(process, tmp_path):
    with process.sole(tmp_path) as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[lock]
        )
    free, got = is_free(process, tmp_path)
    assert not free
    child.communicate(b"end\n")
    assert got.wait(10)


def test_what_a_command_says_is_in_its_log(process, tmp_path, monkeypatch):
    monkeypatch.setenv("KEPT", "as it was")
    code = "import os; print(os.environ['KEPT'], os.environ['NEW'])"
    with process.sole(tmp_path) as lock:
        process.run_command("python", "-c", code, lock=lock, log=tmp_path / "log", variables={"NEW": "new"})
    assert (tmp_path / "log").read_text("utf-8") == "as it was new\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import sys; print('begun', flush=True); sys.exit('no room')",
            r"python -c must succeed, it ended with code 1: no room; all",
        ),
        ("import os; os._exit(3)", r"python -c must succeed, it ended with code 3: it said nothing; all is in .*log"),
    ],
)
def test_a_command_that_fails(process, tmp_path, code, message):
    with process.sole(tmp_path) as lock, pytest.raises(ConfigurationError, match=message):
        process.run_command("python", "-c", code, lock=lock, log=tmp_path / "log")


def test_all_stop(process, tmp_path):
    with process.sole(tmp_path) as lock:
        begun = threading.Timer(0.5, process.stop)
        begun.start()
        with pytest.raises(process.StoppedError):
            process.run_command("python", "-c", "import time; time.sleep(60)", lock=lock, log=tmp_path / "log")
        with pytest.raises(process.StoppedError):
            process.run_command("python", "-c", "print('never')", lock=lock, log=tmp_path / "other")
    assert (tmp_path / "other").read_text("utf-8") == ""
