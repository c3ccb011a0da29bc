"""`elmo vocabulary` from any text to bilm-tf's file."""

import gzip
import lzma
import resource
import tarfile
from pathlib import Path

import pytest

from pytorch_elmo.text.vocabulary import Vocabulary

TEXT = "the cat sat\nthe dog\n\na cat\n"
EXPECTED = ["<S>", "</S>", "<UNK>", "cat", "the", "a", "dog", "sat"]


@pytest.fixture(autouse=True)
def text(folder) -> None:
    """`text.txt`."""
    Path("text.txt").write_text(TEXT, encoding="utf-8")


def words() -> list[str]:
    return Path("out.txt").read_text("utf-8").splitlines()


def test_the_words_of_a_text(run_elmo):
    ended = run_elmo("vocabulary", "text.txt", "out.txt")
    assert (ended.code, ended.out, ended.err) == (0, "", "wrote out.txt: 8 entries\n")
    assert words() == EXPECTED
    assert Vocabulary.from_file(Path("out.txt")).tokens == EXPECTED


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--min-count", 2], EXPECTED[:5]),
        (["--max-size", 4], EXPECTED[:4]),
        (["--max-size", 6, "--min-count", 1], EXPECTED[:6]),
    ],
)
def test_limits(run_elmo, options, expected):
    assert run_elmo("vocabulary", "text.txt", "out.txt", "-q", *options).code == 0
    assert words() == expected


def test_every_kind_of_text(run_elmo):
    Path("texts").mkdir()
    Path("texts/a.txt.gz").write_bytes(gzip.compress(b"the\n"))
    Path("texts/b.xz").write_bytes(lzma.compress(b"cat\n"))
    with tarfile.open("texts/c.tar.xz", "w:xz") as archive:
        archive.add("text.txt")
    Path("rows.jsonl").write_text('{"body": "the yak"}\n{"body": ["the", "yak"]}\n')
    ended = run_elmo("vocabulary", "texts", "te?t.txt", "rows.jsonl", "out.txt", "--field", "body", "-q")
    assert (ended.code, ended.err) == (0, "")
    assert words() == ["<S>", "</S>", "<UNK>", "the", "cat", "a", "dog", "sat", "yak"]


def test_prose(run_elmo):
    Path("text.txt").write_text("The cat sat. The dog didn't.")
    assert run_elmo("vocabulary", "text.txt", "out.txt", "--tokenizer", "moses", "-q").code == 0
    assert words()[3:] == [".", "The", "'t", "cat", "didn", "dog", "sat"]


def test_a_text_is_not_taken_for_the_output(run_elmo):
    Path("more.txt").write_text("words")
    ended = run_elmo("vocabulary", "text.txt", "more.txt")
    assert ended.code == 2
    assert ended.err == (
        "elmo vocabulary: error: OUTPUT, the last argument, is a new file, more.txt exists; "
        "name another, or --overwrite it\n"
    )
    assert Path("more.txt").read_text() == "words"
    assert run_elmo("vocabulary", "text.txt", "more.txt", "--overwrite", "-q").code == 0
    assert Path("more.txt").read_text().split() == EXPECTED


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone*", "out.txt"], 1, "no text file matches 'gone*'; give a path, a folder or a glob"),
        (["bad.txt", "out.txt"], 1, "bad.txt, line 2: not UTF-8 at byte 1; convert the file to UTF-8"),
        (["blank.txt", "out.txt"], 1, "a vocabulary needs words, the text has none that stands 1 time(s) or more"),
        (["text.txt", "out.txt", "--min-count", 3], 1, "the text has none that stands 3 time(s) or more; give other"),
        (["text.txt", "out.txt", "--field", "x"], 1, "text.txt is plain text and has no fields, got the field 'x'"),
        (["text.txt", "gone/out.txt"], 2, "the folder of the output must exist, gone does not; make it first"),
        (["text.txt"], 2, "Missing argument 'TEXT...'"),
    ],
)
def test_what_cannot_be(run_elmo, arguments, code, message):
    Path("bad.txt").write_bytes(b"fine\n\xff\n")
    Path("blank.txt").write_text("\n \n")
    ended = run_elmo("vocabulary", *arguments)
    assert ended.code == code
    assert message in ended.last_line
    assert not Path("out.txt").exists()
    assert not any(path.name.startswith(".") for path in Path().iterdir())


def test_a_full_disk(run_elmo):
    """As far as a writer can tell: files of this process may have so many bytes."""
    Path("text.txt").write_text(" ".join(f"word{number}" for number in range(2000)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    ended = run_elmo("vocabulary", "text.txt", "out.txt", "-q")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert "File too large; give another file or folder" in ended.err
    assert sorted(path.name for path in Path().iterdir()) == ["text.txt"]
