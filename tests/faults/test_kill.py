"""Jobs that are killed and gone on with, in a short form; `scripts/kill_test.py --kills 200` is the long one."""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MODEL = PROJECT / "tests" / "golden" / "clipped"
KILLS = 8


def kill_test(tmp_path, *options: str) -> subprocess.CompletedProcess[str]:
    script = PROJECT / "scripts" / "kill_test.py"
    command = [sys.executable, str(script), "--model", str(MODEL), "--sentences", "200", *options]
    environment = {"PATH": "", "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_killed_jobs_end_as_those_left_alone(tmp_path):
    ended = kill_test(tmp_path, "--kills", str(KILLS))
    assert ended.returncode == 0, ended.stderr
    summary, *phases = ended.stdout.splitlines()
    assert re.fullmatch(rf"{KILLS} kills of [1-9]\d* jobs, {KILLS} resumes, \d+ s", summary)
    kills = {line.split(": ")[0].split("while ")[1]: int(line.split(": ")[1]) for line in phases}
    assert list(kills) == ["reading", "laying out", "embedding", "finishing"]
    assert sum(kills.values()) == KILLS
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_was_never_written_is_noticed(tmp_path):
    """The test of the test: the journals claim more than the files hold."""
    ended = kill_test(tmp_path, "--kills", "50", "--lie")
    assert ended.returncode == 1
    shown = re.search(
        r"Error: not whole: sentence \d+ .*\n.*embed-to-hdf5 .*\n  see it: elmo verify '(.*)' --against", ended.stderr
    )
    assert shown, ended.stderr
    assert Path(shown[1]).exists()
