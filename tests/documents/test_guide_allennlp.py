"""The guide's AllenNLP examples as a person types them, on tiny data, with the model in the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("allennlp")

from allennlp.common import Params

from pytorch_elmo import ElmoEmbedder
from tiny_tasks import sentences, write

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
GUIDE = (PROJECT / "docs" / "guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
CONFIGS = [block for language, block in BLOCKS if language == "jsonnet"]
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
SMALL = {"WORD_VECTORS": "", "LAYERS": "2", "WIDTH": "8", "EPOCHS": "2"}
WITH_ELMO, FROM_FILES = 0, 1


@pytest.fixture
def here(tmp_path) -> Path:
    """A folder with this project's `configs` and `scripts`, and a source of semantic roles that is called SOURCE."""
    for name in ("configs", "scripts"):
        (tmp_path / name).symlink_to(PROJECT / name)
    for split in ("train", "dev"):
        shutil.move(write("srl", tmp_path), tmp_path / "SOURCE" / split)
    return tmp_path


def shell(folder: Path, command: str, **variables: str) -> str:
    """Run a line; all that it printed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **variables}
    if shutil.which("perl") is None:
        environment["SRL_SCORER"] = "none"  # as the guide says
    ended = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{command}\n{ended.stderr}"
    return ended.stdout + ended.stderr


def train(folder: Path, config: str) -> tuple[dict[str, float], Path]:
    """Train a configuration of the guide on the prepared data; its metrics and its folder."""
    (folder / "mine.jsonnet").write_text(config, encoding="utf-8")
    shell(folder, COMMANDS[0])
    shell(folder, "allennlp train mine.jsonnet -s out", **SMALL)
    return json.loads((folder / "out" / "metrics.json").read_text("utf-8")), folder / "out"


def test_the_examples_are_found():
    assert len(CONFIGS) == 2
    assert [re.search(r"prepare_srl|(?<=allennlp )\w+|echo", command)[0] for command in COMMANDS] == [
        "prepare_srl",
        "train",
        "evaluate",
        "echo",
        "predict",
    ]
    assert [language for language, _ in BLOCKS if language not in ("python", "jsonnet", "sh")] == []


def test_the_commands(here):
    printed = [shell(here, command) for command in COMMANDS]
    metrics = json.loads((here / "runs" / "srl_elmo" / "metrics.json").read_text("utf-8"))
    assert metrics["epoch"] == 2  # the third
    scores = json.loads((here / "scores.json").read_text("utf-8"))
    assert scores["loss"] == pytest.approx(metrics["best_validation_loss"], abs=1e-4)
    (prediction,) = (line for line in printed[-1].splitlines() if line.startswith("prediction: "))
    frames = json.loads(prediction.removeprefix("prediction: "))["verbs"]
    assert [frame["verb"] for frame in frames] == ["decided", "sell"]


def test_the_three_edits(here, monkeypatch):
    metrics, folder = train(here, CONFIGS[WITH_ELMO])
    assert 0 < metrics["training_loss"] < 100
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["model"]["encoder"]["input_size"] == 100 + 100 + ElmoEmbedder().dim
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    ours = Params.from_file(PROJECT / "configs" / "srl_elmo.jsonnet").as_dict(quiet=True)
    assert ours == config


def test_vectors_from_files(here):
    elmo = ElmoEmbedder()
    lines = [sentence.removesuffix(" .") for sentence in sentences()]
    (here / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("train", "dev"):
        elmo.embed_file(here / "lines.txt", here / f"{name}.hdf5")
    from_files, _ = train(here, CONFIGS[FROM_FILES])
    assert 0 < from_files["training_loss"] < 100
