"""Jobs that find no room: one line, and nothing that was said to be safe is lost."""

import os
import resource
from pathlib import Path

import pytest


@pytest.fixture
def limit_files():
    """Let no file of this process grow beyond so many bytes: a disk that is full, as far as a writer can tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda num_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_at_the_beginning(text, embed, limit_files):
    limit_files(2000)
    ended = embed(text, "out.hdf5", "-q")
    limit_files(resource.RLIM_INFINITY)
    assert ended.code == 1
    assert ended.err == (
        "embed-to-hdf5: error: out.hdf5 cannot be written: the file is larger than its file system or the limit of "
        "this process (ulimit -f) allows; nothing was begun; make room or choose another folder\n"
    )
    assert os.listdir() == ["text.txt"]


@pytest.mark.parametrize("options", [(), ("--layout", "packed"), ("--stateful",)])
def test_no_room_on_the_way(text, embed, during_embedding, limit_files, monkeypatch, options):
    monkeypatch.setattr("pytorch_elmo.embedder.background._SECONDS_BETWEEN_COMMITS", 0.0)
    options = (*options, "--batch-size", 1)
    assert embed(text, "peace.hdf5", *options).code == 0
    in_peace = Path("peace.hdf5").read_bytes()
    during_embedding(lambda: limit_files(len(in_peace) // 2))
    ended = embed(text, "out.hdf5", *options)
    limit_files(resource.RLIM_INFINITY)
    assert ended.code == 1
    assert "out.hdf5 cannot be written: the file is larger than its file system or the limit" in ended.err
    assert "is safe; make room and go on with --resume" in ended.last_line
    during_embedding(None)
    refused = embed(text, "out.hdf5", *options)
    assert "out.hdf5.partial is a partial file: " in refused.err
    assert embed(text, "out.hdf5", *options, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace


def test_no_room_for_the_carried_state(folder, embed, during_embedding, limit_files):
    """64 rows have larger states than vectors."""
    Path("text.txt").write_text("word\n" * 64, encoding="utf-8")
    options = ("--stateful", "--top", "--layout", "packed", "--forget-sentences")
    assert embed("text.txt", "peace.hdf5", *options).code == 0
    in_peace = Path("peace.hdf5").read_bytes()
    during_embedding(lambda: limit_files(len(in_peace)))
    ended = embed("text.txt", "out.hdf5", *options)
    limit_files(resource.RLIM_INFINITY)
    assert ended.code == 1
    assert ended.err.startswith("embed-to-hdf5: error: out.hdf5 cannot be written: the file is larger than")
    assert ended.err.endswith("what was committed is safe; make room and go on with --resume\n")
    during_embedding(None)
    assert embed("text.txt", "out.hdf5", *options, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace
    assert sorted(os.listdir()) == ["out.hdf5", "peace.hdf5", "text.txt"]


def test_no_room_for_counts_of_pairs(folder, run_elmo, limit_files):
    words = [f"word{number}" for number in range(60)]
    Path("text.txt").write_text("\n".join(" ".join(words[start:] + words[:start]) for start in range(60)))
    options = ("--min-count", 1, "--dim", 2, "--epochs", 1, "-q")
    limit_files(3000)
    ended = run_elmo("swivel", "text.txt", "run", *options)
    limit_files(resource.RLIM_INFINITY)
    assert ended.code == 1
    assert ended.last_line.startswith("elmo swivel: error: the system refuses run/.runs/.pair-counts-")
    assert ended.last_line.endswith("keys: File too large; give another file or folder")
    assert sorted(os.listdir("run")) == [".lock", "words.txt"]
    assert run_elmo("swivel", "text.txt", "run", *options).code == 0
