import errno
import gzip
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.text.sources import Line, open_source, scan

PROSE = 'Mr. Smith can\'t come. He said: "No!"\n\n\nA new paragraph,\nbroken.\n'
SENTENCES = [
    "Mr. Smith can 't come .",
    'He said : " No ! "',
    "A new paragraph ,",
    "broken .",
]


def text_file(folder, content: str | bytes, name="sentences.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def tokens_of(source) -> list[list[str]]:
    return [line.tokens for line in source]


@pytest.fixture
def temporary_folder(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_line_is_a_sentence(tmp_path):
    source = open_source(text_file(tmp_path, "  The  cat\tsat .\n\nHello"))
    expected = [
        Line(1, "The  cat\tsat .", ["The", "cat", "sat", "."]),
        Line(2, "", []),
        Line(3, "Hello", ["Hello"]),
    ]
    assert list(source) == expected
    assert list(source) == expected
    assert source.description == str(tmp_path / "sentences.txt")


@given(
    text=st.text(
        st.one_of(st.sampled_from("ab \n\r\t\x0b\x0c\x1c\x85\xa0\u2028\ufeff"), st.characters(codec="utf-8"))
    )
)
def test_lines_and_tokens_are_those_of_the_original_command(tmp_path_factory, text):
    path = text_file(tmp_path_factory.mktemp("source"), text)
    with path.open(encoding="utf-8") as file:
        expected = [(line.strip(), line.split()) for line in file]
    assert [(line.text, line.tokens) for line in open_source(path)] == expected


@pytest.fixture
def original_runs(golden_folder) -> list[dict]:
    """Runs of the original command: arguments, exit status, content of the output or the exception."""
    return list(json.loads((golden_folder / "goldens_0.9.0" / "cli" / "index.json").read_text("utf-8")).values())


def test_the_original_command_on_its_own_files(golden_folder, original_runs):
    compared = set()
    for run in original_runs:
        path, content = golden_folder / "inputs" / run["arguments"][0], run.get("content")
        if run["exit"] != 0 or not path.is_file() or "0" not in (content or ""):
            continue
        lines = list(open_source(path))
        shapes = [content[str(line.number - 1)]["shape"] for line in lines]
        assert [len(line.tokens) for line in lines] == [shape[-2] for shape in shapes]
        if "sentence_to_index" in content:
            keys = json.loads(content.pop("sentence_to_index")["value"])
            assert keys == {line.text: str(line.number - 1) for line in lines}
        assert len(content) == len(lines)
        compared.add(path.name)
    assert {"sentences_bom.txt", "sentences_crlf.txt", "sentences_line_separators.txt"} < compared
    assert len(compared) >= 6


def test_blank_lines_of_the_original_command(golden_folder, original_runs):
    name = "sentences_blank_lines.txt"
    [message] = {str(run["exception"]) for run in original_runs if run["arguments"][:1] == [name]}
    indexes = json.loads(re.search(r"at indexes (\[.*?\])", message).group(1))
    source = open_source(golden_folder / "inputs" / name, blank_lines="empty")
    assert scan(source).blank_lines == tuple(index + 1 for index in indexes)


@pytest.mark.parametrize("tokenizer", ["whitespace", "moses"])
def test_an_empty_file_has_no_sentences(tmp_path, tokenizer):
    source = open_source(text_file(tmp_path, ""), tokenizer=tokenizer)
    assert list(source) == []
    summary = scan(source)
    assert (summary.num_sentences, summary.num_tokens, summary.longest, summary.blank_lines) == (0, 0, 0, ())
    assert summary.token_counts.shape == (0,)
    assert summary.sha256 == hashlib.sha256().hexdigest()


def test_prose_is_split_and_tokenised(tmp_path):
    source = open_source(text_file(tmp_path, PROSE), tokenizer="moses")
    assert list(source) == [Line(number, text, text.split()) for number, text in enumerate(SENTENCES, start=1)]
    assert scan(source).blank_lines == ()


def test_prose_in_a_field(tmp_path):
    path = text_file(tmp_path, json.dumps({"body": PROSE}) + "\n" + json.dumps({"body": "Short ."}), "rows.jsonl")
    source = open_source(path, field="body", tokenizer="moses")
    assert [line.text for line in source] == [*SENTENCES, "Short ."]
    assert [line.number for line in source] == [1, 2, 3, 4, 5]


def test_a_field_with_text_or_tokens(tmp_path):
    rows = [{"text": " two words "}, {"text": ["New York", "is", ""]}, {"text": "line\nbreak"}]
    path = text_file(tmp_path, "\n".join(map(json.dumps, rows)), "rows.jsonl")
    source = open_source(path, field="text")
    assert list(source) == [
        Line(1, "two words", ["two", "words"]),
        Line(2, "New York is", ["New York", "is", ""]),
        Line(3, "line\nbreak", ["line", "break"]),
    ]
    assert source.description == f"{path}, field 'text'"


def test_compressed_text(tmp_path):
    assert tokens_of(open_source(text_file(tmp_path, gzip.compress(b"a b\nc"), "a.txt.gz"))) == [["a", "b"], ["c"]]
    path = text_file(tmp_path, gzip.compress(b'{"t": "a b"}\n'), "a.jsonl.gz")
    assert tokens_of(open_source(path, field="t")) == [["a", "b"]]


def test_two_readers_do_not_disturb_each_other(tmp_path):
    source = open_source(text_file(tmp_path, "a\nb\nc\n"))
    assert [(one.text, other.text) for one in source for other in source] == [(x, y) for x in "abc" for y in "abc"]


def test_standard_input_is_kept_until_closed(monkeypatch, temporary_folder):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b\r\nc\n")))
    with open_source("-") as source:
        assert tokens_of(source) == tokens_of(source) == [["a", "b"], ["c"]]
        assert source.description == "standard input"
        assert list(temporary_folder.iterdir())
    assert not list(temporary_folder.iterdir())
    with pytest.raises(TextError, match=r"^cannot read standard input: No such file or directory; name"):
        list(source)


def test_standard_input_with_bad_bytes(monkeypatch, temporary_folder):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b\nc\xe9\n")))
    with (
        open_source("-") as source,
        pytest.raises(TextError, match=r"^standard input, line 2: not UTF-8 at byte 2; conv"),
    ):
        scan(source)


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(TextError, match=r"^standard input is closed; name a file, or pipe text in$"):
        open_source("-")


@pytest.mark.parametrize(("name", "field"), [("pipe", None), ("pipe.jsonl.gz", "t")])
def test_a_pipe_is_kept_and_its_name_tells_the_format(tmp_path, temporary_folder, name, field):
    pipe = tmp_path / name
    os.mkfifo(pipe)
    content = gzip.compress(b'{"t": "a b"}\n{"t": "c"}') if field else b"a b\nc\n"
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    with open_source(pipe, field=field) as source:
        writer.join()
        assert tokens_of(source) == tokens_of(source) == [["a", "b"], ["c"]]
    assert not list(temporary_folder.iterdir())


def test_a_pipe_that_does_not_fit_leaves_nothing(tmp_path, temporary_folder):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"text,id\na,1\n",))
    writer.start()
    with pytest.raises(TextError, match=r"pipe.csv is a table, name its column with --field .*; there are text, id$"):
        open_source(pipe)
    writer.join()
    assert not list(temporary_folder.iterdir())


