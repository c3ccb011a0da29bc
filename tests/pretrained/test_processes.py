"""Processes of their own: one that is killed, and two at once."""

import hashlib
import subprocess
import sys
import time

import pytest

from pytorch_elmo.pretrained import bytes_begun, is_cached, resolve

NAME = "pt-wikipedia"
FOLDER = "/contributed/pt/wikipedia"
WEIGHTS = bytes(range(256)) * 4096  # more than the buffers between two processes hold back
PROGRAM = f"""
import sys
from pytorch_elmo.pretrained import resolve
from pytorch_elmo.progress import SilentProgress
class Notes(SilentProgress):
    def note(self, line):
        print(line, file=sys.stderr, flush=True)
print(resolve({NAME!r}, trust_first_download=True, progress=Notes()).weights)
"""


@pytest.fixture(autouse=True)
def mirror(server, cache, monkeypatch):
    """A server that has the model, and keeps back its second half until it is told to go on."""
    server.files = {f"{FOLDER}/options.json": b"{}", f"{FOLDER}/elmo_pt_weights.hdf5": WEIGHTS}
    server.version = ("ETag", '"one"')
    server.faults[f"{FOLDER}/elmo_pt_weights.hdf5"] = ["hold"]
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", server.address)
    yield
    server.go_on.set()


@pytest.fixture
def start():
    """Start a process that fetches the model."""
    processes = []

    def run():
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen([sys.executable, "-c", PROGRAM], **pipes))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_after_a_kill_the_next_process_goes_on(server, cache, start):
    killed = start()
    wait_until(lambda: bytes_begun(NAME) == len(WEIGHTS) // 2)
    killed.kill()
    killed.wait()
    assert not is_cached(NAME)
    output, notes = start().communicate(timeout=60)
    assert output.strip() == str(cache / NAME / "weights.hdf5")
    assert f"going on after {len(WEIGHTS) // 2} of {len(WEIGHTS)} bytes\n" in notes
    assert server.ranges == [f"bytes={len(WEIGHTS) // 2}-"]
    assert (cache / NAME / "weights.hdf5").read_bytes() == WEIGHTS
    assert is_cached(NAME)
    assert bytes_begun(NAME) == 0


def test_two_at_once_fetch_once(server, cache, start):
    first = start()
    wait_until(lambda: bytes_begun(NAME) == len(WEIGHTS) // 2)
    second = start()
    assert second.stderr.readline() == f"another process fetches {NAME}; waiting for it\n"
    server.go_on.set()
    ended = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert ended == [f"{cache / NAME / 'weights.hdf5'}\n"] * 2
    assert server.requests == dict.fromkeys(server.files, 1)
    assert server.bytes_sent[f"{FOLDER}/elmo_pt_weights.hdf5"] == len(WEIGHTS)
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    assert resolve(NAME, sha256=sha256).weights == cache / NAME / "weights.hdf5"
