"""Data sets named in one line: tables, folders, and a folder that stands for a data set of the hub."""

import json
import re

import pytest

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.data_sets import read_data_set

datasets = pytest.importorskip("datasets")

ROWS = [{"text": "007 rains .", "label": 1}, {"text": 'say "x", y', "label": 0}]
NAMED = [("007 rains .", "wet"), ('say "x", y', "dry")]
CARD = """---
configs:
- config_name: weather
  data_files:
  - split: train
    path: weather/train.jsonl
  - split: test
    path: weather/test.jsonl
- config_name: other
  data_files:
  - split: train
    path: other.jsonl
dataset_info:
- config_name: weather
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': dry
          '1': wet
---
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache of these tests alone, no network and no bars."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def with_classes():
    """Rows whose labels are numbers of classes."""
    classes = datasets.ClassLabel(names=["dry", "wet"])
    return datasets.Dataset.from_list(ROWS, datasets.Features({"text": datasets.Value("string"), "label": classes}))


@pytest.fixture
def hub(tmp_path):
    """A folder that `load_dataset` takes as it takes a name of the hub: a card, configurations and splits."""
    folder = tmp_path / "owner" / "weather_reports"
    (folder / "weather").mkdir(parents=True)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    for split, rows in (("train", ROWS), ("test", [{"text": "fog", "label": -1}])):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "weather" / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "other.jsonl").write_text('{"sentence": "sun"}\n', encoding="utf-8")
    return "owner/weather_reports"


def values(line, *columns):
    return [tuple(row.values()) for _, row in read_data_set(line, columns or ("text", "label"))]


def refusal(line, *columns) -> str:
    with pytest.raises(TextError) as error:
        values(line, *columns)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_files_of_text(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    (tmp_path / "a.tsv").write_text('id\ttext\tlabel\n1\t007 rains .\t1\n2\tsay "x", y\t0\n', encoding="utf-8")
    assert values("a.jsonl") == [("007 rains .", 1), ('say "x", y', 0)]
    assert values("a.tsv") == [("007 rains .", "1"), ('say "x", y', "0")]
    assert [where for where, _ in read_data_set("a.tsv", ["id"])] == ["a.tsv, row 1", "a.tsv, row 2"]


def test_classes_come_by_their_names(with_classes):
    with_classes.to_parquet("a.parquet")
    with_classes.save_to_disk("saved")
    datasets.DatasetDict(train=with_classes, test=with_classes.select([1])).save_to_disk("splits")
    assert values("a.parquet") == values("saved") == values("splits#train") == NAMED
    assert values("splits#test") == values("splits/test") == NAMED[1:]


@pytest.mark.parametrize("name", ["Sequence", "List"])
def test_lists_of_classes_come_by_their_names(name):
    if not hasattr(datasets, name):
        pytest.skip(f"this version of datasets has no {name}")
    classes = getattr(datasets, name)(datasets.ClassLabel(names=["O", "B-PER"]))
    features = datasets.Features({"tags": classes})
    datasets.Dataset.from_dict({"tags": [[0, 1], [], [-1]]}, features).to_parquet("a.parquet")
    assert values("a.parquet", "tags") == [(["O", "B-PER"],), ([],), ([None],)]


def test_names_of_the_hub(hub):
    assert values(f"{hub}:weather#train") == NAMED
    assert values(f"{hub}:weather#train[:1]") == NAMED[:1]
    assert values(f"{hub}:weather#test") == [("fog", None)]
    assert values(f"{hub}:other#train", "sentence") == [("sun",)]


def test_a_folder_of_files(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "train.csv").write_text("text,label\na b,x\n", encoding="utf-8")
    assert values("folder#train") == [("a b", "x")]


def test_signs_in_the_name_of_a_file(tmp_path):
    (tmp_path / "a#1:b.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")
    assert values("a#1:b.jsonl", "text") == [("a",)]


def test_columns_that_are_missing(hub, with_classes):
    with_classes.to_parquet("a.parquet")
    assert refusal("a.parquet", "txt") == "a.parquet: no field 'txt'; did you mean 'text'? there are text, label"
    assert refusal(f"{hub}:other#train", "label") == f"{hub}:other#train: no field 'label'; there are sentence"


def test_a_row_without_the_column(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"words": "b"}\n', encoding="utf-8")
    assert refusal("a.jsonl", "text") == "a.jsonl, row 2: no field 'text'; there are words"


def test_splits_that_are_missing(hub, with_classes):
    datasets.DatasetDict(train=with_classes, test=with_classes).save_to_disk("splits")
    with_classes.to_parquet("a.parquet")
    assert refusal(f"{hub}:weather") == f"{hub}:weather must end in #SPLIT; the splits are train, test"
    assert re.match(rf"{hub}:weather#dev cannot be loaded \(Unknown split", refusal(f"{hub}:weather#dev"))
    assert refusal("splits#dev") == "splits has no split 'dev'; there are test, train"
    assert refusal("splits") == "splits holds the splits train, test; name the folder of one"
    assert refusal("a.parquet#train") == "a.parquet is one table without splits, got #train; leave it out"


def test_what_is_not_there(hub):
    assert refusal("missing.tsv").startswith("cannot read missing.tsv: No such file")
    assert re.match(
        r"owner/nothing#train cannot be loaded \(.*\); name a table, a folder", refusal("owner/nothing#train")
    )
    assert re.match(rf"{hub}:wether#train cannot be loaded \(.*wether", refusal(f"{hub}:wether#train"))


def test_a_number_of_no_class(tmp_path):
    features = datasets.Features({"label": datasets.ClassLabel(names=["dry", "wet"])})
    table = datasets.Dataset.from_dict({"label": [1]}, features).data.table
    table = table.set_column(0, table.schema.field(0), [[7]])
    from pyarrow import parquet

    parquet.write_table(table, "a.parquet")
    assert refusal("a.parquet", "label") == (
        "a.parquet, row 1: label must be one of the classes 0 to 1, got 7; mend the data set"
    )
