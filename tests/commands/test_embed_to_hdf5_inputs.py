"""Everything that `embed-to-hdf5` reads, each held to the same vectors; and what is odd but no error."""

import csv
import gzip
import json
import lzma
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from pytorch_elmo.storage import LayerFileReader, verify_layer_file

LINES = ["The cat sat on the mat .", "Hello", 'She said , " no " .']


def assert_same_vectors(path: str, expected: str) -> None:
    with LayerFileReader(path) as ours, LayerFileReader(expected) as theirs:
        assert ours.sentence_to_index == theirs.sentence_to_index
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.fixture
def expected(folder, embed) -> str:
    """The layer file of the plain text."""
    Path("plain.txt").write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    assert embed("plain.txt", "plain.hdf5").code == 0
    return "plain.hdf5"


@pytest.mark.parametrize(("ending", "opener"), [(".gz", gzip.open), (".xz", lzma.open)])
def test_compressed_text(embed, expected, ending, opener):
    with opener(f"text.txt{ending}", "wb") as file:
        file.write(Path("plain.txt").read_bytes())
    assert embed(f"text.txt{ending}", "out.hdf5").code == 0
    assert_same_vectors("out.hdf5", expected)


def test_standard_input(embed, expected):
    ended = embed("-", "out.hdf5", stdin=Path("plain.txt").read_bytes())
    assert ended.code == 0, ended.err
    assert_same_vectors("out.hdf5", expected)


def write_jsonl(path: str, rows: list[dict]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_csv(path: str, rows: list[dict]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: str, rows: list[dict]) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}


@pytest.mark.parametrize("form", WRITERS)
def test_a_column_of_a_table(embed, expected, form):
    WRITERS[form](f"table.{form}", [{"id": str(number), "body": line} for number, line in enumerate(LINES)])
    ended = embed(f"table.{form}", "out.hdf5", "--field", "body")
    assert ended.code == 0, ended.err
    assert_same_vectors("out.hdf5", expected)


def test_a_column_of_tokens(embed, expected):
    write_jsonl("table.jsonl", [{"tokens": line.split()} for line in LINES])
    assert embed("table.jsonl", "out.hdf5", "--field", "tokens").code == 0
    assert_same_vectors("out.hdf5", expected)


@pytest.mark.parametrize(
    ("name", "content", "more", "message"),
    [
        ("table.csv", "id,body\n1,Hello\n", [], "is a table, name its column with --field .or field in"),
        ("table.csv", "id,body\n1,Hello\n", ["--field", "boby"], "no field 'boby'; did you mean 'body'?"),
        ("table.jsonl", '{"body": "a"}\n{"body": 3}\n', ["--field", "body"], "row 2: .* a string or a list .* got 3"),
        ("table.jsonl", '{"body": "a"}\n{\n', ["--field", "body"], "table.jsonl, line 2: not JSON"),
        (
            "table.parquet",
            "PAR1 but no more",
            ["--field", "body"],
            r"table\.parquet cannot be read as Parquet \(.*magic bytes not found.*\); make or copy it again",
        ),
        ("plain.txt", "Hello\n", ["--field", "body"], "is plain text and has no fields, got --field 'body'"),
    ],
)
def test_a_table_that_cannot_be_read(folder, embed, name, content, more, message):
    Path(name).write_text(content, encoding="utf-8")
    ended = embed(name, "out.hdf5", "-q", *more)
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert re.search(message, ended.err), ended.err
    assert os.listdir() == [name]


def test_raw_prose(folder, embed):
    Path("prose.txt").write_text(
        "Dr. Smith hasn't come. He'll be late,\twon't he?\n\nA new paragraph (short).\n", encoding="utf-8"
    )
    ended = embed("prose.txt", "out.hdf5", "--tokenizer", "moses")
    assert ended.code == 0, ended.err
    with LayerFileReader("out.hdf5") as reader:
        assert list(reader.sentence_to_index) == [
            "Dr. Smith hasn 't come .",
            "He 'll be late , won 't he ?",
            "A new paragraph ( short ) .",
        ]
        assert reader.token_counts.tolist() == [6, 9, 7]
        assert reader.manifest.tokenizer == "moses"


