"""Texts split into tokens for the readers of AllenNLP, through the commands that people type."""

import gzip
import json
import lzma
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PAIRS = [
    {"gold_label": "neutral", "sentence1": "It doesn't rain.", "sentence2": "Anna (12) sees it!", "pairID": "1"},
    {"gold_label": "-", "sentence1": "Nobody agreed.", "sentence2": "No."},
    {"gold_label": "entailment", "sentence1": "Ein café.", "sentence2": "A\u2028café."},
]


def lines_of(examples) -> str:
    return "".join(json.dumps(example) + "\n" for example in examples)


@pytest.mark.parametrize(("ending", "opener"), [("", open), (".gz", gzip.open), (".xz", lzma.open)])
def test_pairs(run_script, tmp_path, ending, opener):
    source, out = tmp_path / f"snli.jsonl{ending}", tmp_path / "data" / "train.jsonl"
    with opener(source, "wt", encoding="utf-8") as file:
        file.write(lines_of(PAIRS))
    done = run_script("prepare_texts.py", "snli", source, out)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == [
        {"sentence1": "It doesn 't rain .", "sentence2": "Anna ( 12 ) sees it !", "gold_label": "neutral"},
        {"sentence1": "Ein café .", "sentence2": "A café .", "gold_label": "entailment"},
    ]
    assert f"{out}: 2 examples: entailment 1, neutral 1" in done.stdout


def test_citations_in_both_forms(run_script, tmp_path):
    official = [{"string": f"As shown in [{number}].", "label": "method", "id": "x"} for number in range(450)]
    (tmp_path / "in.jsonl").write_text(lines_of([*official, {"text": "Unlike us.", "label": "result"}]), "utf-8")
    done = run_script("prepare_texts.py", "scicite", tmp_path / "in.jsonl", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    examples = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
    expected = [{"text": f"As shown in [ {number} ] .", "label": "method"} for number in range(450)]
    assert examples == [*expected, {"text": "Unlike us .", "label": "result"}]


def test_two_processes_from_the_command_line_keep_the_order(tmp_path):
    examples = [{"string": f"As shown in [{number}].", "label": "method"} for number in range(450)]
    (tmp_path / "in.jsonl").write_text(lines_of(examples), encoding="utf-8")
    command = [sys.executable, SCRIPTS / "prepare_texts.py", "scicite", tmp_path / "in.jsonl", tmp_path / "out"]
    done = subprocess.run([*command, "--processes", "2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == [f"As shown in [ {number} ] ." for number in range(450)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"sentence1": "a", "gold_label": "neutral"}\n', "line 1: an example must have sentence1, sentence2, gold"),
        (b'{"sentence1": "a", "sentence2": 3, "gold_label": "neutral"}\n', "must have sentence1, sentence2"),
        (b"neutral\ta\tb\n", "line 1: a line must be a JSON object, got 'neutral"),
        (b'["a"]\n', "line 1: a line must be a JSON object"),
        (b'{"sentence1": "caf\xe9"}\n', "cannot read"),
        (b"", "there must be an example for"),
    ],
)
def test_bad_sources(run_script, tmp_path, content, message):
    (tmp_path / "in.jsonl").write_bytes(content)
    done = run_script("prepare_texts.py", "snli", tmp_path / "in.jsonl", tmp_path / "out")
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.fixture
def reviews(tmp_path) -> Path:
    """The layout of aclImdb, with what it has beside the labelled reviews."""
    folder = tmp_path / "aclImdb"
    for part in ("train", "test"):
        for label, rating in (("pos", 9), ("neg", 2)):
            (folder / part / label).mkdir(parents=True)
            for number in range(12):
                text = f"It's {label}, {part}.<br /><br />No. {number}"
                (folder / part / label / f"{number}_{rating}.txt").write_text(text, encoding="utf-8")
    (folder / "train" / "unsup").mkdir()
    (folder / "train" / "unsup" / "0_0.txt").write_text("no label", encoding="utf-8")
    (folder / "README").write_text("about", encoding="utf-8")
    return folder


def test_reviews(run_script, reviews, tmp_path):
    with tarfile.open(tmp_path / "reviews.tar.gz", "w:gz") as archive:
        archive.add(reviews, "aclImdb")
    for source, out in ((reviews, "one"), (tmp_path / "reviews.tar.gz", "other")):
        done = run_script("prepare_imdb.py", source, tmp_path / out)
        assert done.returncode == 0, done.stderr
        assert "train: 20 examples: neg 10, pos 10" in done.stdout
        assert "dev: 4 examples: neg 2, pos 2" in done.stdout
        assert "test: 24 examples: neg 12, pos 12" in done.stdout
    files = {path.name: path.read_text("utf-8") for path in (tmp_path / "one").iterdir()}
    assert files == {path.name: path.read_text("utf-8") for path in (tmp_path / "other").iterdir()}
    first, second, third, _ = map(json.loads, files["dev.jsonl"].splitlines())
    assert first == {"text": "It 's neg , train . No. 0", "label": "neg"}
    assert (second["label"], third["text"]) == ("pos", "It 's neg , train . No. 10")


def test_reviews_that_are_not_there(run_script, reviews, tmp_path):
    done = run_script("prepare_imdb.py", reviews / "train", tmp_path / "out")
    assert done.returncode == 1
    assert "SOURCE must have reviews train/pos/NUMBER_RATING.txt, got none in" in done.stderr
    assert "SOURCE must be the folder aclImdb or its tar file" in run_script("prepare_imdb.py", "x", "y").stderr


def test_pairs_of_the_development_part(run_script, test_data, tmp_path):
    source = test_data / "data" / "snli" / "snli_1.0_dev.jsonl.xz"
    done = run_script("prepare_texts.py", "snli", source, tmp_path / "dev.jsonl")
    assert done.returncode == 0, done.stderr
    assert "9,842 examples: contradiction 3,278, entailment 3,329, neutral 3,235" in done.stdout
