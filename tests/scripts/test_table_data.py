"""The table's data from tiny files in the published forms, and the figures that are counted from them."""

import gzip
import io
import json
import lzma
import tarfile
from importlib import import_module

import pytest
import torch

import tiny_tasks
from pytorch_elmo.errors import ConfigurationError, TextError


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr(import_module("table.data"), "PROCESSES", 1)


def pack(path, members):
    with tarfile.open(path, "w:xz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


@pytest.fixture
def data(tmp_path):
    """Every source that the table needs."""
    folder = tmp_path / "data"
    for name in (
        "ner/bc5cdr_typed",
        "sst/trees",
        "scicite_official",
        "imdb",
        "snli",
        "srl_ewt",
        "squad",
        "coref_litbank",
    ):
        (folder / name).mkdir(parents=True)
    splits = ("train", "dev", "test")
    for split in splits:
        (folder / "ner/bc5cdr_typed" / f"{split}.tsv").write_text(tiny_tasks.conll_2003(), "utf-8")
        (folder / "sst/trees" / f"{split}.txt").write_text(tiny_tasks.sentiment_trees(), "utf-8")
        (folder / "scicite_official" / f"{split}.jsonl").write_text(tiny_tasks.labelled_texts(), "utf-8")
    for name in ("snli_train_subset_24495", "snli_1.0_dev", "snli_1.0_test"):
        with lzma.open(folder / "snli" / f"{name}.jsonl.xz", "wt", encoding="utf-8") as file:
            file.write(tiny_tasks.pairs())
    conll = {f"a/{split}/x.gold_conll": tiny_tasks.conll_2012() for split in splits}
    for name in ("srl_ewt", "coref_litbank"):
        pack(folder / name / f"{name}.tar.xz", conll)
    reviews = {
        f"aclImdb/{part}/{label}/{number}_{rating}.txt": f"{label} number {number}."
        for part in ("train", "test")
        for label, rating in (("pos", 9), ("neg", 2))
        for number in range(20)
    }
    pack(folder / "imdb" / "aclImdb_v1.tar.xz", reviews)
    (article,) = json.loads(tiny_tasks.questions())["data"]
    articles = [article | {"title": str(number)} for number in range(14)]
    with gzip.open(folder / "squad" / "dev-v1.1.json.gz", "wt", encoding="utf-8") as file:
        json.dump({"version": "1.1", "data": articles}, file)
    return folder


def test_every_task_has_its_splits(data, tmp_path):
    table_data, runs = import_module("table.data"), import_module("table.runs")
    assert set(table_data.SOURCES) == {task.name for task in runs.TASKS}
    for task in table_data.SOURCES:
        splits = table_data.prepare(task, data, tmp_path / task)
        assert all(path.exists() for path in splits), task
        digest = table_data.data_sha256(splits)
        assert len(digest) == 64
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / task).rglob("*")}
        assert table_data.prepare(task, data, tmp_path / task) == splits
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / task).rglob("*")} == before
        file = next(path for path in splits.test.rglob("*")) if splits.test.is_dir() else splits.test
        file.write_bytes(file.read_bytes() + b"\n")
        assert table_data.data_sha256(splits) != digest


def test_articles_are_in_one_part_each(data, tmp_path):
    splits = import_module("table.data").prepare("squad", data, tmp_path / "work")
    titles = [[article["title"] for article in json.loads(path.read_text("utf-8"))["data"]] for path in splits]
    assert titles == [["2", "3", "4", "5", "7", "8", "9", "10", "11"], ["1", "13"], ["0", "6", "12"]]


def test_reviews_are_cut_to_the_sizes(data, tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("table.data"), "IMDB_SIZES", {"train": 10, "dev": 3, "test": 99})
    splits = import_module("table.data").prepare("imdb", data, tmp_path / "work")
    labels = [[json.loads(line)["label"] for line in path.read_text("utf-8").splitlines()] for path in splits]
    assert [len(part) for part in labels] == [10, 3, 40]
    assert labels[0] == ["neg", "pos"] * 5


def test_data_that_are_not_there(data, tmp_path):
    (data / "squad" / "dev-v1.1.json.gz").unlink()
    with pytest.raises(TextError, match=r"must have squad/dev-v1.1.json.gz for squad, got none in .*; name it with"):
        import_module("table.data").prepare("squad", data, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_stop_in_between_leaves_no_half(data, tmp_path, monkeypatch):
    (data / "scicite_official" / "test.jsonl").unlink()
    with pytest.raises(TextError, match="cannot read"):
        import_module("table.data").prepare("scicite", data, tmp_path / "scicite")
    assert not (tmp_path / "scicite" / "data").exists()


def test_a_larger_share_has_the_smaller_in_it(tmp_path):
    train = tmp_path / "train.txt"
    train.write_text(tiny_tasks.conll_2003(), encoding="utf-8")
    share_of = import_module("table.data").share_of
    assert share_of(train, 100) == train
    tenth, half = share_of(train, 10), share_of(train, 50)
    assert (tenth.name, half.name) == ("train-10pc.txt", "train-50pc.txt")
    parts = [path.read_text("utf-8").strip().split("\n\n") for path in (tenth, half, train)]
    assert list(map(len, parts)) == [2, 12, 24]
    assert set(parts[0]) <= set(parts[1]) <= set(parts[2])
    assert share_of(train, 10) == tenth


def test_macro_f1():
    macro_f1 = import_module("table.records").macro_f1
    assert macro_f1(["a", "b", "b"], ["a", "b", "b"]) == 1
    assert macro_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert macro_f1(["a", "a", "b"], ["a", "a", "c"]) == pytest.approx(0.5)  # c is no class of the data
    with pytest.raises(ConfigurationError, match="a prediction for each of the 2 labels, got 1; score it again"):
        macro_f1(["a", "b"], ["a"])


def test_weights_of_mixtures(tmp_path):
    place = "embedder._elmo.scalar_mix_0"
    scalars = {f"{place}.scalar_parameters.{layer}": torch.tensor([float(layer)]) for layer in range(3)}
    torch.save(scalars | {f"{place}.gamma": torch.tensor([2.0]), "norm.gamma": torch.ones(4)}, tmp_path / "best.th")
    found = import_module("table.records").mixes(tmp_path / "best.th")
    assert found == {place: {"weights": pytest.approx(torch.arange(3.0).softmax(0).tolist()), "gamma": 2.0}}


def test_seconds_of_several_starts():
    records = import_module("table.records")
    durations = [records._duration(text) for text in ("0:00:10.5", "0:00:20.25", "0:00:09", "1:00:00.5")]
    assert records.starts(durations) == [20.25, 3600.5]
    assert records.starts([]) == []
