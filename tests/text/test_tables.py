import csv
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.lines import InputFile
from pytorch_elmo.text.tables import check_field, is_table, read_classes, read_column, read_rows

# What a reader that guesses types would change: dates, numbers, marks of missing values.
TEXTS = ["a b .", "2019-01-01", "007", "NA", "null", "", "1.50", 'say "x, y"', "two\nlines", "café 😀", "TRUE"]
TOKENS = [["a", "b"], [], ["2019-01-01"], ["", " "], ["007"]]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path, rows):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(rows).to_parquet(path)


def write_saved(path, rows):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(rows).save_to_disk(path)


WRITERS = {".jsonl": write_jsonl, ".json": write_jsonl, ".csv": write_csv, ".parquet": write_parquet, "": write_saved}


def table(folder, ending, rows, name="rows") -> InputFile:
    path = folder / f"{name}{ending}"
    WRITERS[ending](path, rows)
    return InputFile(path, path.name)


def written(folder, name, content: str | bytes) -> InputFile:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return InputFile(path, name)


@pytest.fixture
def user_cache(tmp_path, monkeypatch):
    """A home in which nothing must appear, and no way to any server."""

    def refuse(*_args, **_options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    datasets = pytest.importorskip("datasets")
    cache = tmp_path / "user_cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    return cache


@pytest.mark.parametrize("ending", WRITERS)
def test_text_is_read_as_it_was_written(tmp_path, user_cache, ending):
    file = table(tmp_path, ending, [{"id": index, "text": text} for index, text in enumerate(TEXTS)])
    assert is_table(file)
    assert check_field(file, "text") == "text"
    assert list(read_column(file, "text")) == TEXTS
    assert list(read_column(file, "text")) == TEXTS
    assert not user_cache.exists()


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ""])
def test_lists_of_strings_are_tokens(tmp_path, user_cache, ending):
    file = table(tmp_path, ending, [{"tokens": tokens} for tokens in TOKENS])
    assert list(read_column(file, "tokens")) == TOKENS


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@given(texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_any_text_survives(tmp_path_factory, ending, texts):
    file = table(tmp_path_factory.mktemp("any"), ending, [{"text": text, "id": 1} for text in texts])
    assert list(read_column(file, "text")) == texts


def test_compressed_tables(tmp_path):
    for ending in (".jsonl", ".csv"):
        plain = table(tmp_path, ending, [{"text": text} for text in TEXTS])
        file = written(tmp_path, f"{plain.name}.gz", gzip.compress(plain.path.read_bytes()))
        assert list(read_column(file, "text")) == list(read_column(plain, "text"))


def test_byte_order_marks_and_blank_lines_of_tables(tmp_path):
    assert list(read_column(written(tmp_path, "a.csv", "\ufefftext\r\na b\r\n\r\nc\r\n"), "text")) == ["a b", "c"]
    assert list(read_column(written(tmp_path, "a.jsonl", '\ufeff{"text": "a b"}\n\n{"text": "c"}\n'), "text")) == [
        "a b",
        "c",
    ]


def test_tabs_between_columns(tmp_path):
    """Quotation marks are text there; and without a field such a file is text altogether, as it ever was."""
    file = written(tmp_path, "a.tsv", 'id\ttext\r\n1\tsay "x\r\n\r\n2\t007\r\n')
    assert is_table(file, "text")
    assert not is_table(file)
    assert list(read_column(file, "text")) == ['say "x', "007"]
    file = written(tmp_path, "b.tsv", "id\ttext\n1\ta\tb\n")
    with pytest.raises(
        TextError, match=r"^b.tsv, line 2: 3 fields, the first line names 2; text must not have a tab"
    ):
        list(read_column(file, "text"))


def test_several_columns(tmp_path, user_cache):
    rows = [{"id": index, "text": text, "more": None} for index, text in enumerate(TEXTS)]
    for ending in (".jsonl", ".parquet", ""):
        file = table(tmp_path, ending, rows)
        found = [(row["text"], row["id"]) for row in read_rows(file, ["text", "id"])]
        assert found == [(text, index) for index, text in enumerate(TEXTS)]
        assert read_classes(file) == {}


def test_a_very_long_csv_field(tmp_path):
    text = "word " * 100_000
    assert list(read_column(table(tmp_path, ".csv", [{"text": text}]), "text")) == [text]


def test_many_rows_in_one_block(tmp_path, user_cache):
    texts = [f"sentence {number}" for number in range(5000)]
    for ending in (".parquet", ""):
        file = table(tmp_path, ending, [{"text": text} for text in texts])
        assert list(read_column(file, "text")) == texts


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv"])
def test_a_table_without_rows(tmp_path, name):
    file = written(tmp_path, name, "")
    assert check_field(file, "text") == "text"
    assert list(read_column(file, "text")) == []


@pytest.mark.parametrize("ending", WRITERS)
def test_the_field_must_be_named_and_there(tmp_path, ending):
    file = table(tmp_path, ending, [{"id": "1", "sentence": "a", "label": "b"}])
    with pytest.raises(
        TextError, match=r"^rows.* is a table, name its column with --field .*; there are id, sentence, lab"
    ):
        check_field(file, None)
    with pytest.raises(
        TextError, match=r"^rows.*: no field 'sentense'; did you mean 'sentence'\? there are id, sent"
    ):
        check_field(file, "sentense")
    with pytest.raises(TextError, match=r"^rows.*: no field 'xyz'; there are id, sentence, label$"):
        check_field(file, "xyz")


def test_a_row_without_the_field(tmp_path):
    file = table(tmp_path, ".jsonl", [{"text": "a"}, {"txt": "b"}])
    with pytest.raises(TextError, match=r"^rows.jsonl, row 2: no field 'text'; did you mean 'txt'\? there are txt$"):
        list(read_column(file, "text"))


@pytest.mark.parametrize(
    ("value", "met"),
    [(None, "nothing"), (5, "5"), (["a", 1], r"\['a', 1\]"), ({"a": "b"}, "{'a': 'b'}"), ([None], r"\[None\]")],
)
def test_something_else_in_the_field(tmp_path, value, met):
    file = table(tmp_path, ".jsonl", [{"text": "a"}, {"text": value}])
    expected = (
        rf"^rows.jsonl, row 2: field 'text' must hold a string or a list of strings, got {met}; leave the row out$"
    )
    with pytest.raises(TextError, match=expected):
        list(read_column(file, "text"))


@pytest.mark.parametrize("ending", [".parquet", ""])
def test_something_else_in_a_typed_column(tmp_path, user_cache, ending):
    file = table(tmp_path, ending, [{"text": "a", "n": 3}, {"text": None, "n": 4}])
    with pytest.raises(TextError, match=r"row 1: field 'n' must hold a string or a list of strings, got 3; leave"):
        list(read_column(file, "n"))
    with pytest.raises(TextError, match=r"row 2: field 'text' must hold .*, got nothing; leave"):
        list(read_column(file, "text"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"text": "b"\n', r"line 2: not JSON \(.*\); write one object a line"),
        ('{"text": "a"}\n\n[1]\n', r"line 3: a JSON object is needed, got \[1\]$"),
        ('[\n{"text": "a"}\n]\n', r"line 1: not JSON \(.*\); write one object a line"),
        ("[" * 200_000, r"line 1: not JSON \(.*\); write one object a line"),
        ('{"text": ' + "1" * 5000 + "}", r"line 1: not JSON \(Exceeds the limit .*\); write one object a line"),
        (b'{"text": "a"}\n{"text": "\xe9"}\n', "line 2: not UTF-8 at byte 11; convert"),
    ],
)
def test_what_is_not_json_lines(tmp_path, content, message):
    file = written(tmp_path, "rows.jsonl", content)
    with pytest.raises(TextError, match=f"^rows.jsonl, {message}"):
        list(read_column(file, "text"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,id\na, b,1\n", 'line 2: 3 fields, the first line names 2; put text with a comma between "quo'),
        ("text,id\na\n", "line 2: 1 fields, the first line names 2; put"),
        ('text,id\na,1\n"b,2\n', r"line 3: not CSV \(unexpected end of data\); mend its quotation marks"),
        ('text,id\n"a"b,2\n', r"line 2: not CSV \(.*\); mend its quotation marks"),
        (b"text,id\na,1\n\xe9,2\n", "line 3: not UTF-8 at byte 1; convert"),
    ],
)
def test_what_is_not_csv(tmp_path, content, message):
    file = written(tmp_path, "rows.csv", content)
    with pytest.raises(TextError, match=f"^rows.csv, {message}"):
        list(read_column(file, "text"))


def test_damaged_parquet_files(tmp_path, capfd):
    whole = table(tmp_path, ".parquet", [{"text": "a b"}] * 9).path.read_bytes()
    cases = [b"", b"PA", whole[:100], b"x" * 500, whole[:4] + b"\xff" * 30 + whole[34:]]
    capfd.readouterr()
    for content in [*cases, whole[:-20] + b"\xff" * 12 + whole[-8:]]:
        file = written(tmp_path, "damaged.parquet", content)
        with pytest.raises(
            TextError, match=r"^damaged.parquet cannot be read as Parquet \(.+\); make or copy it again$"
        ):
            list(read_column(file, check_field(file, "text")))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json", "data-00000-of-00001.arrow"])
def test_damaged_saved_datasets(tmp_path, user_cache, name):
    file = table(tmp_path, "", [{"text": "a b"}])
    damaged = file.path / name
    damaged.write_bytes(damaged.read_bytes()[:10])
    with pytest.raises(TextError, match=r"^rows cannot be read as a saved dataset \(.*\); make or copy it again$"):
        list(read_column(file, "text"))


@pytest.mark.parametrize("ending", [".parquet", ""])
def test_flipped_bits_give_other_text_or_an_error(tmp_path, user_cache, ending):
    file = table(tmp_path, ending, [{"tokens": ["a", "b"]}] * 9)
    damaged = file.path if ending else file.path / "data-00000-of-00001.arrow"
    whole = damaged.read_bytes()
    messages = []
    for position in range(0, len(whole), 13):
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 128]) + whole[position + 1 :])
        try:
            assert all(isinstance(tokens, list) for tokens in read_column(file, check_field(file, "tokens")))
        except TextError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)


