"""The guide's Python runs with the model in the package, and where a comment is a shape, it is the result's."""

import ast
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch

from pytorch_elmo import ElmoEmbedder

GUIDE = (Path(__file__).parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
SHAPE = re.compile(r"#[^(\n]*(\([\d, +]+\))")  # numbers alone; (num_layers, num_tokens, dim) says no size
TAGGER = next(block for block in PYTHON if "class Tagger" in block)
SENTENCES = [["A", "spring", "in", "the", "hills", "."], ["They", "drank", "."], ["Water"]] * 8
TAGS = [[0, 1, 0, 0, 2, 0], [0, 0, 0], [1]] * 8


def shapes(block: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Line numbers, from 1, and the shapes in their comments."""
    for number, line in enumerate(block.splitlines(), 1):
        if match := SHAPE.search(line):
            yield number, eval(match[1])


def run(block: str, names: dict[str, Any]) -> dict[int, Any]:
    """Run a block, statement by statement; the value of each expression, or what was assigned first, by its line."""
    values = {}
    for statement in ast.parse(block).body:
        last = None
        if isinstance(statement, ast.Expr):
            last = eval(compile(ast.Expression(statement.value), "guide.md", "eval"), names)
        else:
            exec(compile(ast.Module([statement], []), "guide.md", "exec"), names)
            if isinstance(statement, ast.Assign):
                last = names[next(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))]
        values[statement.end_lineno or statement.lineno] = last
    return values


def shape_of(value: Any) -> tuple[int, ...]:
    """Of an array, or of the one array without tokens in a list."""
    if isinstance(value, list):
        (value,) = [array for array in value if array.shape[1] == 0]
    return tuple(value.shape)


@pytest.fixture
def names(tmp_path, monkeypatch) -> dict[str, Any]:
    """What the guide takes for granted: two files in the folder it runs in, and some names."""
    monkeypatch.chdir(tmp_path)
    elmo = ElmoEmbedder()
    lines = ["Bitcoin alone has a sixty percent share of global search .", *map(" ".join, SENTENCES)]
    Path("sentences.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    elmo.embed_file("sentences.txt", "elmo_layers.hdf5")
    words = sorted({token.lower() for sentence in SENTENCES for token in sentence})
    vectors = torch.rand(len(words), 100).tolist()
    rows = [" ".join([word, *map(str, row)]) for word, row in zip(words, vectors, strict=True)]
    with gzip.open("glove.6B.100d.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")
    return {
        "elmo": elmo,
        "tokens": SENTENCES[0],
        "sentences": SENTENCES,
        "generator": iter(SENTENCES),
        "destination": np.empty((elmo.num_layers, len(SENTENCES[0]), elmo.dim), dtype=np.float32),
        "dataset": datasets.Dataset.from_dict({"tokens": SENTENCES}),
        "my_words": words,
        "my_tags": ["O", "B-X", "I-X"],
        "my_batches": [(SENTENCES, TAGS)],
    }


def test_the_examples_are_found():
    assert len(PYTHON) == 7
    assert sum(1 for block in PYTHON for _ in shapes(block)) == 8
    assert len(TAGGER.splitlines()) <= 25


def test_the_python_runs_and_the_shapes_are_right(names):
    num_right = 0
    for block in PYTHON:
        values = run(block, names)
        for line, shape in shapes(block):
            assert shape_of(values[line]) == shape, block.splitlines()[line - 1]
            num_right += 1
    assert num_right == 8


def test_the_tagger_learns_and_the_bilm_stays(names):
    torch.manual_seed(0)
    for block in PYTHON:
        run(block, names)
    tagger, optimizer = names["tagger"], names["optimizer"]
    bilm = [parameter.clone() for parameter in tagger.inputs.elmo._elmo_lstm.parameters()]
    mix = tagger.inputs.elmo.scalar_mix_0
    tagger.eval()
    before, weights = tagger.loss(SENTENCES, TAGS).item(), mix.weights.tolist()
    for _ in range(20):
        optimizer.zero_grad()
        tagger.loss(SENTENCES, TAGS).backward()
        optimizer.step()
    assert tagger.loss(SENTENCES, TAGS).item() < 0.9 * before
    assert mix.weights.tolist() != weights
    assert all(torch.equal(*pair) for pair in zip(bilm, tagger.inputs.elmo._elmo_lstm.parameters(), strict=True))
    given = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert given == {id(parameter) for parameter in tagger.parameters() if parameter.requires_grad}


def test_the_tagger_holds_the_mix_a_little(names):
    for block in PYTHON:
        run(block, names)
    tagger = names["tagger"].eval()
    free = tagger.loss(SENTENCES, TAGS).item()
    with torch.no_grad():
        for parameter in tagger.inputs.elmo.scalar_mix_0.scalar_parameters:
            parameter.fill_(-10.0)  # the same weights, for the softmax does not see a shift
        assert tagger.loss(SENTENCES, TAGS).item() == pytest.approx(free + 0.001 * 3 * 100, abs=1e-4)
