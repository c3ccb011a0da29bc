"""The command: text files in, a table and a JSON file out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ngram_baselines

SCRIPT = Path(__file__).parents[2] / "scripts" / "ngram_baselines.py"


@pytest.fixture
def folder(tmp_path):
    """Files whose ids make the corpus that test_ngram_models.py works out by hand."""
    (tmp_path / "vocabulary.txt").write_text("<S>\n</S>\n<UNK>\na\nb\n", encoding="utf-8")
    (tmp_path / "train1.txt").write_text("a b\n", encoding="utf-8")
    (tmp_path / "train2.txt").write_text("a\n", encoding="utf-8")
    (tmp_path / "seen.txt").write_text("a b\na\n", encoding="utf-8")
    (tmp_path / "unseen.txt").write_text("b zebra\n", encoding="utf-8")
    return tmp_path


def run_main(folder, monkeypatch, *arguments):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["ngram_baselines.py", "--vocabulary", "vocabulary.txt", *arguments])
    ngram_baselines.main()


def test_the_command_measures_each_file_with_each_model(folder):
    command = [sys.executable, str(SCRIPT), "--vocabulary", "vocabulary.txt", "--train", "train1.txt", "train2.txt"]
    command += ["--heldout", "seen.txt", "unseen.txt", "--json", "results.json"]
    printed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))

    assert results["train"] == {"files": ["train1.txt", "train2.txt"], "sentences": 2, "tokens": 3, "oov_rate": 0.0}
    assert results["vocabulary"]["tokens"] == 5
    assert results["discounts_of_orders_1_2_3"] == {
        "forward": [[0.5, 1.0, 1.5]] * 3,
        "backward": [[0.5, 1.0, 1.5]] * 3,
    }
    seen, unseen = results["heldout"]
    assert (seen["file"], seen["sentences"], seen["tokens"], seen["oov_rate"]) == ("seen.txt", 2, 3, 0.0)
    assert (unseen["file"], unseen["sentences"], unseen["tokens"], unseen["oov_rate"]) == ("unseen.txt", 1, 2, 0.5)
    # Probabilities from the hand-worked corpus; seen.txt is five predictions, unseen.txt three.
    forward = (5 / 8 * 7 / 16 * 27 / 32 * 5 / 8 * 15 / 32) ** (-1 / 5)
    assert seen["perplexity"]["trigram_forward"] == pytest.approx(forward, rel=1e-12)
    assert seen["perplexity"]["unigram"] == pytest.approx(
        (3 / 9 * 2 / 9 * 3 / 9 * 3 / 9 * 3 / 9) ** (-1 / 5), rel=1e-12
    )
    assert unseen["perplexity"]["trigram_forward"] == pytest.approx((1 / 8 * 1 / 16 * 3 / 8) ** (-1 / 3), rel=1e-12)
    # Backward "a": p(a|</S>) = 1/4 + 1/2 * 3/8 = 7/16; p(<S>|</S> a) = 1/2 + 1/2 * 5/8 = 13/16.
    backward = (3 / 8 * 27 / 32 * 13 / 16 * 7 / 16 * 13 / 16) ** (-1 / 5)
    assert seen["perplexity"]["trigram_backward"] == pytest.approx(backward, rel=1e-12)

    assert len(printed.splitlines()) == 3
    assert printed.splitlines()[2].split()[:4] == ["unseen.txt", "2", "50.00%", "5.0"]


@pytest.mark.parametrize("line", ["", "a <S> b", "</S>"])
def test_blank_lines_and_boundaries_are_refused_by_number(folder, monkeypatch, line):
    (folder / "train2.txt").write_text(f"a\n{line}\nb\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"train2\.txt, line 2: a line must hold a sentence .* got .*; remove"):
        run_main(folder, monkeypatch, "--train", "train1.txt", "train2.txt", "--heldout", "seen.txt")


def test_an_empty_file_is_refused(folder, monkeypatch):
    (folder / "seen.txt").write_bytes(b"")
    with pytest.raises(
        SystemExit, match=r"seen\.txt: a text must hold at least one sentence, got an empty file; leave"
    ):
        run_main(folder, monkeypatch, "--train", "train1.txt", "--heldout", "seen.txt")


def test_text_that_is_not_utf8_is_refused_by_number(folder, monkeypatch):
    (folder / "seen.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(
        SystemExit, match=r"seen\.txt, line 2: text must be UTF-8, got invalid start byte; convert it"
    ):
        run_main(folder, monkeypatch, "--train", "train1.txt", "--heldout", "seen.txt")


def test_a_vocabulary_that_begins_otherwise_is_refused(folder, monkeypatch):
    (folder / "vocabulary.txt").write_text("</S>\n<S>\n<UNK>\na\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="must begin with <S>, </S>, <UNK>, got </S>, <S>, <UNK>; put them first"):
        run_main(folder, monkeypatch, "--train", "train1.txt", "--heldout", "seen.txt")
