"""The committed golden arrays are what the script and the slow reference compute today."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
TOLERANCE = 1e-12  # both float64; exp and tanh differ in the last bit between processors
MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    script = ROOT / "scripts" / "make_golden.py"
    subprocess.run([sys.executable, "-W", "error", str(script), str(folder)], check=True)
    return folder


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None
        )
    return found


def test_the_same_files(regenerated):
    assert files_of(regenerated) == files_of(GOLDEN) - {"README.md"}
    assert len(files_of(regenerated)) == 21


@pytest.mark.parametrize("name", sorted(files_of(GOLDEN) - {"README.md"}))
def test_the_same_content(regenerated, name):
    committed, again = GOLDEN / name, regenerated / name
    if committed.suffix not in (".npz", ".hdf5"):
        assert again.read_text("utf-8") == committed.read_text("utf-8")
        return
    ours, theirs = arrays_of(again), arrays_of(committed)
    assert ours.keys() == theirs.keys()
    assert len(ours) > 0
    for key, array in ours.items():
        assert (array.shape, array.dtype) == (theirs[key].shape, theirs[key].dtype)
        exact = committed.suffix == ".hdf5" or array.dtype.kind != "f"
        tolerance = 0 if exact else TOLERANCE
        np.testing.assert_allclose(array, theirs[key], rtol=tolerance, atol=tolerance, err_msg=key)


def test_the_set_is_small():
    assert sum((GOLDEN / name).stat().st_size for name in files_of(GOLDEN)) < MOST_BYTES


def test_clips_bite_in_the_clipped_model_and_only_there():
    for name, bites in (("clipped", True), ("deep", False)):
        lstm = json.loads((GOLDEN / name / "options.json").read_text("utf-8"))["lstm"]
        arrays = arrays_of(GOLDEN / name / "stateful.npz")
        for part, bound in (("hidden", lstm["proj_clip"]), ("cell", lstm["cell_clip"])):
            values = np.abs(np.concatenate([arrays[key].ravel() for key in arrays if key.endswith(part)]))
            if bites:
                assert 0.05 < (values == bound).mean() < 0.9
            else:
                assert not bound
                assert values.max() > 1


def test_training_clips_some_steps_and_accumulates_the_clipped_gradients():
    options = json.loads((GOLDEN / "trained" / "options.json").read_text("utf-8"))
    steps = arrays_of(GOLDEN / "trained" / "steps.npz")
    norms, most = steps["gradient_norm"], options["all_clip_norm_val"]
    assert 0 < (norms > most).sum() < len(norms) == 5
    gradients = [array for key, array in steps.items() if key.startswith("gradient__")]
    squares = sum((array.reshape(5, -1) ** 2).sum(axis=1) for array in gradients)
    np.testing.assert_allclose(np.sqrt(squares), norms, rtol=TOLERANCE)
    added = sum((array - 1).sum() for key, array in steps.items() if key.startswith("accumulator__"))
    np.testing.assert_allclose(added, (np.minimum(norms, most) ** 2).sum(), rtol=1e-9)
    assert {key.split("__", 1)[1] for key in steps if key.startswith("final__")} == {
        key.split("__", 1)[1] for key in steps if key.startswith("gradient__")
    }
