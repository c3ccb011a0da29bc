"""`python -m pytorch_elmo.setup_allennlp`: one list, what is missing of it, and never another PyTorch."""

import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from pytorch_elmo import setup_allennlp
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.setup_allennlp import main, read_packages

TABLES = ("without_dependencies", "exact", "light", "full")


class Environment:
    """What is installed, and what pip is told; pip does as it is told, or fails."""

    def __init__(self, **versions: str) -> None:
        self.versions = {"torch": "2.13.0+cpu", "numpy": "2.4.6", **versions}
        self.calls: list[list[str]] = []
        self.constraints: list[str] = []
        self.failure = ""

    def version(self, package: str) -> str:
        if package not in self.versions:
            raise metadata.PackageNotFoundError(package)
        return self.versions[package]

    def run(self, command, **_):
        self.calls.append(command)
        if "--constraint" in command:
            self.constraints = Path(command[command.index("--constraint") + 1]).read_text("utf-8").splitlines()
        if self.failure:
            return subprocess.CompletedProcess(command, 1, stdout=self.failure)
        self.versions |= dict(part.split("==") for part in command if "==" in part)
        return subprocess.CompletedProcess(command, 0, stdout="")

    def asked_for(self) -> set[str]:
        return {part for call in self.calls for part in call if "==" in part}


@pytest.fixture
def environment(monkeypatch) -> Environment:
    """A fresh one, with PyTorch and NumPy."""
    fresh = Environment()
    monkeypatch.setattr(setup_allennlp.metadata, "version", fresh.version)
    monkeypatch.setattr(setup_allennlp.subprocess, "run", fresh.run)
    return fresh


def requirements(*tables: str) -> set[str]:
    return {f"{name}=={version}" for table in tables for name, version in read_packages()[table].items()}


def test_the_list_is_exact_and_has_every_reason():
    packages = read_packages()
    assert tuple(packages) == TABLES
    for table in packages.values():
        assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in table.values())
    names = [name for table in packages.values() for name in table]
    assert len(names) == len(set(names)) >= 15
    assert packages["without_dependencies"]["allennlp"] == "2.10.1"
    assert packages["without_dependencies"]["allennlp-models"] == "2.10.1"
    text = (Path(setup_allennlp.__file__).parent / "allennlp_plugin" / "packages.toml").read_text("utf-8")
    lines = [line for line in text.splitlines() if re.match(r"[\w-]+ = ", line)]
    assert [line for line in lines if "#" not in line] == ['allennlp = "2.10.1"']


def test_the_light_size_leaves_out_what_elmo_work_does_not_need():
    light = {name for table in TABLES[:3] for name in read_packages()[table]}
    heavy = {"spacy", "transformers", "fairscale", "torchvision", "boto3", "google-cloud-storage", "wandb"}
    assert not light & (heavy | {"torch", "numpy"})


@pytest.mark.parametrize(("arguments", "tables"), [([], TABLES[:3]), (["--full"], TABLES)])
def test_a_fresh_environment(environment, capsys, arguments, tables):
    main(arguments)
    assert environment.asked_for() == requirements(*tables)
    bare, rest = environment.calls
    assert "--no-deps" in bare
    assert {part for part in bare if "==" in part} == requirements("without_dependencies")
    assert "--no-deps" not in rest
    assert all(call[:4] == [sys.executable, "-m", "pip", "install"] for call in environment.calls)
    assert f"in the {'full' if arguments else 'light'} size" in capsys.readouterr().out


def test_a_second_time_there_is_nothing_to_do(environment, capsys):
    main([])
    environment.calls.clear()
    main([])
    assert environment.calls == []
    assert capsys.readouterr().out.endswith("AllenNLP is set up in the light size; nothing to do\n")


def test_the_full_size_adds_to_the_light_one(environment):
    main([])
    environment.calls.clear()
    main(["--full"])
    assert environment.asked_for() == requirements("full")
    assert len(environment.calls) == 1


def test_what_is_there_stays_where_its_version_does_not_matter(environment):
    environment.versions |= {"requests": "2.30.0", "rich": "13.0.0", "nltk": "3.10.4", "allennlp": "2.9.3"}
    main([])
    names = {requirement.partition("==")[0] for requirement in environment.asked_for()}
    assert not {"requests", "rich"} & names
    assert {"nltk", "allennlp"} <= names


def test_a_dry_run_prints_commands_and_installs_nothing(environment, capsys):
    main(["--full", "--dry-run"])
    assert environment.calls == []
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line[:4] == ["python", "-m", "pip", "install"] for line in lines)
    assert {part for line in lines for part in line if "==" in part} == requirements(*TABLES)


def test_pytorch_is_held_at_the_very_build_that_is_there(environment):
    main(["--full"])
    assert environment.constraints == ["torch==2.13.0+cpu", "numpy==2.4.6"]
    assert all("--constraint" in call for call in environment.calls)
    assert not {"torch", "numpy"} & {name.partition("==")[0] for name in environment.asked_for()}


def test_errors_are_one_line(environment, capsys):
    environment.failure = (
        "Collecting x\nERROR: Could not find a version\nERROR: No matching distribution for allennlp\n"
    )
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("setup_allennlp: error: pip was asked for --constraint ")
    assert line.endswith(" and failed: Could not find a version; No matching distribution for allennlp")


def test_pytorch_must_be_there(environment):
    del environment.versions["torch"]
    with pytest.raises(
        ConfigurationError, match=r"needs PyTorch, which is not installed; python -m pip install torch"
    ):
        setup_allennlp.set_up(full=False, dry_run=False)
    assert environment.calls == []


def test_pip_must_be_there(environment, monkeypatch):
    monkeypatch.setattr(setup_allennlp, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip is needed and .* has none; python -m ensurepip"):
        setup_allennlp.set_up(full=False, dry_run=False)


def test_a_wrong_option_ends_with_2(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--fulll"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --fulll" in capsys.readouterr().err


def test_the_real_pip_is_held_back_in_one_line(tmp_path):
    """A package that asks for another PyTorch is refused by the constraint, before anything is touched."""
    wheel, info = tmp_path / "wants_old_torch-1.0-py3-none-any.whl", "wants_old_torch-1.0.dist-info"
    with ZipFile(wheel, "w") as file:
        file.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: wants-old-torch\nVersion: 1.0\nRequires-Dist: torch<2\n"
        )
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    before = metadata.version("torch")
    held = setup_allennlp.hold(tmp_path)
    with pytest.raises(ConfigurationError, match=r"^pip was asked for [^\n]*Cannot install wants-old-torch[^\n]*$"):
        setup_allennlp.install([*held, "--no-index", "--dry-run", str(wheel)])
    assert metadata.version("torch") == before
