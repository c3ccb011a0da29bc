"""The wheel: what is in it, and that it works in a fresh environment, with nothing of this project beside it.

The environments of other interpreters are made where PYTORCH_ELMO_TEST_PYTHONS names them (`python3.12 python3.13`):
each takes gigabytes, the greater part PyTorch's.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch

from pytorch_elmo import __version__
from pytorch_elmo.storage import LayerFileReader, verify_layer_file

PROJECT = Path(__file__).parents[1]
MODEL = PROJECT / "tests" / "golden" / "clipped"
DEFAULT_MODEL = "pytorch_elmo/pretrained/default/bilm.safetensors"
THIS_PYTHON = f"python3.{sys.version_info.minor}"
PYTHONS = ("python3.11", "python3.12", "python3.13")
NAMED = os.environ.get("PYTORCH_ELMO_TEST_PYTHONS", "").split()
TORCH = f"torch=={torch.__version__.partition('+')[0]}"

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """Run a program that must succeed, away from the sources; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ended = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy of the sources, so that nothing is left in them."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, sources)
    shutil.copytree(PROJECT / "src", sources / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "tests" / "golden", sources / "tests" / "golden")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, sources, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_name(wheel):
    assert wheel.name == f"pytorch_elmo-{__version__}-py3-none-any.whl"


def test_what_is_in_it(wheel):
    names = set(ZipFile(wheel).namelist())
    info = f"pytorch_elmo-{__version__}.dist-info"
    sources = wheel.parent / "sources" / "src"
    expected = {path.relative_to(sources).as_posix() for path in sources.rglob("*") if path.is_file()}
    assert "pytorch_elmo/py.typed" in expected
    assert any(name.startswith("pytorch_elmo/pretrained/default/") for name in expected)
    assert {name for name in names if not name.startswith(info)} == expected
    assert f"{info}/licenses/LICENSE" in names


def test_what_it_says_of_itself(wheel):
    with ZipFile(wheel) as file:
        metadata = file.read(f"pytorch_elmo-{__version__}.dist-info/METADATA").decode("utf-8")
        programs = file.read(f"pytorch_elmo-{__version__}.dist-info/entry_points.txt").decode("utf-8")
    assert "Requires-Python: <3.14,>=3.11" in metadata
    assert "Requires-Dist: torch>=2.4" in metadata
    assert "embed-to-hdf5 = pytorch_elmo.commands.main:embed_to_hdf5" in programs
    assert "elmo = pytorch_elmo.commands.main:elmo" in programs


def interpreter(name: str) -> str:
    """The interpreter called `name`; skips the test where it is not to be used or not there."""
    if name == THIS_PYTHON:
        return sys.executable
    if name not in NAMED:
        pytest.skip(f"PYTORCH_ELMO_TEST_PYTHONS does not name {name}; its PyTorch takes gigabytes")
    found = shutil.which(name)
    assert found is not None, f"PYTORCH_ELMO_TEST_PYTHONS names {name}, which is not on PATH"
    return found


@pytest.mark.parametrize("name", PYTHONS)
def test_a_fresh_environment(wheel, tmp_path, name):
    run(interpreter(name), "-m", "venv", tmp_path / "fresh", cwd=tmp_path)
    programs = tmp_path / "fresh" / "bin"
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, TORCH, cwd=tmp_path)
    run(*pip, wheel, cwd=tmp_path)

    printed = run(
        programs / "python", "-c", "import pytorch_elmo as p; print(p.__file__, p.__version__)", cwd=tmp_path
    )
    place, version = printed.split()
    assert Path(place).is_relative_to(tmp_path / "fresh")
    assert version == __version__
    (tmp_path / "text.txt").write_text("The cat sat on the mat .\nHello\n", encoding="utf-8")
    for model in [MODEL, "default"] if DEFAULT_MODEL in ZipFile(wheel).namelist() else [MODEL]:
        output = tmp_path / f"{Path(model).name}.hdf5"
        run(programs / "embed-to-hdf5", "text.txt", output, "--model", model, cwd=tmp_path)
        assert verify_layer_file(output) == []
        with LayerFileReader(output) as reader:
            assert [vectors.shape[:2] for vectors in reader] == [(3, 7), (3, 1)]
            assert reader.sentence_to_index == {"The cat sat on the mat .": 0, "Hello": 1}
    assert "is whole and holds text.txt" in run(
        programs / "elmo", "verify", "clipped.hdf5", "--against", "text.txt", cwd=tmp_path
    )
