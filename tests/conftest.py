"""What every test may use: where the test data is, the small committed models, and the rules for skipping.

The folder with `golden/` and `data/` is named by the variable PYTORCH_ELMO_TEST_DATA, which is read here alone. On a
machine without it the tests that need it skip, and the last lines of the run say how many and why; with
`--no-golden-skips` every such skip is a failure.
"""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from pytorch_elmo.model import BiLM
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.hdf5 import read_hdf5
from pytorch_elmo.weights.options import read_options

pytest_plugins = ["pytester"]  # for the tests of this file

DATA_VARIABLE = "PYTORCH_ELMO_TEST_DATA"
DATA_FIXTURES = {"test_data", "golden_folder"}
COMMITTED = Path(__file__).parent / "golden"

settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("searching", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption(
        "--no-golden-skips", action="store_true", help=f"fail a test that skips although it needs {DATA_VARIABLE}"
    )


def pytest_configure():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell hands down to `... &` that it is ignored
    torch.set_num_threads(1)  # the tensors are tiny, and a second thread changes the order of sums


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if DATA_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("golden")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and item.config.getoption("--no-golden-skips") and item.get_closest_marker("golden"):
        report.outcome = "failed"
        report.longrepr = f"--no-golden-skips: {reason_of(report)}"
    return report


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("skipped tests")
        for reason, count in Counter(map(reason_of, skipped)).most_common():
            terminalreporter.write_line(f"{count} skipped: {reason}")


def reason_of(report) -> str:
    """Why a test was skipped, without pytest's prefix."""
    return report.longrepr[2].removeprefix("Skipped: ")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder that has `golden/` and `data/`."""
    named = os.environ.get(DATA_VARIABLE)
    if named is None:
        pytest.skip(f"{DATA_VARIABLE} is not set to the folder with golden/ and data/")
    folder = Path(named)
    if not (folder / "golden").is_dir():
        pytest.fail(f"{DATA_VARIABLE} is {named}, which has no folder golden/; unset it or name the right folder")
    return folder


@pytest.fixture(scope="session")
def golden_folder(test_data) -> Path:
    """Outputs of the original implementations."""
    return test_data / "golden" / "elmo"


@pytest.fixture
def small_model_folder() -> Path:
    """A committed model: `options.json` and `weights.hdf5`, both clips at work."""
    return COMMITTED / "clipped"


@pytest.fixture
def small_model(small_model_folder) -> BiLM:
    """That model, read anew for each test."""
    return read_hdf5(small_model_folder / "weights.hdf5", read_options(small_model_folder / "options.json"))


@pytest.fixture
def small_vocabulary() -> Vocabulary:
    """The words that the committed softmax layers predict."""
    return Vocabulary.from_file(COMMITTED / "vocabulary.txt")
