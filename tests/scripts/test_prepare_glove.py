"""Word vectors where the configurations look for them, through the command that people type."""

import gzip
import lzma
import re
import zipfile
from pathlib import Path

import pytest
import torch

from pytorch_elmo.static_embeddings import TextEmbedding

CONFIGS = Path(__file__).parents[2] / "configs"
LINES = "the 0.1 0.2 -3e-05\n. . . 1 2 3\ncafé 0 -1 .5\n"


@pytest.fixture
def published(tmp_path) -> Path:
    path = tmp_path / "glove.6B.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.6B.50d.txt", "the 0.5 0.25\n")
        archive.writestr("glove.6B.100d.txt", LINES)
        archive.writestr("README", "about")
    return path


def unpacked(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode("utf-8")


def test_the_published_file(run_script, published, tmp_path):
    out = tmp_path / "data" / "glove"
    done = run_script("prepare_glove.py", published, out)
    assert done.returncode == 0, done.stderr
    assert {path.name: unpacked(path) for path in out.iterdir()} == {
        "glove.6B.50d.txt.gz": "the 0.5 0.25\n",
        "glove.6B.100d.txt.gz": LINES,
    }
    assert f"{out}/glove.6B.100d.txt.gz: 3 words of 3 numbers\n" in done.stdout
    assert f"{out}/glove.6B.50d.txt.gz: 1 words of 2 numbers\n" in done.stdout


def test_one_file_of_it(run_script, published, tmp_path):
    assert run_script("prepare_glove.py", published, tmp_path / "out", "--only", "100d").returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["glove.6B.100d.txt.gz"]


@pytest.mark.parametrize(
    ("name", "pack"), [("v.txt", bytes), ("v.txt.gz", gzip.compress), ("v.txt.xz", lzma.compress)]
)
def test_a_file_of_vectors(run_script, tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(LINES.encode("utf-8")))
    for out in (tmp_path / "glove.6B.100d.txt.gz", tmp_path / "folder"):
        done = run_script("prepare_glove.py", tmp_path / name, out)
        assert done.returncode == 0, done.stderr
    assert unpacked(tmp_path / "glove.6B.100d.txt.gz") == unpacked(tmp_path / "folder" / "v.txt.gz") == LINES


def test_a_text_embedding(run_script, tmp_path):
    vectors = torch.tensor([[1, 0.5, -0.25], [1 / 3, 0, 2], [9, 9, 9]])
    TextEmbedding(["the", "café"], vectors).save(tmp_path / "mine")
    out = tmp_path / "glove.6B.100d.txt.gz"
    assert run_script("prepare_glove.py", tmp_path / "mine", out).returncode == 0
    assert unpacked(out) == "the 1 0.5 -0.25\ncafé 0.333333 0 2\n"


def test_allennlp_reads_it(run_script, published, tmp_path):
    pytest.importorskip("allennlp")
    from allennlp.data import Vocabulary
    from allennlp.modules.token_embedders import Embedding

    assert run_script("prepare_glove.py", published, tmp_path, "--only", "100d").returncode == 0
    vocabulary = Vocabulary({"tokens": {"café": 1, "the": 1}})
    embedding = Embedding(3, vocab=vocabulary, pretrained_file=str(tmp_path / "glove.6B.100d.txt.gz"))
    row = embedding.weight[vocabulary.get_token_index("café")]
    assert row.tolist() == [0.0, -1.0, 0.5]


def test_the_configurations_name_files_that_it_writes():
    text = "".join(path.read_text("utf-8") for path in (CONFIGS / "common").glob("*.libsonnet"))
    names = set(re.findall(r"'data/glove/(.*?)'", text))
    assert names == {*(f"glove.6B.{size}d.txt.gz" for size in (50, 100, 300)), "glove.840B.300d.txt.gz"}


def test_what_is_wrong_is_said_in_one_line(refusal, published, tmp_path):
    script, out = "prepare_glove.py", tmp_path / "out"
    assert "SOURCE must have a file of vectors with '42d' in its name" in refusal(
        script, published, out, "--only", "42d"
    )
    assert "OUT must be a folder for several files" in refusal(script, published, tmp_path / "one.txt.gz")
    assert "cannot read" in refusal(script, tmp_path / "missing.txt", out)
    assert "cannot unpack" in refusal(script, tmp_path / "missing.zip", out)
    (tmp_path / "cut.zip").write_bytes(published.read_bytes()[:100])
    assert "cannot unpack" in refusal(script, tmp_path / "cut.zip", out)
    (tmp_path / "bad.zip").write_bytes(published.read_bytes().replace(b"the 0.1", b"the 0.7"))
    assert "cannot unpack" in refusal(script, tmp_path / "bad.zip", out, "--only", "100d")
    bad = tmp_path / "bad.txt"
    for content, message in {
        "a 1 2\nb 3\n": "bad.txt, line 2: a line must be a word and 2 numbers between single spaces, got 'b 3'",
        "a 1 2\nb 3 x\n": "bad.txt, line 2: a line must be a word",
        "a\n": "bad.txt, line 1: a line must be a word",
        "": "bad.txt must hold a word, got none",
    }.items():
        bad.write_text(content, encoding="utf-8")
        assert message in refusal(script, bad, out)
    assert not list(out.glob("*"))


def test_the_most_frequent_words(run_script, test_data, tmp_path):
    source = test_data / "data" / "glove" / "glove.6B.50d.top9163.txt.gz"
    done = run_script("prepare_glove.py", source, tmp_path / "glove.6B.50d.txt.gz")
    assert done.returncode == 0, done.stderr
    assert "9,163 words of 50 numbers" in done.stdout
    assert unpacked(tmp_path / "glove.6B.50d.txt.gz") == unpacked(source)
