"""The part of the parity script on vectorised texts and warm starts: all is compared, and a change is found."""

import json
import shutil

import numpy as np
import pytest

from checks import ledger, warm_start


@pytest.fixture
def folder(test_data, tmp_path):
    """A copy of the golden files, to be altered."""
    for name in ("textvec.json", "warmstart.json", "warmstart.npz", "warm_tutorial.json", "warm_tutorial.npz"):
        shutil.copyfile(test_data / "golden" / "tf" / name, tmp_path / name)
    return tmp_path


def checked(folder):
    golden = ledger.Golden(folder)
    for check in warm_start.CHECKS:
        check(golden)
    return golden


def test_everything_is_compared(folder):
    golden = checked(folder)
    assert [file.faults for file in golden.files.values()] == [[]] * 5
    for name in ("textvec.json", "warmstart.json", "warmstart.npz"):
        assert golden.files[name].left == []
    assert golden.files["warmstart.npz"].compared == 65
    assert golden.files["warmstart.json"].compared == 26 + 3 * 65
    assert golden.files["textvec.json"].compared > 600


def test_what_was_altered_is_found(folder):
    vectorizers = json.loads((folder / "textvec.json").read_text("utf-8"))
    vectorizers["cases"][0]["ids"][3][1] += 1
    (folder / "textvec.json").write_text(json.dumps(vectorizers), encoding="utf-8")
    matrices = json.loads((folder / "warmstart.json").read_text("utf-8"))
    next(case for case in matrices["cases"] if case["name"] == "init-none")["error"]["type"] = "KeyError"
    (folder / "warmstart.json").write_text(json.dumps(matrices), encoding="utf-8")
    with np.load(folder / "warmstart.npz") as file:
        arrays = dict(file)
    arrays["append-uniform/out"][0, 0] += 1e-6
    arrays["append-ones/out"][0, 0] += 1e-6
    np.savez(folder / "warmstart.npz", **arrays)
    faults = [fault for file in checked(folder).files.values() for fault in file.faults]
    assert [fault.split(" ")[0] for fault in sorted(faults)] == [
        "append-ones/out",
        "append-uniform/out",
        "default/ids",
        "init-none:",
    ]
