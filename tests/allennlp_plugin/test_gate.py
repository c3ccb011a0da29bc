"""The gate: nothing but `sys` until AllenNLP is imported, and nothing at all when it is switched off."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
GATE = SOURCES / "pytorch_elmo_gate.py"
ARMED = "pytorch_elmo.allennlp_plugin.compat"


def loaded_after(statement: str, *, path: Path = SOURCES, **variables: str) -> list[str]:
    """Names in `sys.modules` after a statement, in a Python that has the gate and no other `.pth` file."""
    program = f"import sys; sys.path[:0] = [{str(SOURCES)!r}, {str(path)!r}]\nimport pytorch_elmo_gate\n{statement}\n"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program + "print(*sys.modules, sep='\\n')"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture
def downloader(tmp_path) -> Path:
    """A folder with a module called as AllenNLP's downloader: the gate arms for it, and nothing mends it."""
    (tmp_path / "cached_path.py").write_text("", encoding="utf-8")
    return tmp_path


def test_the_gate_imports_sys_alone():
    tree = ast.parse(GATE.read_text("utf-8"))
    at_its_start = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in at_its_start] == ["import sys"]


def test_the_line_that_python_runs_at_its_start():
    lines = (SOURCES / "pytorch_elmo_gate.pth").read_text("utf-8").splitlines()
    assert lines == ["import pytorch_elmo_gate"]


def test_a_program_without_allennlp_loads_the_gate_and_no_more():
    without = set(loaded_after("pass"))
    assert {name for name in without if "elmo" in name or name == "torch"} == {"pytorch_elmo_gate"}


def test_the_first_import_arms(downloader):
    assert ARMED in loaded_after("import cached_path", path=downloader)


def test_a_search_is_enough(downloader):
    assert ARMED in loaded_after("import importlib.util; importlib.util.find_spec('cached_path')", path=downloader)


def test_arming_loads_neither_allennlp_nor_torch(downloader):
    assert not {"allennlp", "torch", "numpy"} & set(loaded_after("import cached_path", path=downloader))


def test_the_off_switch(downloader):
    loaded = loaded_after("import cached_path", path=downloader, PYTORCH_ELMO_ALLENNLP="0")
    assert "cached_path" in loaded
    assert ARMED not in loaded


def test_the_off_switch_is_read_when_allennlp_is_imported(downloader):
    statement = "import os; os.environ['PYTORCH_ELMO_ALLENNLP'] = '0'; import cached_path"
    assert ARMED not in loaded_after(statement, path=downloader)


def test_the_gate_steps_aside(downloader):
    statement = """
gate = sys.meta_path[0]
import cached_path
assert type(gate).__name__ == "Gate"
assert gate not in sys.meta_path
assert gate.find_spec("allennlp") is None
"""
    loaded_after(statement, path=downloader)


def test_it_is_not_met_by_other_imports():
    assert ARMED not in loaded_after("import json, logging, argparse")
