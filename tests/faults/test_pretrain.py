"""Training runs that are killed, told to stop, or meet a full disk: what was saved stays whole, and they go on."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

STEPS, EVERY = 400, 20
CONFIG = {
    "model": {
        "lstm": {"use_skip_connections": True, "projection_dim": 8, "cell_clip": 3, "proj_clip": 3, "dim": 16,
                 "n_layers": 2},
        "char_cnn": {"activation": "relu", "filters": [[1, 4], [2, 4]], "n_highway": 1, "embedding": {"dim": 3}},
    },
    "corpus": {"train": ["text.txt"], "validation": ["held-out.txt"]},
    "num_steps": STEPS,
    "batch_size": 4,
    "unroll_steps": 8,
    "num_negatives": 8,
    "dropout": 0.2,
    "sentence_restart_probability": 0.5,
    "checkpoint_every": EVERY,
    "validate_every": 50,
    "report_every": 1,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> Path:
    """A text, a text to validate on, and `config.json`."""
    choose = random.Random(0)
    for name, count in (("text.txt", 60), ("held-out.txt", 5)):
        words = ([f"word{choose.randrange(30)}" for _ in range(choose.randint(1, 9))] for _ in range(count))
        (tmp_path / name).write_text("\n".join(map(" ".join, words)), encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return tmp_path


def start(folder: Path, run: str, **arguments) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytorch_elmo", "pretrain", "config.json", run]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, **arguments)


def finish(folder: Path, run: str) -> str:
    worker = start(folder, run)
    _, error = worker.communicate(timeout=120)
    assert worker.returncode == 0, error
    return error


def wait_for_step(folder: Path, run: str, step: int) -> None:
    """Until a checkpoint of that step or a later one is there."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if max(steps_saved(folder, run), default=0) >= step:
            return
        time.sleep(0.005)
    raise AssertionError(f"no checkpoint of step {step}")


def steps_saved(folder: Path, run: str) -> list[int]:
    return [int(path.stem.split("-")[1]) for path in (folder / run / "checkpoints").glob("step-*.safetensors")]


def losses_of(log: str) -> dict[str, str]:
    """What was reported of each step."""
    lines = (line for line in log.splitlines() if line.startswith("step ") and "training perplexity" in line)
    return dict(line.split(",", 1) for line in lines)


def assert_same_model(folder: Path, ours: str, theirs: str) -> None:
    for name in ("bilm.safetensors", "softmax.safetensors"):
        mine, other = (load_file(folder / run / "model" / name) for run in (ours, theirs))
        assert mine.keys() == other.keys()
        assert all(torch.equal(mine[key], other[key]) for key in other)


@pytest.mark.slow
def test_killed_three_times_at_random(folder):
    """Every figure that is reported of a step, and every bit of the model, is that of the undisturbed run."""
    undisturbed = losses_of(finish(folder, "peace"))
    choose, log = random.Random(time.time_ns()), ""
    places = sorted(choose.sample(range(1, STEPS // EVERY - 1), 3))
    for place in places:
        worker = start(folder, "run")
        wait_for_step(folder, "run", place * EVERY)
        time.sleep(choose.uniform(0, 0.2))
        worker.kill()
        log += worker.communicate()[1]
    assert not (folder / "run" / "model").exists()
    losses = losses_of(log + finish(folder, "run"))
    assert len(losses) == STEPS
    assert losses == undisturbed
    assert_same_model(folder, "run", "peace")


@pytest.mark.slow
def test_sigterm_saves_first(folder):
    worker = start(folder, "run")
    wait_for_step(folder, "run", EVERY)
    worker.send_signal(signal.SIGTERM)
    _, error = worker.communicate(timeout=60)
    assert worker.returncode == 130
    stopped = int(error.splitlines()[-1].removeprefix("stopped at step ").split(";")[0])
    assert max(steps_saved(folder, "run")) == stopped


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoints_before(folder):
    """Files may be of no more bytes than the first checkpoint, but for one: the next does not fit."""
    assert start_and_stop(folder, "run") == 130
    saved = sorted((folder / "run" / "checkpoints").glob("*.safetensors"))
    size = max(path.stat().st_size for path in saved)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    worker = start(folder, "run", preexec_fn=limit)
    _, error = worker.communicate(timeout=60)
    assert worker.returncode == 1
    last = error.splitlines()[-1]
    assert last.startswith("elmo pretrain: error: cannot save the checkpoint run/checkpoints/step-")
    assert f"the one before is whole: {saved[-1].relative_to(folder)}; make room and go on" in last
    assert sorted((folder / "run" / "checkpoints").iterdir()) == saved
    finish(folder, "run")


def start_and_stop(folder: Path, run: str) -> int:
    worker = start(folder, run)
    wait_for_step(folder, run, EVERY)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=60)
    return worker.returncode


@pytest.mark.slow
def test_two_runs_in_one_folder(folder):
    worker = start(folder, "run")
    try:
        wait_for_step(folder, "run", EVERY)
        other = start(folder, "run")
        _, error = other.communicate(timeout=60)
    finally:
        worker.kill()
        worker.communicate()
    assert other.returncode == 2
    assert error.splitlines()[-1].endswith("another run writes to run; wait for it, or choose another output folder")
