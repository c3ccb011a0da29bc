"""A folder with a text in it, and the commands run there as a shell would run them.

They run in this process, where an exception that a user would see as a traceback fails the test by itself; a test
whose subject is a process starts one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytorch_elmo.commands.embed_to_hdf5 import command as embed_to_hdf5
from pytorch_elmo.commands.main import elmo
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.progress import SilentProgress

LINES = (
    "The cat sat on the mat .",
    "Hello",
    "The dog saw the cat .",
    "café 東京 😀 !",
    "Hello",
    "One more sentence , and it is the last .",
)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """What a person reads last."""
        return self.err.splitlines()[-1]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def text(folder) -> Path:
    """`text.txt`, six sentences, one of them twice."""
    path = Path("text.txt")
    path.write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    return path


class DuringEmbedding(SilentProgress):
    """Does something to the process while a job runs: at its `batch`-th batch, or before its first."""

    def __init__(self, action: Callable[[], object], batch: int) -> None:
        self.action, self.batch = action, batch
        self.left: int | None = None

    def start(self, *, total, unit, done=0, label="") -> None:
        self.left = self.batch if label == "embedding" else None
        if self.left == 0:
            self.action()

    def advance(self, amount) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.action()


@pytest.fixture
def during_embedding(monkeypatch) -> Callable[..., None]:
    """Let `embed-to-hdf5` do something while it runs, and say nothing of its progress; None: as it was."""
    place, itself = "pytorch_elmo.commands.embed_to_hdf5.make_progress", make_progress

    def during_embedding(action: Callable[[], object] | None, *, batch: int = 0) -> None:
        monkeypatch.setattr(place, itself if action is None else lambda **_: DuringEmbedding(action, batch))

    return during_embedding


def run(command, name: str, arguments: tuple, stdin: str | bytes | None = None) -> Ended:
    result = CliRunner().invoke(
        command, [str(argument) for argument in arguments], input=stdin, prog_name=name, catch_exceptions=False
    )
    return Ended(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def embed(folder, small_model_folder) -> Callable[..., Ended]:
    """Run `embed-to-hdf5` with the arguments given, and with the small model if they name none."""

    def embed(*arguments: object, stdin: str | bytes | None = None) -> Ended:
        has_model = {"--model", "--options-file", "--weight-file"} & set(map(str, arguments))
        given = arguments if has_model else ("--model", small_model_folder, *arguments)
        return run(embed_to_hdf5, "embed-to-hdf5", given, stdin)

    return embed


@pytest.fixture
def run_elmo(folder) -> Callable[..., Ended]:
    """Run `elmo` with the arguments given."""
    return lambda *arguments: run(elmo, "elmo", arguments)


@pytest.fixture
def embedder(small_model_folder) -> Iterator[ElmoEmbedder]:
    """What the command should agree with."""
    return ElmoEmbedder.from_pretrained(small_model_folder)
