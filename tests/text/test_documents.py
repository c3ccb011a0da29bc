"""Large collections of text as sentences in documents."""

import json
import tarfile
from pathlib import Path

import pytest

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.text.documents import read_sentences, refuse_field_without_table
from pytorch_elmo.text.inputs import find_inputs, heard

LINES = "a b\n\n \nc\r\nd e f\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder."""
    monkeypatch.chdir(tmp_path)


def read(*patterns, tokenizer="whitespace", **settings) -> list[str | None]:
    sentences = read_sentences(find_inputs(patterns), tokenizer=tokenizer, **settings)
    return [None if sentence is None else " ".join(sentence) for sentence in sentences]


def documents_of(sentences: list[str | None]) -> list[list[str]]:
    documents: list[list[str]] = [[]]
    for sentence in sentences:
        if sentence is None:
            documents.append([])
        else:
            documents[-1].append(sentence)
    assert documents.pop() == [], "the last document ends"
    return [document for document in documents if document]


@pytest.mark.parametrize("tokenizer", ["whitespace", "moses"])
@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("file", [["a b", "c", "d e f"], ["g"]]),
        ("blank_line", [["a b"], ["c", "d e f"], ["g"]]),
        ("line", [["a b"], ["c"], ["d e f"], ["g"]]),
    ],
)
def test_what_ends_a_document(tokenizer, documents, expected):
    Path("1").write_text(LINES, newline="")
    Path("2").write_text("g")
    assert documents_of(read("1", "2", tokenizer=tokenizer, documents=documents)) == expected


@pytest.mark.parametrize("documents", ["file", "blank_line"])
def test_members_of_an_archive_are_documents(documents):
    for name in ("1", "2"):
        Path(name).write_text(f"in {name}\nlast\n")
    with tarfile.open("texts.tar.xz", "w:xz") as archive:
        archive.add("1")
        archive.add("2")
    assert documents_of(read("texts.tar.xz", documents=documents)) == [["in 1", "last"], ["in 2", "last"]]


def test_an_archive_in_an_archive():
    Path("1").write_text("deep\n")
    with tarfile.open("inner.tar.gz", "w:gz") as archive:
        archive.add("1")
    with tarfile.open("outer.tar", "w") as archive:
        archive.add("inner.tar.gz")
    assert read("outer.tar") == ["deep", None]
    Path("1").write_bytes(b"\xff")
    with tarfile.open("inner.tar.gz", "w:gz") as archive:
        archive.add("1")
    with tarfile.open("outer.tar", "w") as archive:
        archive.add("inner.tar.gz")
    with pytest.raises(TextError, match=r"^outer.tar, member inner.tar.gz, member 1, line 1: not UTF-8 at byte 1"):
        read("outer.tar")


def test_rows_are_documents():
    rows = [{"t": "one\ntwo words"}, {"t": ["three", "four five", ""]}, {"t": ""}, {"t": "half \ud83d ."}]
    Path("rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    Path("plain").write_text("last\n")
    expected = [["one", "two words"], ["three four five"], ["half ."], ["last"]]
    assert documents_of(read("rows.jsonl", "plain", field="t", documents="file")) == expected
    assert documents_of(read("rows.jsonl", "plain", field="t", tokenizer="moses")) == expected


def test_tables_of_all_kinds():
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_list([{"id": n, "t": f"row {n}"} for n in range(3000)])
    table.to_parquet("rows.parquet")
    table.save_to_disk("saved")
    Path("rows.csv").write_text("id,t\n1,csv row\n")
    rows = [[f"row {n}"] for n in range(3000)]
    assert documents_of(read("rows.parquet", "saved", "rows.csv", field="t")) == [*rows, *rows, ["csv row"]]
    for name in ("rows.parquet", "saved"):
        amounts: list[int] = []
        list(read_sentences(heard(find_inputs([name]), amounts.append), tokenizer="whitespace", field="t"))
        size = sum(path.stat().st_size for path in (Path(name).iterdir() if name == "saved" else [Path(name)]))
        assert len(amounts) == 3
        assert size - 3 <= sum(amounts) <= size


def test_tables_in_an_archive():
    Path("rows.jsonl").write_text('{"t": "in a row"}\n')
    with tarfile.open("tables.tar", "w") as archive:
        archive.add("rows.jsonl")
    assert read("tables.tar", field="t") == ["in a row", None]
    with pytest.raises(TextError, match=r"^tables.tar, member rows.jsonl, row 1: no field 'x'; .*there are t$"):
        read("tables.tar", field="x")
    with pytest.raises(TextError, match=r"^tables.tar, member rows.jsonl is a table, name its column with --field"):
        read("tables.tar")
    with tarfile.open("tables.tar", "w") as archive:
        archive.add("rows.jsonl", arcname="rows.parquet")
    with pytest.raises(TextError, match=r"member rows.parquet: Parquet inside an archive cannot be read as it comes"):
        read("tables.tar", field="t")


def test_a_byte_order_mark_is_left_out():
    Path("1").write_text("\ufeffword", "utf-8")
    assert read("1") == ["word", None]


def test_a_field_needs_a_table():
    Path("plain.txt").write_text("a")
    with pytest.raises(TextError, match=r"^plain.txt is plain text and has no fields, got the field 't'; leave it"):
        refuse_field_without_table(find_inputs(["plain.txt"]), "t")
    refuse_field_without_table(find_inputs(["plain.txt"]), None)
    Path("rows.csv").touch()
    refuse_field_without_table(find_inputs(["plain.txt", "rows.csv"]), "t")


def test_an_unknown_tokenizer():
    Path("plain.txt").write_text("a")
    with pytest.raises(ConfigurationError, match=r"^tokenizer must be one of whitespace, moses, got 'spacy'$"):
        read("plain.txt", tokenizer="spacy")
