import os
import subprocess
import sys

import pytest

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.job_files import JobFiles, partial_state

HOLD_THE_LOCK = """
import sys, time
from pathlib import Path
from pytorch_elmo.storage.job_files import JobFiles
files = JobFiles(Path(sys.argv[1]))
files.lock()
print("locked", flush=True)
time.sleep(600)
"""
IN_USE = "another process is writing .*out.hdf5; wait for it or choose another output"


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    output = tmp_path / "out.hdf5"
    second = JobFiles(output)
    with subprocess.Popen([sys.executable, "-c", HOLD_THE_LOCK, output], stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == b"locked\n"
        try:
            with pytest.raises(LayerFileError, match=IN_USE):
                second.lock()
        finally:
            first.kill()
    assert second._lock_path.exists()  # the killed process leaves the file, not the lock
    second.lock()
    second.unlock()
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_in_the_same_process_is_refused(tmp_path):
    first, second = JobFiles(tmp_path / "out.hdf5"), JobFiles(tmp_path / "out.hdf5")
    first.lock()
    with pytest.raises(LayerFileError, match=IN_USE):
        second.lock()
    second.unlock()  # not its own: nothing happens
    assert first._lock_path.exists()
    first.unlock()
    second.lock()
    second.unlock()


def test_the_folder_must_exist(tmp_path):
    with pytest.raises(LayerFileError, match=r"folder of the output must exist, but .*nowhere does not; create it"):
        JobFiles(tmp_path / "nowhere" / "out.hdf5").lock()


def test_the_output_must_not_be_a_folder(tmp_path):
    with pytest.raises(LayerFileError, match=r"output must be a file, but .* is a folder; name a file in it"):
        JobFiles(tmp_path)


def test_states(tmp_path):
    files = JobFiles(tmp_path / "out.hdf5")
    assert partial_state(files.output) == "none"
    files.building.touch()
    files.journal.touch()
    assert partial_state(files.output) == "none"
    files.partial.touch()
    assert partial_state(files.output) == "partial"
    files.output.touch()
    assert partial_state(files.output) == "partial"  # an older output that the job will replace
    files.remove_partial()
    assert partial_state(files.output) == "complete"
    assert os.listdir(tmp_path) == ["out.hdf5"]
