"""Semantic roles laid out for the reader, through the command that people type."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tiny_tasks import NUM_SENTENCES, conll_2012

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_srl.py"


def run_script(source, out, *options):
    command = [sys.executable, str(SCRIPT), str(source), str(out), *options]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def source(tmp_path) -> Path:
    """OntoNotes's layout: languages below the splits."""
    folder = tmp_path / "v4" / "data"
    for split in ("train", "development", "test"):
        for language in ("english", "chinese"):
            path = folder / split / "data" / language / "nw" / f"{split}_0001.v4_gold_conll"
            path.parent.mkdir(parents=True)
            path.write_text(conll_2012(), encoding="utf-8")
    (folder / "train" / "README").write_text("not data", encoding="utf-8")
    return folder


def test_the_files_of_each_split_are_copied(source, tmp_path):
    done = run_script(source, tmp_path / "out", "--only", "english")
    assert done.returncode == 0, done.stderr
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*_conll")}
    assert found == {
        f"{split}/data/english/nw/{name}_0001.v4_gold_conll"
        for split, name in {"train": "train", "dev": "development", "test": "test"}.items()
    }
    assert all((tmp_path / "out" / path).read_text("utf-8") == conll_2012() for path in found)
    tokens = sum(not line.startswith("#") for line in conll_2012().split("\n") if line)
    assert f"dev: 1 files, {NUM_SENTENCES} sentences, {tokens} tokens, {NUM_SENTENCES} predicates" in done.stdout


def test_a_tar_file_gives_the_same(source, tmp_path):
    with tarfile.open(tmp_path / "all.tar.xz", "w:xz") as archive:
        archive.add(source, "data")
    assert run_script(source, tmp_path / "one").returncode == 0
    done = run_script(tmp_path / "all.tar.xz", tmp_path / "other")
    assert done.returncode == 0, done.stderr
    one, other = (
        {path.relative_to(out): path.read_text("utf-8") for path in out.rglob("*_conll")}
        for out in (tmp_path / "one", tmp_path / "other")
    )
    assert one == other
    assert len(one) == 6


def test_a_few_sentences_come_from_every_file(source, tmp_path):
    done = run_script(source, tmp_path / "out", "--sentences", "9")
    assert done.returncode == 0, done.stderr
    assert "train: 2 files, 10 sentences" in done.stdout
    pytest.importorskip("allennlp_models")
    from allennlp_models.structured_prediction.dataset_readers.srl import SrlReader

    assert len(list(SrlReader().read(str(tmp_path / "out" / "train")))) == 10


def test_a_path_that_leaves_the_folder_is_no_part_of_a_split(tmp_path):
    (tmp_path / "evil").write_text(conll_2012(), encoding="utf-8")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "evil", "train/../../evil.gold_conll")
    done = run_script(tmp_path / "evil.tar", tmp_path / "out")
    assert done.returncode == 1
    assert "SOURCE must have *gold_conll files below train, dev or test, got none in" in done.stderr
    assert not list(tmp_path.rglob("evil.gold_conll"))


def test_what_is_wrong_is_said_in_one_line(source, tmp_path):
    def refusal(*arguments):
        done = run_script(*arguments)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "SOURCE must be a folder or a tar file" in refusal(tmp_path / "missing", tmp_path / "out")
    assert "below train, dev or test and arabic, got none" in refusal(source, tmp_path / "out", "--only", "arabic")
    assert "--sentences must be at least 1, got 0" in refusal(source, tmp_path / "out", "--sentences", "0")
    assert "OUT must be new, got" in refusal(source, tmp_path)
    bad = source / "test" / "bad.gold_conll"
    bad.write_text("a 0 0 Rain NN * - - - - * -\na 0 1 falls VBZ * - - - - -\n", encoding="utf-8")
    message = refusal(source, tmp_path / "out")
    assert "test/bad.gold_conll, line 2: a row must have 12 columns" in message
    assert "got 11; mend the file" in message
    bad.write_bytes(b"a 0 0 caf\xe9 NN * - - - - * -\n")
    assert "test/bad.gold_conll: text must be UTF-8" in refusal(source, tmp_path / "out2")


def test_the_roles_of_the_web_treebank(test_data, tmp_path):
    done = run_script(test_data / "data" / "srl_ewt" / "srl_ewt.tar.xz", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "train: 5 files, 12,512 sentences, 204,180 tokens, 40,427 predicates" in done.stdout
    assert "dev: 5 files, 1,964 sentences, 24,881 tokens, 4,961 predicates" in done.stdout
