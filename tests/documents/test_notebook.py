"""The notebooks run from top to bottom on tiny data, and the outputs stored in them are whole.

Jupyter is not needed: a notebook is JSON, and its cells hold plain Python.
"""

import base64
import json
import re
from pathlib import Path

import pytest

from notebooks import INTERACTIVE, PATHS, PICTURES, cells_of, run
from tiny_tasks import conll_2003

MOST_BYTES = 600_000
PNG = b"\x89PNG\r\n\x1a\n"
ABSOLUTE_PATH = re.compile(r"(?<![\w/:.<~])/(?:[\w.-]+/)+[\w.-]+|[A-Z]:\\\\")


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request) -> Path:
    return request.param


@pytest.fixture
def cells(path) -> list[dict]:
    return cells_of(path)


@pytest.fixture
def interactive() -> list[dict]:
    return cells_of(PATHS[-1].with_stem(INTERACTIVE))


def test_the_notebooks_are_found():
    assert [path.stem for path in PATHS] == sorted(PICTURES)


@pytest.mark.slow
def test_the_interactive_one_runs(interactive, tmp_path):
    pytest.importorskip("matplotlib")
    for split in ("train", "dev"):
        (tmp_path / f"{split}.txt").write_text(conll_2003(), encoding="utf-8")
    ended = run(["".join(cell["source"]) for cell in interactive], tmp_path, NER_DATA=tmp_path)
    assert ended.returncode == 0, ended.stderr
    stored = [text_of(output) for cell in interactive if not needs_data(cell) for output in cell["outputs"]]
    distance = re.compile(r"layer \d: cosine distance of apple and carrot [\d.]+")
    assert distance.findall(ended.stdout) == distance.findall("".join(stored))
    assert len(distance.findall(ended.stdout)) == 3


def test_without_its_data_it_says_what_is_missing(interactive, tmp_path):
    pytest.importorskip("matplotlib")
    needing = [number for number, cell in enumerate(interactive) if needs_data(cell)]
    assert needing == list(range(needing[0], len(interactive)))  # the last ones, so that all others run without
    sources = ["".join(interactive[number]["source"]) for number in (0, needing[0])]
    ended = run(sources, tmp_path, NER_DATA=tmp_path / "none")
    assert ended.stderr.splitlines()[-1].startswith("FileNotFoundError: DATA must be what prepare_ner.py wrote")


def needs_data(cell: dict) -> bool:
    return "needs-data" in cell["metadata"].get("tags", [])


def text_of(output: dict) -> str:
    """What an output shows as text."""
    return "".join(output.get("text", output.get("data", {}).get("text/plain", "")))


def test_the_stored_outputs_are_whole(path, cells):
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert [text_of(output) for output in outputs if output.get("name") == "stderr"] == []
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == PICTURES[path.stem]
    assert all(base64.b64decode(picture).startswith(PNG) for picture in pictures)
    drawing = [cell for cell in cells if "plt.show()" in "".join(cell["source"])]
    assert len(drawing) == len(pictures)
    assert path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize(
    ("text", "found"),
    [("/home/me/data/x.txt", True), ("C:\\\\data", True), ("../data/ner", False), ("https://github.com/a/b", False)],
)
def test_what_counts_as_an_absolute_path(text, found):
    assert bool(ABSOLUTE_PATH.search(text)) is found


def test_no_absolute_path_is_in_it(path):
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        shown = ["".join(cell["source"]), *map(text_of, cell.get("outputs", []))]
        assert [match[0] for text in shown for match in ABSOLUTE_PATH.finditer(text)] == []
