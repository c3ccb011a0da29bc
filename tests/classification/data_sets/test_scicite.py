"""Citations in either form of their files."""

import json
from collections import Counter

import pytest

from pytorch_elmo.classification.data_sets.scicite import read_scicite
from pytorch_elmo.errors import TextError

GOOD = {"string": "We follow [1].", "label": "method", "unique_id": "a>b_1"}


def file_of(tmp_path, *rows):
    path = tmp_path / "train.jsonl"
    path.write_text("".join(f"{json.dumps(row) if row is not None else ''}\n" for row in rows), encoding="utf-8")
    return path


def test_classes_have_the_tutorials_order(tmp_path):
    rows = [{"text": name, "label": name, "metadata": {}} for name in ("result", "background", "method", "result")]
    dataset = read_scicite(file_of(tmp_path, *rows))
    assert dataset.column_names == ["text", "label"]
    assert list(dataset["text"]) == ["result", "background", "method", "result"]
    assert list(dataset["label"]) == [2, 1, 0, 2]
    assert dataset.features["label"].names == ["method", "background", "result"]


def test_repeated_ids_are_left_out(tmp_path):
    others = (GOOD | {"string": "again"}, GOOD | {"unique_id": "c"}, {"string": "x", "label": "result"})
    path = file_of(tmp_path, GOOD, *others)
    assert list(read_scicite(path)["text"]) == ["We follow [1].", "We follow [1].", "x"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": "method"}, "line 3: the keys label and one of string, text are needed, got label; name a file of"),
        ({"string": "x"}, "line 3: the keys label and one of string, text are needed, got string"),
        ({}, "line 3: the keys .* got none"),
        (GOOD | {"text": "x"}, "line 3: the keys label and one of string, text"),
        (GOOD | {"label": "motive"}, "line 3: a label is one of method, background, result, got 'motive'; mend"),
        (GOOD | {"label": 1}, "line 3: a label is one of method, background, result, got 1"),
        (GOOD | {"string": None}, "line 3: 'string' must be a text, got None; mend the line or leave it out"),
        ([1], "line 3: a JSON object is needed"),
    ],
)
def test_bad_lines_are_named(tmp_path, row, message):
    path = file_of(tmp_path, GOOD, None, row)
    with pytest.raises(TextError, match=f"train.jsonl, {message}"):
        read_scicite(path)


def test_no_such_file(tmp_path):
    with pytest.raises(TextError, match=r"cannot read .*none.jsonl: No such file"):
        read_scicite(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("folder", "sizes"), [("scicite_official", (8194, 916, 1859)), ("scicite", (7320, 916, 1861))]
)
def test_the_whole_set(test_data, folder, sizes):
    parts = [read_scicite(test_data / "data" / folder / f"{part}.jsonl") for part in ("train", "dev", "test")]
    assert tuple(map(len, parts)) == sizes
    counts = Counter(parts[1]["label"])
    assert [counts[label] for label in range(3)] == [255, 538, 123]
