"""Any table of labelled texts."""

import pytest

from pytorch_elmo.classification.data_sets.labelled import examples_of, make_dataset, read_labelled_texts
from pytorch_elmo.errors import ConfigurationError, TextError

CLASSES = ("bad", "good")


def test_csv_and_jsonl(tmp_path):
    (tmp_path / "a.csv").write_text('review,verdict\n"well, no",bad\n007,good\n', encoding="utf-8")
    dataset = read_labelled_texts(str(tmp_path / "a.csv"), CLASSES, text="review", label="verdict")
    assert list(dataset["text"]) == ["well, no", "007"]
    assert list(dataset["label"]) == [0, 1]
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": "good"}\n', encoding="utf-8")
    assert list(read_labelled_texts(str(tmp_path / "a.jsonl"), CLASSES)["label"]) == [1]


def test_numbers_of_a_saved_table_are_classes(tmp_path):
    make_dataset([("x", 1), ("y", 0)], CLASSES).save_to_disk(str(tmp_path / "saved"))
    dataset = read_labelled_texts(str(tmp_path / "saved"), ("good", "bad"))
    assert list(dataset["label"]) == [0, 1]


def test_bad_rows_are_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x", "label": "good"}\n{"text": "x", "label": "fine"}\n', encoding="utf-8")
    with pytest.raises(TextError, match=r"a\.jsonl, row 2: a label is one of bad, good, got 'fine'; mend it"):
        read_labelled_texts(str(path), CLASSES)
    with pytest.raises(TextError, match="no field 'txt'; did you mean 'text'"):
        read_labelled_texts(str(path), CLASSES, text="txt")
    path.write_text('{"text": 3, "label": "good"}\n', encoding="utf-8")
    with pytest.raises(TextError, match="row 1: 'text' must be a text, got 3; mend the line"):
        read_labelled_texts(str(path), CLASSES)


def test_no_rows_are_a_table_but_no_examples(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n", encoding="utf-8")
    dataset = read_labelled_texts(str(path), CLASSES)
    assert len(dataset) == 0
    assert dataset.features["label"].names == list(CLASSES)
    with pytest.raises(ConfigurationError, match="at least one example is needed, got 0"):
        examples_of(dataset)
