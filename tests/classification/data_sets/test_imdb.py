"""Movie reviews from their folder or archive, and how the tutorials part them."""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from pytorch_elmo.classification.data_sets.imdb import read_imdb
from pytorch_elmo.classification.data_sets.labelled import examples_of
from pytorch_elmo.classification.data_sets.splits import directory_split, first_words, in_mixed_order, split_at
from pytorch_elmo.errors import ConfigurationError, TextError

REVIEWS = {
    f"aclImdb/{part}/{folder}/{number}_{stars}.txt": f"{part} {folder} {number}<br />é"
    for part in ("train", "test")
    for folder, stars in (("pos", 8), ("neg", 3))
    for number in range(12)
}
OTHERS = {"aclImdb/README": "x", "aclImdb/train/urls_pos.txt": "x", "aclImdb/train/unsup/0_0.txt": "x"}


def folder_of(tmp_path, files) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return tmp_path / "aclImdb"


def archive_of(tmp_path, files, ending="tar.gz") -> Path:
    path = tmp_path / f"aclImdb.{ending}"
    with tarfile.open(path, f"w:{ending.rpartition('.')[2]}") as archive:
        for name, text in files.items():
            content = text if isinstance(text, bytes) else text.encode("utf-8")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path, REVIEWS | OTHERS)


@pytest.mark.parametrize("ending", ["folder", "tar.gz", "tar.xz"])
def test_reviews_in_keras_order(tmp_path, ending):
    files = REVIEWS | OTHERS
    source = folder_of(tmp_path, files) if ending == "folder" else archive_of(tmp_path, files, ending)
    train, test = read_imdb(source, reviews_per_folder=12)
    assert train.column_names == ["text", "label", "stars", "file"]
    assert train.features["label"].names == ["neg", "pos"]
    assert len(train) == len(test) == 24
    assert list(train["file"][:4]) == ["neg/0_3.txt", "neg/10_3.txt", "neg/11_3.txt", "neg/1_3.txt"]
    assert train[1] == {"text": "train neg 10<br />é", "label": 0, "stars": 3, "file": "neg/10_3.txt"}
    assert test[12] == {"text": "test pos 0<br />é", "label": 1, "stars": 8, "file": "pos/0_8.txt"}
    examples = examples_of(test)
    assert examples.inputs[12] == "test pos 0<br />é"
    assert examples.labels.tolist() == [0] * 12 + [1] * 12


def test_a_folder_that_is_not_complete_names_its_counts(tmp_path):
    files = dict(list(REVIEWS.items())[:-3])
    message = r"aclImdb: 12 reviews .*, got train/neg 12, train/pos 12, test/neg 9, test/pos 12; unpack"
    with pytest.raises(TextError, match=message):
        read_imdb(folder_of(tmp_path, files), reviews_per_folder=12)
    assert len(read_imdb(tmp_path / "aclImdb", reviews_per_folder=None)[1]) == 21
    with pytest.raises(TextError, match=r"12,500 reviews .* got train/neg 12,"):
        read_imdb(tmp_path / "aclImdb")
    with pytest.raises(TextError, match=r"nowhere: 12,500 reviews .* got train/neg 0, train/pos 0, "):
        read_imdb(tmp_path / "nowhere")
    with pytest.raises(TextError, match=r"at least one review .* got train/neg 0"):
        read_imdb(tmp_path / "nowhere", reviews_per_folder=None)


@pytest.mark.parametrize("name", ["../train/pos/0_9.txt", "/aclImdb/train/pos/0_9.txt", "a/../../train/x.txt"])
def test_an_archive_whose_paths_leave_it_is_refused(tmp_path, name):
    source = archive_of(tmp_path, REVIEWS | {name: "x"})
    with pytest.raises(TextError, match=rf"aclImdb.tar.gz: member {re.escape(name)} leads out of the archive; fetch"):
        read_imdb(source, reviews_per_folder=None)
    assert [path.name for path in tmp_path.iterdir()] == ["aclImdb.tar.gz"]


def test_bad_bytes_and_damaged_archives_are_named(tmp_path):
    bad = {"aclImdb/train/pos/7_9.txt": b"good\xff"}
    with pytest.raises(TextError, match=r"train/pos/7_9.txt: not UTF-8 at byte 5; convert"):
        read_imdb(folder_of(tmp_path, bad), reviews_per_folder=None)
    source = archive_of(tmp_path, bad)
    with pytest.raises(TextError, match=r"aclImdb.tar.gz, member aclImdb/train/pos/7_9.txt: not UTF-8 at byte 5"):
        read_imdb(source, reviews_per_folder=None)
    source.write_bytes(source.read_bytes()[:60])
    with pytest.raises(TextError, match=r"aclImdb.tar.gz is (cut short|damaged)"):
        read_imdb(source, reviews_per_folder=None)


def test_the_directory_split_is_keras(test_data, tmp_path):
    facts = json.loads((test_data / "golden" / "tf" / "training.json").read_text("utf-8"))["directory_split"]
    files = {
        f"aclImdb/{part}/{folder}/{name}": f"{folder}/{name}"
        for part in ("train", "test")
        for folder, names in facts["files"].items()
        for name in names
    }
    train, _ = read_imdb(folder_of(tmp_path, files), reviews_per_folder=33)
    training, validation = directory_split(train)
    assert list(training["text"]) == facts["training"]["files_in_index_order"]
    assert list(validation["file"]) == facts["validation"]["files_in_index_order"]


def test_the_other_split_has_both_classes_on_both_sides(folder):
    train, _ = read_imdb(folder, reviews_per_folder=12)
    mixed = in_mixed_order(train)
    assert sorted(mixed["file"]) == sorted(train["file"])
    assert list(mixed["file"][:3]) == list(in_mixed_order(mixed)["file"][:3]) != list(train["file"][:3])
    training, validation = split_at(mixed, 14)
    assert (len(training), len(validation)) == (14, 10)
    assert set(training["label"]) == set(validation["label"]) == {0, 1}
    assert [*training["file"], *validation["file"]] == list(mixed["file"])
    for size in (0, 24):
        with pytest.raises(ConfigurationError, match=f"num_training is 1 to 23, got {size}; leave both sides some"):
            split_at(mixed, size)


def test_first_words():
    assert first_words(" one\u00a0two\u3000 three\n") == ["one", "two", "three"]
    assert first_words("one two three ", 2) == ["one", "two"]
    assert first_words("") == []
    assert len(first_words("w " * 1000)) == 150


@pytest.mark.slow
def test_the_whole_set(test_data):
    train, test = read_imdb(test_data / "data" / "imdb" / "aclImdb_v1.tar.xz")
    assert len(train) == len(test) == 25_000
    assert sum(train["label"]) == 12_500
    assert train[12_500]["file"] == "pos/0_9.txt"
    assert train[12_500]["text"].startswith("Bromwell High is a cartoon comedy.")
    training, validation = directory_split(train)
    assert (len(training), len(validation)) == (20_000, 5_000)
    training, validation = split_at(in_mixed_order(train), 15_000)
    assert 7_300 < sum(training["label"]) < 7_700
