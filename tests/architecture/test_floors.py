"""Imports go down only, and the network touches no file; each guard is shown to be able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pytorch_elmo"


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    """The contracts in `folder/pyproject.toml` checked over the package in `folder/src`."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    path = f"import sys; sys.path.insert(0, {str(folder / 'src')!r}); "
    return subprocess.run(
        [sys.executable, "-c", path + program], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copied_package(tmp_path) -> Path:
    """The sources once more, to be spoilt; returns the package's folder."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "pytorch_elmo"
    for source in PACKAGE.rglob("*.py"):
        target = package / source.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return package


def test_imports_only_go_down():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout
    assert "Contracts: 2 kept, 0 broken." in result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("model/mask.py", "from pytorch_elmo.weights.options import read_options"),
        ("text/vocabulary.py", "def late():\n    from pytorch_elmo.model import BiLM"),
        ("pretraining/stream.py", "from pytorch_elmo.embedder import ElmoEmbedder"),
        ("model/mask.py", "import json"),
        ("utils/__init__.py", "from pytorch_elmo.errors import TextError"),
    ],
    ids=["up", "up inside a function", "sideways", "files in the network", "a room that is not on the plan"],
)
def test_the_contracts_can_be_broken(copied_package, module, line):
    (copied_package / module).parent.mkdir(exist_ok=True)
    with (copied_package / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(copied_package.parents[1])
    assert result.returncode == 1, result.stdout + result.stderr
    assert str(copied_package.parents[1]) not in result.stderr


def opens_files(source: str) -> bool:
    return "open(" in source


def test_the_network_opens_no_file():
    sources = sorted((PACKAGE / "model").rglob("*.py"))
    assert len(sources) >= 10
    assert [path.name for path in sources if opens_files(path.read_text("utf-8"))] == []
    assert opens_files((PACKAGE / "files.py").read_text("utf-8"))