def test_no_room_for_standard_input(monkeypatch, temporary_folder):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", fill)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b\n")))
    with pytest.raises(
        TextError, match=r"^standard input cannot be copied to .*: No space left on device; set TMPDIR to"
    ):
        open_source("-")
    assert not list(temporary_folder.iterdir())


def test_a_link_is_followed(tmp_path):
    text_file(tmp_path, "a b\n")
    link = tmp_path / "link"
    link.symlink_to("sentences.txt")
    assert tokens_of(open_source(str(link))) == [["a", "b"]]


def test_what_cannot_be_read(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(
        TextError, match=r"^cannot read .*gone.txt: No such file or directory; name a file that can be read$"
    ):
        open_source(tmp_path / "gone.txt")
    with pytest.raises(TextError, match=r"^cannot read .*loop: Too many levels of symbolic links; name"):
        open_source(loop)
    with pytest.raises(TextError, match=r"^cannot read .*: File name too long; name"):
        open_source("a" * 300)
    with pytest.raises(
        TextError, match=r"is a folder; name a file of text, or a folder written by datasets' save_to_disk$"
    ):
        open_source(tmp_path)


def test_a_file_without_permission(tmp_path, monkeypatch):
    path = text_file(tmp_path, "a\n")
    if os.geteuid() == 0:  # who may read everything

        def refuse(*_):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    path.chmod(0)
    with pytest.raises(TextError, match=r"^cannot read .*sentences.txt: Permission denied; name"):
        open_source(path)


def test_a_field_of_plain_text(tmp_path):
    with pytest.raises(
        TextError, match=r"is plain text and has no fields, got --field 'text'; leave it out, or name a"
    ):
        open_source(text_file(tmp_path, "a\n"), field="text")


def test_a_tsv_file_is_text_until_a_field_is_named(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("id\ttext\n1\ta b\n", encoding="utf-8")
    assert [line.tokens for line in open_source(path)] == [["id", "text"], ["1", "a", "b"]]
    assert [line.tokens for line in open_source(path, field="text")] == [["a", "b"]]


def test_wrong_arguments(tmp_path):
    path = text_file(tmp_path, "a\n")
    with pytest.raises(ConfigurationError, match=r"^tokenizer must be one of whitespace, moses, got 'spacy'$"):
        open_source(path, tokenizer="spacy")
    with pytest.raises(ConfigurationError, match=r"^blank_lines must be error or empty, got 'skip'$"):
        open_source(path, blank_lines="skip")
