"""A run without the test data says how much it left out, and can be made to fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN_TEST = "tests/text/test_characters.py::test_original_indexer"
VARIABLE = "PYTORCH_ELMO_TEST_DATA"


def run_golden_test(*options: str, data: Path | None = None) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if data is not None:
        environment[VARIABLE] = str(data)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", GOLDEN_TEST, *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_without_the_data_golden_tests_skip_and_are_counted():
    result = run_golden_test()
    assert result.returncode == 0, result.stdout
    assert f"1 skipped: {VARIABLE} is not set to the folder with golden/ and data/" in result.stdout


def test_skips_can_be_made_failures():
    result = run_golden_test("--no-golden-skips")
    assert result.returncode == 1, result.stdout
    assert f"--no-golden-skips: {VARIABLE} is not set" in result.stdout


def test_golden_tests_are_marked():
    result = run_golden_test("-m", "not golden")
    assert "1 deselected" in result.stdout


@pytest.mark.parametrize("options", [(), ("--no-golden-skips",)])
def test_a_folder_without_goldens_is_a_failure(tmp_path, options):
    result = run_golden_test(*options, data=tmp_path)
    assert result.returncode == 1, result.stdout
    assert "which has no folder golden/; unset it or name the right folder" in result.stdout
