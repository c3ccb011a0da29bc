"""The parity script: what it finds, what it lets pass, and that nothing escapes it."""

import json
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import parity
from checks import conversion, ledger, outcomes
from pytorch_elmo import errors

SCRIPT = Path(__file__).parents[2] / "scripts" / "parity.py"

NUMBERS = np.array([1.0, 2.0], dtype=np.float32)


def file_of(**parts) -> "ledger.GoldenFile":
    return ledger.GoldenFile(parts)


@pytest.fixture
def folder(tmp_path):
    """A golden folder with two files of numbers and one of text."""
    np.savez(tmp_path / "numbers.npz", a=NUMBERS, b=NUMBERS)
    with h5py.File(tmp_path / "layers.hdf5", "w") as file:
        file["0"] = NUMBERS
        file["sentence_to_index"] = np.array(['{"a": "0"}'], dtype=h5py.string_dtype())
    (tmp_path / "README.md").write_text("text", encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """The script's exit code and print-out with other checks and tables."""

    def run(*checks, purposes=(), listed=(("README.md", "text"),)):
        monkeypatch.setattr(parity, "CHECKS", checks)
        monkeypatch.setattr(parity, "PURPOSES", dict(purposes))
        monkeypatch.setattr(parity, "LISTED", dict(listed))
        monkeypatch.setattr(sys, "argv", ["parity.py", str(folder)])
        return parity.main(), capsys.readouterr().out

    logger = logging.getLogger("pytorch_elmo")
    level = logger.level
    yield run
    logger.setLevel(level)  # the script quietens it


def compare_everything(golden, *, shift=0.0):
    numbers, layers = golden.arrays("numbers.npz"), golden.arrays("layers.hdf5")
    for name in numbers:
        numbers.compare(name, torch.from_numpy(NUMBERS + np.float32(shift)))
    layers.compare("0", NUMBERS)
    layers.equal("sentence_to_index", ['{"a": "0"}'])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "num_files", "num_compared"), [("elmo", 200, 7000), ("tf", 80, 1000)])