def test_blank_lines_kept_as_empty_sentences(folder, embed, embedder):
    Path("text.txt").write_text("one\n\ntwo three\n \t\n", encoding="utf-8")
    ended = embed("text.txt", "out.hdf5", "--blank-lines", "empty")
    assert ended.code == 0, ended.err
    with LayerFileReader("out.hdf5") as reader:
        assert [vectors.shape for vectors in reader] == [(3, 1, 10), (3, 0, 10), (3, 2, 10), (3, 0, 10)]
        np.testing.assert_allclose(reader[2], embedder.embed_sentence(["two", "three"]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_an_empty_input_gives_a_file_without_sentences(folder, embed, layout):
    Path("text.txt").write_bytes(b"")
    assert embed("text.txt", "out.hdf5", "--layout", layout).code == 0
    assert verify_layer_file(Path("out.hdf5")) == []
    with h5py.File("out.hdf5") as file:
        assert json.loads(file["sentence_to_index"][0]) == {}


def test_long_tokens_are_cut_and_counted_in_one_line(folder, embed, embedder):
    Path("text.txt").write_text(f"short {'a' * 60} {'b' * 48}\n{'東' * 17} end\n", encoding="utf-8")
    ended = embed("text.txt", "out.hdf5")
    assert ended.code == 0
    about = [line for line in ended.err.splitlines() if "longer than 48 bytes" in line]
    assert about == ["2 tokens are longer than 48 bytes; the model sees the first 48"]
    with LayerFileReader("out.hdf5") as reader:
        cut = embedder.embed_sentence(["short", "a" * 48, "b" * 48])
        np.testing.assert_allclose(reader[0], cut, rtol=0, atol=1e-6)


def test_nul_is_refused_as_a_key_alone(folder, embed):
    Path("text.txt").write_text("one\nnul \0 here\n", encoding="utf-8")
    assert embed("text.txt", "out.hdf5").code == 0
    with LayerFileReader("out.hdf5") as reader:
        assert reader.by_sentence("nul \0 here").shape == (3, 3, 10)
    ended = embed("text.txt", "keys.hdf5", "-q", "--use-sentence-keys")
    assert ended.code == 1
    assert ended.err == (
        "embed-to-hdf5: error: a sentence used as a key cannot hold a NUL, got 'nul \\x00 here' in line 2; "
        "leave out --use-sentence-keys\n"
    )
    assert sorted(path.name for path in Path().iterdir()) == ["out.hdf5", "text.txt"]


@pytest.mark.slow
def test_a_line_of_200_000_tokens(folder, embed, embedder):
    """Run in chunks: its first words depend on nothing but themselves going forward, its last going backward."""
    words = [f"word{number % 1000}" for number in range(200_000)]
    Path("text.txt").write_text("before it\n" + " ".join(words) + "\nafter it\n", encoding="utf-8")
    ended = embed("text.txt", "out.hdf5")
    assert ended.code == 0, ended.err
    first, last = embedder.embed_sentence(words[:50]), embedder.embed_sentence(words[-50:])
    with LayerFileReader("out.hdf5") as reader:
        assert reader.token_counts.tolist() == [2, 200_000, 2]
        vectors = reader[1]
        np.testing.assert_allclose(vectors[:, :50, :5], first[..., :5], rtol=0, atol=1e-5)
        np.testing.assert_allclose(vectors[:, -50:, 5:], last[..., 5:], rtol=0, atol=1e-5)
        np.testing.assert_allclose(reader[2], embedder.embed_sentence(["after", "it"]), rtol=0, atol=1e-6)
    assert verify_layer_file(Path("out.hdf5")) == []
