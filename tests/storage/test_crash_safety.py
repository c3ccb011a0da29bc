"""Jobs killed at any moment are gone on with and give the same file, bit for bit."""

import subprocess
import sys
from pathlib import Path

import pytest

from pytorch_elmo.storage import LayerFileReader, partial_state, verify_layer_file

SCRIPT = Path(__file__).with_name("stoppable_job.py")
NUM_KILLS = 20


def stoppable_job(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", SCRIPT, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_killed_at_random(tmp_path, layout):
    done = stoppable_job("kill-at-random", tmp_path, layout, NUM_KILLS, 7)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= NUM_KILLS


@pytest.mark.parametrize(("layout", "least_steps"), [("per-sentence", 40), ("packed", 30)])
def test_killed_at_every_step(tmp_path, layout, least_steps):
    done = stoppable_job("kill-everywhere", tmp_path, layout)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= least_steps


def test_layouts_hold_the_same(tmp_path):
    readers = []
    for layout in ("per-sentence", "packed"):
        path = tmp_path / f"{layout}.hdf5"
        assert stoppable_job("run", path, layout).returncode == 0
        assert verify_layer_file(path) == []
        readers.append(LayerFileReader(path))
    assert len(readers[0]) == len(readers[1]) == 200
    for one, other in zip(*readers, strict=True):
        assert (one == other).all()
        assert one.shape == other.shape
    assert readers[0].sentence_to_index == readers[1].sentence_to_index


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_no_room_at_the_beginning(tmp_path, layout):
    done = stoppable_job("run-limited", tmp_path / "out.hdf5", layout, 100_000, 100_000)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "out.hdf5 cannot be written: the file is larger than its file system or the limit" in last
    assert last.endswith("nothing was begun; make room or choose another folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_no_room_on_the_way(tmp_path, layout):
    output, in_peace = tmp_path / "out.hdf5", tmp_path / "in peace.hdf5"
    assert stoppable_job("run", in_peace, layout).returncode == 0
    size = in_peace.stat().st_size
    done = stoppable_job("run-limited", output, layout, 2 * size, size // 2)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "out.hdf5 cannot be written: the file is larger than" in last
    assert last.endswith("is safe; make room and go on with --resume")
    assert partial_state(output) == "partial"
    assert stoppable_job("run", output, layout).returncode == 0
    assert output.read_bytes() == in_peace.read_bytes()
