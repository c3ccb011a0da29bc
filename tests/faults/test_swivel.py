"""`elmo swivel` that is killed or told to stop: it goes on to the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EPOCHS = 300


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a text."""
    choose = random.Random(0)
    lines = (" ".join(f"word{int(choose.triangular(0, 60, 0))}" for _ in range(12)) for _ in range(400))
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def start(folder: Path, run: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytorch_elmo", "swivel", "text.txt", run, "--dim", "8", "--min-count", "1"]
    command += ["--submatrix-size", "16", "--epochs", str(EPOCHS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def finish(folder: Path, run: str) -> str:
    worker = start(folder, run)
    _, error = worker.communicate(timeout=240)
    assert worker.returncode == 0, error
    return error


def wait_for_a_checkpoint(folder: Path, run: str) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        if list((folder / run / "checkpoints").glob("step-*.safetensors")):
            return
        time.sleep(0.005)
    raise AssertionError("no checkpoint")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(folder, number):
    finish(folder, "peace")
    worker = start(folder, "run")
    wait_for_a_checkpoint(folder, "run")
    time.sleep(random.Random(time.time_ns()).uniform(0, 0.3))
    worker.send_signal(number)
    _, error = worker.communicate(timeout=60)
    assert not (folder / "run" / "vectors.txt.gz").exists()
    if number == signal.SIGTERM:
        assert worker.returncode == 130
        assert error.splitlines()[-1].endswith("; the same command goes on")
    assert f"epoch {EPOCHS} of {EPOCHS}" in finish(folder, "run")
    for name in ("vectors.txt.gz", "swivel.json"):
        assert (folder / "run" / name).read_bytes() == (folder / "peace" / name).read_bytes()
    assert not (folder / "run" / ".runs").exists()
