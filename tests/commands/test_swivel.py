"""`elmo swivel` from any text to word vectors."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from pytorch_elmo.static_embeddings import WordVectors

OPTIONS = ["--dim", 4, "--epochs", 2, "--min-count", 2, "--submatrix-size", 3]


@pytest.fixture(autouse=True)
def text(folder) -> None:
    """`text.txt`, `more.jsonl`."""
    Path("text.txt").write_text(
        "The cat, sat on the mat.\nthe dog sat!\n\nthe cat on the mat\n" * 2, encoding="utf-8"
    )
    Path("more.jsonl").write_text('{"body": "the cat 12345"}\n' * 2)


def test_vectors_of_a_text(run_elmo):
    ended = run_elmo("swivel", "text.txt", "run", *OPTIONS)
    assert (ended.code, ended.out) == (0, "")
    lines = ended.err.splitlines()
    assert lines[0] == "10 words, the rarest stands 2 times"
    assert lines[1].startswith("epoch 1 of 2: loss 0.")
    assert lines[-1] == "wrote run"
    assert len(lines) == 4
    vectors = WordVectors.from_file("run/vectors.txt.gz")
    assert (vectors.words[0], len(vectors), vectors.dim) == ("the", 10, 4)


def test_every_kind_of_text_and_of_token(run_elmo):
    Path("texts").mkdir()
    Path("texts/a.txt.gz").write_bytes(gzip.compress(Path("text.txt").read_bytes()))
    options = [*OPTIONS, "--field", "body", "--remove-punctuation", "--lowercase", "-q", "--max-size", 4]
    ended = run_elmo("swivel", "texts", "*.jsonl", "run", *options)
    assert (ended.code, ended.err) == (0, "")
    assert Path("run/words.txt").read_text() == "the 12\ncat 6\nmat 4\non 4\n"
    texts = json.loads(Path("run/swivel.json").read_text())["counting"]["texts"]
    assert [text["name"] for text in texts] == ["texts/a.txt.gz", "more.jsonl"]


def test_more_epochs_go_on(run_elmo):
    assert run_elmo("swivel", "text.txt", "whole", *OPTIONS, "-q").code == 0
    assert run_elmo("swivel", "text.txt", "parts", *OPTIONS, "-q", "--epochs", 1).code == 0
    ended = run_elmo("swivel", "text.txt", "parts", *OPTIONS)
    assert ended.code == 0
    assert ended.err.startswith("epoch 2 of 2: loss")
    for name in ("vectors.txt.gz", "swivel.json"):
        assert Path("parts", name).read_bytes() == Path("whole", name).read_bytes()


def test_words_that_stand_together_get_alike_vectors(run_elmo):
    choose = np.random.default_rng(0)
    topics = [["red", "green", "blue"], ["one", "two", "three"]]
    lines = [" ".join(choose.choice(topics[number % 2], 6)) for number in range(300)]
    Path("topics.txt").write_text("\n".join(lines))
    assert run_elmo("swivel", "topics.txt", "run", "--dim", 2, "--epochs", 60, "-q").code == 0
    table = WordVectors.from_file("run/vectors.txt.gz")
    red, green, one = (table(table.words_to_ids([[word]]))[0, 0] for word in ("red", "green", "one"))
    assert red @ green > 0 > red @ one


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone*", "run"], 1, "no text file matches 'gone*'; give a path, a folder or a glob"),
        (["bad.txt", "run"], 1, "bad.txt, line 2: not UTF-8 at byte 1; convert the file to UTF-8"),
        (
            ["text.txt", "run", "--min-count", 50],
            1,
            "the text has none that stands 50 time(s) or more; give more text",
        ),
        (["short.txt", "run", "--min-count", 1], 1, "word vectors need words that stand beside others, the text has"),
        (["text.txt", "run", "--field", "x"], 1, "text.txt is plain text and has no fields, got the field 'x'"),
        (["text.txt", "run", "--learning-rate", 0], 2, "learning_rate must be above 0, got 0.0; give 0.1"),
        (["text.txt", "run", "--device", "tpu"], 2, "device"),
        (["text.txt", "run", "--submatrix-size", 40_000], 2, "is not in the range 1<=x<=32768"),
        (["text.txt", "run", "--window", 2**40], 2, "is not in the range 1<=x<=1000"),
        (["text.txt", "run", "--seed", 2**63], 2, "is not in the range 0<=x<=9223372036854775807"),
        ([".", "deep/run"], 2, "the output must not lie among the texts, deep/run is in .; choose another"),
        (["text.txt"], 2, "Missing argument 'TEXT...'"),
    ],
)
def test_what_cannot_be(run_elmo, arguments, code, message):
    Path("bad.txt").write_bytes(b"fine\n\xff\n")
    Path("short.txt").write_text("one\ntwo\n")
    ended = run_elmo("swivel", *arguments)
    assert ended.code == code
    assert message in ended.last_line


def test_other_settings_are_refused(run_elmo):
    assert run_elmo("swivel", "text.txt", "run", *OPTIONS, "-q").code == 0
    ended = run_elmo("swivel", "text.txt", "run", *OPTIONS, "--window", 3)
    assert ended.code == 2
    assert ended.last_line == (
        "elmo swivel: error: run holds counts with window 10, now it is 3; restore the setting, or choose another "
        "output folder"
    )
    ended = run_elmo("swivel", "text.txt", "run", *OPTIONS, "--dim", 5)
    assert ended.code == 2
    assert "the run was started with dim 4, now it is 5; restore the setting" in ended.last_line
    before = Path("run/swivel.json").read_bytes()
    ended = run_elmo("swivel", "text.txt", "run", *OPTIONS, "--epochs", 1)
    assert ended.code == 2
    assert "the run has 2 epochs behind it, now num_epochs is 1; ask for as many or more" in ended.last_line
    assert Path("run/swivel.json").read_bytes() == before
