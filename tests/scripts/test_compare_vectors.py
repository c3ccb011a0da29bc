"""Two tables of word vectors, compared by what a linear classifier learns from them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pytorch_elmo.static_embeddings import TextEmbedding

GOOD, BAD, NEUTRAL = ["fine", "lovely"], ["awful", "dull"], ["the", "film", "is"]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch) -> None:
    """`telling`, a text embedding whose first number is the sentiment; `blind.txt`, where all words are alike."""
    monkeypatch.chdir(tmp_path)
    words = [*GOOD, *BAD, *NEUTRAL, "Fine"]
    telling = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)) / 10
    telling[:2, 0], telling[2:4, 0] = 1, -1
    TextEmbedding(words, telling).save("telling")
    Path("blind.txt").write_text("".join(f"{word} 0.5 0.25\n" for word in [*words, "unshared"]))
    choose = np.random.default_rng(0)
    for name, count in (("train", 60), ("dev", 20), ("test", 40)):
        lines = []
        for _ in range(count):
            label = choose.random() < 0.7
            sentence = [choose.choice(NEUTRAL), "unshared", choose.choice(GOOD if label else BAD)]
            lines.append((["bad", "good"][label], " ".join(sentence).title()))
        Path(f"{name}.txt").write_text("".join(f"{label} {text}\n" for label, text in lines))
        rows = [json.dumps({"label": label, "string": text}) for label, text in lines]
        Path(f"{name}.jsonl").write_text("\n".join(rows))


@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_what_a_table_tells(run_script, ending):
    parts = [f"{name}.{ending}" for name in ("train", "dev", "test")]
    done = run_script("compare_vectors.py", "telling", "blind.txt", "--task", "films", *parts)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "8 words are in both"
    name, known, frequent, telling, blind = (cell.strip() for cell in lines[-1].strip("|").split("|"))
    assert (name, known, telling) == ("films", "66.7%", "100.0% ± 0.0%")
    good = sum(line.startswith("good") for line in Path("test.txt").read_text().splitlines()) / 40
    assert frequent == f"{good:.1%}"
    assert blind.startswith(frequent)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("good\n", "test.txt, line 1: a line must hold a label and a sentence, got 'good\\n'; mend it"),
        ("", "test.txt must hold sentences, it is empty; name another part"),
        ("odd the film\n", "train.txt must hold every label, odd are not in it; mend a part"),
    ],
)
def test_parts_that_cannot_be(refusal, content, message):
    Path("test.txt").write_text(content)
    parts = ["train.txt", "dev.txt", "test.txt"]
    assert message in refusal("compare_vectors.py", "telling", "blind.txt", "--task", "films", *parts)


@pytest.mark.parametrize("row", ['{"label": 1, "text": 2}', '{"label": 1}', "[1]"])
def test_rows_without_a_text(refusal, row):
    Path("test.jsonl").write_text(row)
    parts = ["train.jsonl", "dev.jsonl", "test.jsonl"]
    said = refusal("compare_vectors.py", "telling", "blind.txt", "--task", "films", *parts)
    assert "test.jsonl, line 1: a line must hold a label and a sentence" in said
