"""The benchmark of the text vectoriser, with a peer that is played."""

import json

import pytest
from click.testing import CliRunner

import bench_vectorizer as bench


@pytest.fixture
def folder(tmp_path):
    for name, text in {"neg/0_1.txt": "Bad.<br />Bad!", "pos/0_9.txt": "good", "pos/1_9.txt": "fine"}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_texts(folder):
    assert bench.read_texts(folder, 2) == ["Bad.<br />Bad!", "good"]
    made_up = bench.read_texts(None, 3)
    assert len(set(made_up)) == 3
    assert all(50 < len(text.split()) < 1000 for text in made_up)


@pytest.mark.parametrize("peer", [[], ["--peer", "false"]])
def test_without_a_peer(folder, peer):
    result = CliRunner().invoke(bench.main, [str(folder), "--rounds", "1", *peer])
    assert result.exit_code == 0, result.output
    assert "texts                            3.000" in result.output
    assert "TensorFlow                       skipped, it is not there" in result.output


@pytest.mark.parametrize("equal", [True, False])
def test_with_a_peer(folder, tmp_path, equal):
    """A program that answers as TensorFlow's would."""
    digest = bench.measure_ours(bench.read_texts(folder, 3), 1)["digest"] if equal else "other"
    answer = json.dumps({"adapt": 2.0, "transform": 4.0, "digest": digest})
    peer = tmp_path / "peer"
    peer.write_text(f"#!/bin/sh\necho a warning\necho '{answer}'\n", encoding="utf-8")
    peer.chmod(0o755)
    arguments = [str(folder), "--rounds", "1", "--peer", str(peer), "--json", str(tmp_path / "figures.json")]
    assert CliRunner().invoke(bench.main, arguments).exit_code == 0
    figures = json.loads((tmp_path / "figures.json").read_text("utf-8"))
    assert figures["vocabulary and ids"] == ("equal" if equal else "differ")
    assert figures["adapt, TensorFlow / ours"] == pytest.approx(2.0 / figures["adapt, seconds"])
    assert figures["transform, TensorFlow's seconds"] == 4.0


def test_what_the_peer_runs_is_a_program():
    compile(bench.PEER, "peer", "exec")
