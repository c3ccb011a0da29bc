"""The benchmark of text embeddings and vectorised texts, with a peer that is played."""

import json
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import bench_text as bench
from slow_saved_model import KEY, text_nodes, write_saved_model

TEXTS = ["Bad.<br />Bad!", "good film", "fine film"]


@pytest.fixture
def folder(tmp_path):
    for number, text in enumerate(TEXTS):
        path = tmp_path / "texts" / "neg" / f"{number}_1.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "texts"


@pytest.mark.parametrize("peer", [[], ["--peer-python", "false"]])
def test_without_a_peer(folder, peer):
    result = CliRunner().invoke(bench.main, [str(folder), "--rounds", "1", *peer])
    assert result.exit_code == 0, result.output
    assert "tokens                           6.000" in result.output
    assert "embed, seconds " in result.output
    assert "TensorFlow, embeddings           skipped, it is not there" in result.output
    assert "transform, seconds " in result.output


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_with_a_peer(folder, tmp_path, monkeypatch, shift):
    """Files and figures as TensorFlow would leave them."""
    embedding = bench.embedding_for(TEXTS)

    def play(python, given, texts, out, rounds):
        matrix = given.embedding_matrix.numpy()
        tokens = "".join(f"{token}\n" for token in given.vocabulary)
        write_saved_model(out / "model", text_nodes(), tokens=tokens, tensors={KEY: matrix})
        np.save(out / "vectors.npy", given(texts).numpy() + np.float32(shift))
        return {"open": 4.0, "embed": 2.0}

    monkeypatch.setattr(bench, "run_peer", play)
    figures = bench.compare(TEXTS, "python", 1)
    assert torch.equal(embedding(TEXTS), bench.embed(embedding, TEXTS))
    assert figures["open, TensorFlow / ours"] == pytest.approx(4.0 / figures["open, seconds"])
    assert figures["embed, TensorFlow / ours"] == pytest.approx(2.0 / figures["embed, seconds"])
    assert float(figures["largest difference"]) == pytest.approx(shift, rel=0.1)


def test_what_the_peer_is_given(tmp_path):
    peer = tmp_path / "peer"
    keep = tmp_path / "given"
    keep.mkdir()
    peer.write_text(
        f'#!/bin/sh\n[ -d "$3" ] && cp "$3"/* {keep}\necho a warning\necho \'{{"open": 1, "embed": 2}}\'\n'
    )
    peer.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    embedding = bench.embedding_for(TEXTS)
    assert bench.run_peer(str(peer), embedding, TEXTS, out, 1) == {"open": 1, "embed": 2}
    assert json.loads((keep / "texts.json").read_text("utf-8")) == TEXTS
    assert (keep / "tokens.txt").read_text("utf-8").split("\n")[:-1] == embedding.vocabulary
    assert np.load(keep / "matrix.npy").shape == (len(embedding), 20)
    shutil.rmtree(keep)


def test_what_the_peer_runs_is_a_program():
    compile(bench.PEER, "peer", "exec")