def test_a_saved_dataset_in_another_format(tmp_path, user_cache):
    datasets = pytest.importorskip("datasets")
    path = tmp_path / "rows"
    datasets.Dataset.from_dict({"tokens": [["a", "b"], ["c"]]}).with_format("numpy").save_to_disk(path)
    assert list(read_column(InputFile(path, "rows"), "tokens")) == [["a", "b"], ["c"]]


def test_folders(tmp_path, user_cache):
    datasets = pytest.importorskip("datasets")
    part = datasets.Dataset.from_dict({"text": ["a b"]})
    datasets.DatasetDict(train=part, test=part).save_to_disk(tmp_path / "splits")
    with pytest.raises(TextError, match=r"^splits holds the splits train, test; name the folder of one$"):
        is_table(InputFile(tmp_path / "splits", "splits"))
    assert list(read_column(InputFile(tmp_path / "splits" / "test", "test"), "text")) == ["a b"]
    (tmp_path / "splits" / "dataset_dict.json").write_text("{}")
    with pytest.raises(TextError, match=r"^splits cannot be read as a saved dataset \('splits'\); make"):
        is_table(InputFile(tmp_path / "splits", "splits"))
    shutil.rmtree(tmp_path / "splits")
    with pytest.raises(TextError, match=r"^there is a folder; name a file of text, or a folder written by datasets'"):
        is_table(InputFile(tmp_path, "there"))


def test_plain_text_is_no_table(tmp_path):
    file = written(tmp_path, "rows.txt", "a\n")
    assert not is_table(file)
    with pytest.raises(TextError, match=r"^rows.txt is not a table; name a .jsonl, .csv, .tsv or .parquet file"):
        check_field(file, "text")


def test_datasets_is_loaded_only_when_it_is_used(tmp_path):
    file = table(tmp_path, ".jsonl", [{"text": "a"}])
    program = f"""
import sys
from pathlib import Path
from pytorch_elmo.text.lines import InputFile
from pytorch_elmo.text.tables import read_column
assert list(read_column(InputFile(Path({str(file.path)!r}), "rows.jsonl"), "text")) == ["a"]
print(*sorted({{"datasets", "pyarrow", "pandas"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=os.environ)
    assert run.stdout.strip() == ""
