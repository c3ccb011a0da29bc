"""`python -m pytorch_elmo.setup_allennlp`: AllenNLP 2.10.1 beside this package, without AllenNLP's outdated pins.

Installs the packages of `allennlp_plugin/packages.toml` into the environment of the running interpreter.
"""

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path

from pytorch_elmo.errors import ConfigurationError

FAILURE = 1
_HELD = ("torch", "numpy")  # never changed by this command; `packages.toml` does not name them


def read_packages() -> dict[str, dict[str, str]]:
    """The tables of `packages.toml`: package -> version, each a string."""
    text = resources.files("pytorch_elmo").joinpath("allennlp_plugin", "packages.toml").read_text("utf-8")
    return tomllib.loads(text)


def installed_version(package: str) -> str | None:
    """The version of a package in this environment, without a build's local part; None where it is not there."""
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def wanted(packages: dict[str, str], *, replace: bool) -> list[str]:
    """Requirements for what is not there; with `replace` also for what is there in another version."""
    there = {name: installed_version(name) for name in packages}
    return [
        f"{name}=={version}"
        for name, version in packages.items()
        if there[name] is None or (replace and there[name] != version)
    ]


def plan(*, full: bool) -> Iterator[list[str]]:
    """The arguments of each `pip install` that is still to be done."""
    tables = read_packages()
    bare = wanted(tables["without_dependencies"], replace=True)
    if bare:
        yield ["--no-deps", *bare]
    rest = wanted(tables["exact"], replace=True) + wanted(tables["light"], replace=False)
    rest += wanted(tables["full"], replace=False) if full else []
    if rest:
        yield rest


def hold(folder: Path) -> list[str]:
    """The option of pip that keeps PyTorch and NumPy at the very build that is there.

    Raises:
        ConfigurationError: PyTorch is not there.
    """
    if installed_version("torch") is None:
        raise ConfigurationError("AllenNLP needs PyTorch, which is not installed; python -m pip install torch first")
    file = folder / "constraints.txt"
    file.write_text("".join(f"{name}=={metadata.version(name)}\n" for name in _HELD if installed_version(name)))
    return ["--constraint", str(file)]


def install(arguments: Sequence[str]) -> None:
    """Run this interpreter's pip.

    Raises:
        ConfigurationError: It has none, or pip failed; pip's own lines say why.
    """
    if find_spec("pip") is None:
        raise ConfigurationError(
            f"pip is needed and {sys.executable} has none; python -m ensurepip, or give the lines of --dry-run to "
            "another installer"
        )
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ended.returncode:
        raise ConfigurationError(f"pip was asked for {shlex.join(arguments)} and failed: {reason_of(ended)}")


def reason_of(ended: subprocess.CompletedProcess[str]) -> str:
    """Why pip failed, in one line: its errors; the last line of a traceback if it broke down; else its exit code."""
    errors = re.findall(r"^ERROR: *(.*)", ended.stdout, flags=re.MULTILINE)
    if any(error.startswith("Exception") for error in errors):
        return ended.stdout.strip().splitlines()[-1].strip()
    return "; ".join(errors) or f"it ended with code {ended.returncode}"


def set_up(*, full: bool, dry_run: bool) -> None:
    """Install what is missing, or print the commands that would; `full` adds what raw text and SQuAD need."""
    steps = list(plan(full=full))
    size = "full" if full else "light"
    if not steps:
        print(f"AllenNLP is set up in the {size} size; nothing to do")
        return
    with tempfile.TemporaryDirectory() as folder:
        held = hold(Path(folder))
        for step in steps:
            if dry_run:
                print(shlex.join(["python", "-m", "pip", "install", *step]))
                continue
            print("installing", *(part for part in step if "==" in part), flush=True)
            install([*held, *step])
    if not dry_run:
        print(f"AllenNLP is set up in the {size} size; allennlp --help lists its commands and this project's")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; exit code 2 for what was asked wrongly, 1 for what failed."""
    parser = argparse.ArgumentParser(
        prog="python -m pytorch_elmo.setup_allennlp",
        description="Install AllenNLP 2.10.1 and allennlp-models beside this package, without their outdated pins.",
    )
    parser.add_argument("--full", action="store_true", help="also spaCy and what raw text, SQuAD and plots need")
    parser.add_argument("--dry-run", action="store_true", help="print pip's commands and install nothing")
    options = parser.parse_args(arguments)
    try:
        set_up(full=options.full, dry_run=options.dry_run)
    except ConfigurationError as error:
        print(f"setup_allennlp: error: {error}", file=sys.stderr)
        sys.exit(FAILURE)


if __name__ == "__main__":
    main()