def test_every_golden_file(test_data, name, num_files, num_compared):
    golden_folder = test_data / "golden" / name
    command = [sys.executable, str(SCRIPT), str(golden_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "FAULT" in line) + done.stderr
    last = done.stdout.splitlines()[-1]
    found_files = sum(path.is_file() for path in golden_folder.rglob("*"))
    found = re.match(r"(\d+) files: (\d+) parts compared, .* (\d+)% of its tolerance; 0 fault\(s\)", last)
    assert found, last
    assert int(found[1]) == found_files > num_files
    assert int(found[2]) > num_compared
    assert int(found[3]) <= 100


def test_the_tables_are_short_and_say_what_is_there():
    assert len(parity.PURPOSES) <= 12
    waiting = {why.split(":")[0] for why in parity.LISTED.values() if why.startswith("wait")}
    assert waiting - {"waits for AllenNLP (make setup)"} == set()


def test_equal_files(run):
    code, printed = run(compare_everything)
    assert code == 0
    assert re.search(r"^  numbers\.npz +equal \(2 compared\)$", printed, flags=re.M)
    assert re.search(r"^  README\.md +text$", printed, flags=re.M)
    assert printed.splitlines()[-1].startswith("3 files: 4 parts compared, 0 differ on purpose")


@pytest.mark.parametrize(("shift", "code", "row"), [(4e-6, 0, "in b"), (3e-5, 1, "in b"), (np.nan, 1, "")])
def test_a_difference_within_its_tolerance_or_beyond(run, shift, code, row):
    def check(golden):
        compare_everything(golden)
        golden.arrays("numbers.npz").compare("b", NUMBERS + np.float32(shift))

    exit_code, printed = run(check)
    assert exit_code == code
    assert row in printed
    assert (f"FAULT numbers.npz: b differs by {shift:.1e}, more than 1.0e-05" in printed) == bool(code)


def test_a_file_that_was_not_visited(run):
    code, printed = run(compare_everything, listed=[])
    assert code == 1
    assert "FAULT README.md: was not visited; compare it or list it" in printed


def test_a_part_that_was_not_looked_at(run):
    def check(golden):
        compare_everything(golden)
        golden.files["numbers.npz"] = file_of(a=NUMBERS, b=NUMBERS)
        golden.files["numbers.npz"].take("b")

    code, printed = run(check)
    assert code == 1
    assert "FAULT numbers.npz: 1 part(s) were not looked at, first a" in printed


def test_tables_that_have_grown_old(run):
    listed = [("README.md", "text"), ("numbers.npz", "report"), ("gone.json", "report")]
    code, printed = run(compare_everything, purposes=[("never", "met")], listed=listed)
    assert code == 1
    assert "FAULT numbers.npz: is listed (report), but it was opened; take it off the list" in printed
    assert "FAULT the purpose 'never' was met nowhere" in printed
    assert "FAULT no file is gone.json" in printed


@pytest.mark.parametrize("as_promised", [True, False])
def test_a_difference_on_purpose(run, as_promised):
    def check(golden):
        compare_everything(golden)
        golden.arrays("layers.hdf5").differs("0", "better", as_promised)

    code, printed = run(check, purposes=[("better", "because")])
    assert code == (0 if as_promised else 1)
    assert "1 differ on purpose: better" in printed
    assert ("0: should differ on purpose (better), but is not what that promises" in printed) != as_promised
    code, printed = run(check)
    assert code == 1
    assert "FAULT layers.hdf5: 'better' is not in the table of purposes" in printed


def test_parts_that_wait(run):
    def check(golden):
        compare_everything(golden)
        golden.arrays("layers.hdf5").wait("0", "B")

    code, printed = run(check)
    assert code == 0
    assert "1 wait for B" in printed


@pytest.mark.parametrize(
    ("ours", "fault"),
    [
        (NUMBERS.astype(np.float64), "a is float64 (2,), there float32 (2,)"),
        (NUMBERS[:1], "a is float32 (1,), there float32 (2,)"),
    ],
)
def test_shapes_and_dtypes(ours, fault):
    file = file_of(a=NUMBERS)
    file.compare("a", ours)
    assert file.all_faults() == [fault]


@pytest.mark.parametrize("ours", [np.array([1, 3]), np.array([1.0, 2.0]), np.array([1])])
def test_ids_and_masks_are_equal_or_not(ours):
    file = file_of(a=np.array([1, 2]))
    file.equal("a", np.array([1, 2]))
    assert file.all_faults() == []
    file.equal("a", ours)
    assert len(file.all_faults()) == 1


def test_the_worst_is_the_largest_share_of_a_tolerance():
    file = file_of(a=NUMBERS, b=NUMBERS)
    file.compare("a", NUMBERS + np.float32(1e-3), tolerance=1.0)
    file.compare("b", NUMBERS + np.float32(5e-6))
    assert file.worst_name == "b"
    assert 0.4 < file.worst_share < 0.6
    assert file.all_faults() == []


def test_outcomes_of_calls():
    def refuse():
        raise errors.ConfigurationError("no")

    report = file_of(
        same={"error": None, "result": "1"},
        refused={"error": "KeyError", "message": ""},
        stricter={"error": None, "result": "1"},
        wrong={"error": None, "result": "1"},
    )
    calls = {"same": lambda: 1, "refused": refuse, "stricter": refuse, "wrong": lambda: 2}
    outcomes.compare_outcomes(report, calls, {"stricter": "stricter"})
    assert report.purposes == {"own words": 1, "stricter": 1}
    assert report.all_faults() == ["wrong is {'error': None, 'result': '2'}, there {'error': None, 'result': '1'}"]
    with pytest.raises(ZeroDivisionError):
        outcomes.outcome(lambda: 1 / 0)


def test_an_altered_checkpoint_is_found(golden_folder, tmp_path):
    """A number of another program's files that is not what its check sum, or its export, says."""
    folder = shutil.copytree(golden_folder / "bilm_tf_checkpoint", tmp_path / "bilm_tf_checkpoint")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    golden = ledger.Golden(tmp_path)
    conversion.check_variables(golden)
    conversion.check_conversions(golden)
    assert golden.all_faults() == []
    with h5py.File(folder / "weights.hdf5", "r+") as file:
        file["CNN_proj/b_proj"][0] += 1e-6
    golden = ledger.Golden(tmp_path)
    conversion.check_variables(golden)
    conversion.check_conversions(golden)
    faults = golden.all_faults()
    assert len(faults) == 2  # once of each kind of files
    assert all(fault.startswith("bilm_tf_checkpoint/weights.hdf5: CNN_proj/b_proj is") for fault in faults)


def test_an_altered_model_of_many_languages_is_found(golden_folder, tmp_path):
    folder = shutil.copytree(golden_folder / "elmoformanylangs", tmp_path / "elmoformanylangs")
    for path in folder.rglob("*"):
        path.chmod(0o755)
    weights = torch.load(folder / "model" / "encoder.pkl", weights_only=True)
    weights["forward_layer_1.state_linearity.bias"][2] += 0.01
    torch.save(weights, folder / "model" / "encoder.pkl")
    golden = ledger.Golden(tmp_path)
    conversion.check_many_langs(golden)
    faults = golden.all_faults()
    assert any("model.npz: weights__encoder__forward_layer_1.state_linearity.bias is" in fault for fault in faults)
    assert any(re.search(r"model_cli\.ly2\.hdf5: .* differs by", fault) for fault in faults)
    assert not any("model_chars" in fault for fault in faults)


def test_an_altered_golden_file_is_found(golden_folder, tmp_path):
    (tmp_path / "goldens_2.10.1").mkdir()
    altered = shutil.copy(golden_folder / "goldens_2.10.1" / "scalar_mix.npz", tmp_path / "goldens_2.10.1")
    with np.load(altered) as file:
        arrays = dict(file)
    arrays["ln1__grad_tensors"][0, 0, 0, 0] += 1e-3
    np.savez(altered, **arrays)
    golden = ledger.Golden(tmp_path)
    parity.check_scalar_mix(golden)
    assert golden.all_faults() == [
        "goldens_2.10.1/scalar_mix.npz: ln1__grad_tensors differs by 1.0e-03, more than 1.0e-05"
    ]


def test_an_altered_run_of_the_command_is_found(golden_folder, tmp_path):
    """One case of the command, with another exit code and another vector than it has."""
    for name in ("models", "fixtures", "inputs"):
        (tmp_path / name).symlink_to(golden_folder / name)
    cli = tmp_path / "goldens_0.9.0" / "cli"
    cli.mkdir(parents=True)
    cases = json.loads((golden_folder / "goldens_0.9.0" / "cli" / "index.json").read_text("utf-8"))
    case = cases["syn1_all"] | {"exit": 1}
    (cli / "index.json").write_text(
        json.dumps({"syn1_all": cases["syn1_all"], "blank_lines": case}), encoding="utf-8"
    )
    shutil.copy(golden_folder / "goldens_0.9.0" / "cli" / "syn1_all.hdf5", cli)
    with h5py.File(cli / "syn1_all.hdf5", "r+") as file:
        file["2"][0, 0, 0] += 0.5
    golden = ledger.Golden(tmp_path)
    parity.check_command(golden)
    faults = golden.all_faults()
    assert any(re.match(r"goldens_0.9.0/cli/syn1_all.hdf5: 2 differs by 5.0e-01", fault) for fault in faults)
    assert (
        "goldens_0.9.0/cli/index.json: blank_lines: should differ on purpose (own words), but is not what"
        in "".join(faults)
    )


def test_the_folder(monkeypatch, tmp_path):
    assert parity.folders_from([str(tmp_path)]) == [tmp_path]
    monkeypatch.setenv("PYTORCH_ELMO_TEST_DATA", str(tmp_path))
    both = [tmp_path / "golden" / name for name in ("elmo", "tf")]
    for folder in both:
        folder.mkdir(parents=True)
    assert parity.folders_from([]) == both
    assert parity.tables_for(both[0]).checks == parity.CHECKS != parity.tables_for(both[1]).checks
    with pytest.raises(SystemExit, match=r"the golden folder must exist, .*nothing does not; name another"):
        parity.folders_from([str(tmp_path / "nothing")])
    monkeypatch.delenv("PYTORCH_ELMO_TEST_DATA")
    for arguments in ([], ["one", "two"]):
        with pytest.raises(SystemExit, match=r"python scripts/parity.py \[GOLDEN_FOLDER\]"):
            parity.folders_from(arguments)
