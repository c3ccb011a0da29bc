"""What a linear classifier finds in word vectors, in ELMo, and in both."""

import json
from pathlib import Path

import pytest
import torch

from pytorch_elmo.static_embeddings import TextEmbedding

PAIRS = (("Fine", "film"), ("awful", "film"), ("lovely", "plot"), ("dull", "plot"))  # by turns good and bad


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch) -> None:
    """Trees and the same as JSON; in `telling` the first number of a word is the label."""
    monkeypatch.chdir(tmp_path)
    words = [word.lower() for pair in PAIRS for word in pair[:1]]
    telling = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.1], [-1.0, 0.1], [0.0, 0.0], [0.0, 0.0]])
    TextEmbedding([*words, "film"], telling).save("telling")
    for name, count in (("train", 44), ("dev", 12)):
        chosen = [(PAIRS[number % 4], 1 - number % 2) for number in range(count)]
        trees = [f"({label} (2 {first}) (2 {second}))" for (first, second), label in chosen]
        Path(f"{name}.txt").write_text("\n".join(trees) + "\n")
        rows = [json.dumps({"text": " ".join(pair), "label": str(label)}) for pair, label in chosen]
        Path(f"{name}.jsonl").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_every_kind_of_vectors_is_told(run_script, small_model_folder, ending):
    arguments = (f"train.{ending}", f"dev.{ending}", "--model", small_model_folder, "--vectors", "telling")
    done = run_script("probe_sentences.py", *arguments)
    assert done.returncode == 0, done.stderr
    rows = dict(line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:])
    assert list(rows) == [
        *("word vectors", "token layer", "LSTM 1", "LSTM 2", "all layers", "word vectors and all layers")
    ]
    assert rows["word vectors"] == "100.0% ± 0.0%"


def test_a_label_that_is_the_means_of_nothing(run_script, small_model_folder):
    lines = Path("dev.txt").read_text().splitlines()
    other = [f"({1 - int(line[1])}{line[2:]}" if number % 2 else line for number, line in enumerate(lines)]
    Path("dev.txt").write_text("\n".join(other))
    done = run_script(
        "probe_sentences.py", "train.txt", "dev.txt", "--model", small_model_folder, "--vectors", "telling"
    )
    assert "| word vectors | 50.0% ± 28.3% |" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("train.txt", "no tree", "train.txt, line 1: a line must have tokens and a label, got 'no tree'; mend it"),
        ("train.jsonl", "{}", "train.jsonl, line 1: a line must have tokens and a label, got '{}'; mend it"),
        ("dev.txt", "(4 (2 film))", "train.txt must hold every label of dev.txt, it has no 4; mend a part"),
        ("train.txt", "", "train.txt, line 1: a line must have tokens and a label, got ''; mend it"),
    ],
)
def test_files_that_cannot_be(refusal, small_model_folder, name, line, message):
    Path(name).write_text(line)
    train = name if name.startswith("train") else "train.txt"
    arguments = (train, "dev.txt", "--model", small_model_folder, "--vectors", "telling")
    assert message in refusal("probe_sentences.py", *arguments)
