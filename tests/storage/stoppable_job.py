"""A job that fills a layer file and can be stopped at any moment; the tests run it as a script.

    python stoppable_job.py run OUTPUT LAYOUT
    python stoppable_job.py run-limited OUTPUT LAYOUT BYTES_BEFORE BYTES_AFTER
    python stoppable_job.py kill-at-random FOLDER LAYOUT NUM_KILLS SEED
    python stoppable_job.py kill-everywhere FOLDER LAYOUT

`run` begins the job or goes on with it. `run-limited` limits the size of files, before and after the file is laid
out. The others kill such jobs, go on with them, and compare each finished file with that of a job left in peace; they
print how many were killed. They fork, which is quicker than to start Python anew for every killed job.
"""

import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
from h5py import h5d

from pytorch_elmo.storage import LayerFileWriter, Manifest, partial_state

NUM_SENTENCES = {"kill-everywhere": 13}.get(sys.argv[1] if len(sys.argv) > 1 else "", 200)
SENTENCES_PER_BATCH = 2
BATCHES_PER_COMMIT = 2
TOKEN_COUNTS = np.random.default_rng(0).integers(0, 12, NUM_SENTENCES)
IDENTITY = {"settings": "5f3e"}
NUM_LAYERS = 3


def manifest(layout: str) -> Manifest:
    return Manifest(
        project_version="0.1.0",
        model="default",
        model_hash="ab12",
        layers="all",
        num_layers=NUM_LAYERS,
        dim=16,
        dtype="float32",
        precision="float32",
        state_mode="fresh",
        start_state="zeros",
        layout=layout,
        keys="index",
        num_sentences=NUM_SENTENCES,
        num_tokens=int(TOKEN_COUNTS.sum()),
        input_sha256="00ff",
        tokenizer="whitespace",
        batch_plan="by length",
    )


def sentences() -> Iterator[str]:
    return (f"sentence {index % 150}" for index in range(NUM_SENTENCES))


def vectors(index: int) -> np.ndarray:
    shape = (NUM_LAYERS, int(TOKEN_COUNTS[index]), 16)
    return np.random.default_rng(index).standard_normal(shape, dtype=np.float32)


def begin_or_resume(output: Path, layout: str) -> LayerFileWriter | None:
    if partial_state(output) == "none":
        return LayerFileWriter.create(
            output,
            manifest=manifest(layout),
            token_counts=TOKEN_COUNTS,
            identity=IDENTITY,
            sentences=sentences,
        )
    return LayerFileWriter.resume(output, manifest=manifest(layout), identity=IDENTITY)


def write_batches(writer: LayerFileWriter) -> None:
    longest_first = np.argsort(-TOKEN_COUNTS, kind="stable")
    num_batches = -(-NUM_SENTENCES // SENTENCES_PER_BATCH)
    for number in range(writer.batches_done, num_batches):
        assert writer.extra == ({"batches": writer.batches_done} if writer.batches_done else None)
        for index in longest_first[number * SENTENCES_PER_BATCH :][:SENTENCES_PER_BATCH].tolist():
            writer.write(index, vectors(index))
        if (number + 1) % BATCHES_PER_COMMIT == 0:
            writer.commit(number + 1, {"batches": number + 1})
    writer.finish()


def run(output: Path, layout: str) -> None:
    writer = begin_or_resume(output, layout)
    if writer is not None:
        write_batches(writer)


def run_limited(output: Path, layout: str, bytes_before: int, bytes_after: int) -> None:
    """Let no file grow beyond a size: a disk that is full, as far as a writer can tell."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_before, resource.RLIM_INFINITY))
    writer = begin_or_resume(output, layout)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_after, resource.RLIM_INFINITY))
    write_batches(writer)


def in_a_child(job: Callable[[], None]) -> int:
    """Start `job` in a forked process; returns its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            job()
            status = 0
        finally:
            os._exit(status)
    return child


def was_killed(child: int) -> bool:
    """Wait for a child, which must succeed or be killed."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), f"a job failed with status {status}"
    return status == -signal.SIGKILL


def assert_same_folder(output: Path, content: bytes) -> None:
    assert output.read_bytes() == content
    assert os.listdir(output.parent) == [output.name]


def kill_at_random(folder: Path, layout: str, num_kills: int, seed: int) -> int:
    """Kill and resume one job after the other until so many were killed."""
    in_peace = folder / "in peace.hdf5"
    begun = time.monotonic()
    run(in_peace, layout)
    duration = time.monotonic() - begun
    moments = random.Random(seed)
    killed = num_jobs = 0
    while killed < num_kills:
        num_jobs += 1
        output = folder / f"job {num_jobs}" / "out.hdf5"
        output.parent.mkdir()
        while True:
            child = in_a_child(lambda output=output: run(output, layout))
            time.sleep(moments.uniform(0, duration))
            os.kill(child, signal.SIGKILL)
            if not was_killed(child):
                break
            killed += 1
        assert_same_folder(output, in_peace.read_bytes())
    return killed


def die_at(moment: int) -> None:
    """Let this process be killed at its `moment`-th step on the disk, in the middle of it if it is a write."""
    steps = iter(range(1, sys.maxsize))

    def deadly(step: Callable[..., object], half_done: bool = False) -> Callable[..., object]:
        def take(*arguments: object, **named: object) -> object:
            if next(steps) == moment:
                if half_done:
                    descriptor, content, offset = arguments
                    step(descriptor, content[: len(content) // 2], offset)
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **named)

        return take

    for name in ("fsync", "ftruncate", "posix_fallocate", "replace"):
        setattr(os, name, deadly(getattr(os, name)))
    os.pwrite = deadly(os.pwrite, half_done=True)
    Path.unlink = deadly(Path.unlink)
    h5d.create = deadly(h5d.create)
    h5py.File.close = deadly(h5py.File.close)


def kill_everywhere(folder: Path, layout: str) -> int:
    """Kill a job at its first step, its second step and so on; returns how many steps there are."""
    in_peace = folder / "in peace.hdf5"
    run(in_peace, layout)
    moment = 0
    while True:
        moment += 1
        output = folder / f"job {moment}" / "out.hdf5"
        output.parent.mkdir()

        def doomed(output: Path = output, moment: int = moment) -> None:
            die_at(moment)
            run(output, layout)

        survived = not was_killed(in_a_child(doomed))
        assert not was_killed(in_a_child(lambda output=output: run(output, layout)))
        assert_same_folder(output, in_peace.read_bytes())
        if survived:
            return moment - 1


if __name__ == "__main__":
    what, path, layout, *numbers = sys.argv[1:]
    jobs = {
        "run": run,
        "run-limited": run_limited,
        "kill-at-random": kill_at_random,
        "kill-everywhere": kill_everywhere,
    }
    print(jobs[what](Path(path), layout, *map(int, numbers)))
