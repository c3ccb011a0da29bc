"""A run without the test data says how much it left out, and can be made to fail."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
VARIABLE = "PYTORCH_ELMO_TEST_DATA"
TESTS = """
    import pytest

    def test_of_the_originals(golden_folder):
        assert golden_folder.name == "elmo"

    @pytest.mark.golden
    def test_that_skips_by_itself():
        pytest.skip("no such file")

    def test_that_needs_nothing():
        pass

    def test_for_another_machine():
        pytest.skip("no accelerator")

    @pytest.mark.golden
    @pytest.mark.xfail
    def test_that_is_known_to_fail():
        assert False
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder with this project's conftest.py, and no data."""
    monkeypatch.delenv(VARIABLE, raising=False)
    pytester.makeconftest(CONFTEST.read_text("utf-8").replace('pytest_plugins = ["pytester"]', ""))
    pytester.makeini("[pytest]\nmarkers = golden: of the originals")
    pytester.makepyfile(TESTS)
    return pytester


def test_without_the_data_golden_tests_skip_and_are_counted(project):
    result = project.runpytest()
    result.assert_outcomes(passed=1, skipped=3, xfailed=1)
    reasons = [f"1 skipped: {VARIABLE} is not set*", "1 skipped: no such file", "1 skipped: no accelerator"]
    result.stdout.fnmatch_lines_random(reasons)


def test_skips_of_golden_tests_can_be_made_failures(project):
    result = project.runpytest("--no-golden-skips")
    result.assert_outcomes(passed=1, skipped=1, failed=1, errors=1, xfailed=1)
    result.stdout.fnmatch_lines([f"--no-golden-skips: {VARIABLE} is not set*", "--no-golden-skips: no such file"])
    result.stdout.no_fnmatch_line("--no-golden-skips: no accelerator")


def test_golden_tests_are_marked_by_what_they_use(project):
    project.runpytest("-m", "not golden").assert_outcomes(passed=1, skipped=1, deselected=3)


def test_with_the_data_golden_tests_run(project, monkeypatch):
    project.mkdir("golden")
    monkeypatch.setenv(VARIABLE, str(project.path))
    project.runpytest("--no-golden-skips", "-k", "of_the_originals").assert_outcomes(passed=1, deselected=4)


@pytest.mark.parametrize("options", [(), ("--no-golden-skips",)])
def test_a_folder_without_goldens_is_never_skipped(project, monkeypatch, options):
    monkeypatch.setenv(VARIABLE, str(project.mkdir("empty")))
    result = project.runpytest("-k", "of_the_originals", *options)
    result.assert_outcomes(errors=1, deselected=4)
    result.stdout.fnmatch_lines(["*which has no folder golden/; unset it or name the right folder*"])
