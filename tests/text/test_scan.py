"""What `scan` finds in a source."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.sources import open_source, scan


class Listener:
    """Keeps what it hears."""

    def __init__(self):
        self.heard = []

    def start(self, *, total, unit, done=0, label=""):
        self.heard.append(("start", total, unit, done, label))

    def advance(self, amount):
        self.heard.append(("advance", amount))

    def note(self, line):
        self.heard.append(("note", line))

    def finish(self):
        self.heard.append(("finish",))


def text_file(folder, content: str | bytes, name="sentences.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_the_summary(tmp_path):
    long_word = "é" * 25
    path = text_file(tmp_path, f"a b c\n\nword {long_word} {'x' * 48}\nnul\0nul {'x' * 49}\n \t\n")
    listener = Listener()
    summary = scan(open_source(path, blank_lines="empty"), listener)
    assert (summary.num_sentences, summary.num_tokens, summary.longest) == (5, 8, 3)
    assert summary.token_counts.dtype == np.int64
    assert summary.token_counts.tolist() == [3, 0, 3, 2, 0]
    assert summary.num_cut_tokens == 2
    assert summary.blank_lines == (2, 5)
    assert summary.has_nul
    assert listener.heard == [
        ("start", None, "sentences", 0, f"reading {path}"),
        *[("advance", 1)] * 5,
        ("finish",),
    ]


def test_the_sha256_tells_inputs_apart_and_nothing_else(tmp_path):
    contents = ["a b\nc\n", "a  b\nc\n", "a b c\n", "a\nb c\n", "a b\nc\n\n", "c\na b\n", ""]
    digests = [scan(open_source(text_file(tmp_path, content), blank_lines="empty")).sha256 for content in contents]
    assert len(set(digests)) == len(contents)
    assert digests[0] == hashlib.sha256(b'["a b", ["a", "b"]]["c", ["c"]]').hexdigest()
    for name, content in {"b.txt": b"\ta b \r\nc", "b.gz": gzip.compress(b"a b\nc")}.items():
        assert scan(open_source(text_file(tmp_path, content, name))).sha256 == digests[0]
    rows = [[["a", "b c"]], [["a b", "c"]], ["a b c"]]
    paths = [text_file(tmp_path, json.dumps({"t": row[0]}), f"{index}.jsonl") for index, row in enumerate(rows)]
    assert len({scan(open_source(path, field="t")).sha256 for path in paths}) == 3


def test_lone_surrogates_in_json_do_no_harm(tmp_path):
    source = open_source(text_file(tmp_path, '{"t": "a \\ud800 b"}', "rows.jsonl"), field="t")
    assert scan(source).num_tokens == 3


def test_blank_lines_are_refused_with_their_numbers(tmp_path):
    source = open_source(text_file(tmp_path, "a\n\nb\n \u3000\n"))
    with pytest.raises(
        TextError, match=r"a line must hold a sentence, line\(s\) 2, 4 are blank; remove them, or keep"
    ):
        scan(source)
    many = open_source(text_file(tmp_path, "\n" * 45))
    with pytest.raises(TextError, match=r"line\(s\) 1, 2, .*, 19, 20 and 25 more are blank; .*--blank-lines empty$"):
        scan(many)
    rows = open_source(text_file(tmp_path, '{"t": []}\n{"t": " "}\n', "rows.jsonl"), field="t")
    with pytest.raises(
        TextError, match=r"rows.jsonl, field 't': a row must hold a sentence, row\(s\) 1, 2 are blank"
    ):
        scan(rows)
