"""Constituency trees a line, through the command that people type."""

import lzma
from pathlib import Path

import pytest

pytest.importorskip("nltk")

from tiny_tasks import NUM_SENTENCES, trees

PENN = """
( (S
    (NP-SBJ-1 (NNP Rain) )
    (VP (VBZ seems)
      (S
        (NP-SBJ (-NONE- *-1) )
        (VP (TO to) (VP (VB fall) (-LRB- -LRB-) (ADVP|RB=2 (RB soon)) (-RRB- -RRB-)))))
    (. .) ))
( (NP (-NONE- *T*) ))
( (INTJ (UH Well)) (. .))
"""
PLAIN = [
    "(TOP (S (NP (NNP Rain)) (VP (VBZ seems) (S (VP (TO to) (VP (VB fall) (-LRB- -LRB-) (ADVP (RB soon)) "
    "(-RRB- -RRB-))))) (. .)))",
    "(TOP (X (INTJ (UH Well)) (. .)))",
]


@pytest.fixture
def lay_out(tmp_path):
    """A folder with the same trees for all splits, under the names given."""

    def lay_out(text: str, *names: str) -> Path:
        for name in names or ("train.txt", "dev.txt", "test.txt"):
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(lzma.compress(text.encode("utf-8")) if path.suffix == ".xz" else text.encode("utf-8"))
        return tmp_path / "source"

    return lay_out


def written(folder: Path, split: str) -> list[str]:
    return (folder / "out" / f"{split}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("ending", [".txt", ".txt.xz"])
def test_trees_a_line_stay_as_they_are(run_script, lay_out, tmp_path, ending):
    source = lay_out(trees(), *(f"{split}{ending}" for split in ("train", "devel", "test")))
    done = run_script("prepare_trees.py", source, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert [written(tmp_path, split) for split in ("train", "dev", "test")] == [trees().splitlines()] * 3
    assert f"dev: {NUM_SENTENCES} trees, " in done.stdout


def test_the_penn_treebank(run_script, lay_out, tmp_path):
    source = lay_out(PENN, *(f"{section:02}/wsj_{section:02}{i}.mrg" for section in range(25) for i in (1, 2)))
    done = run_script("prepare_trees.py", source, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert written(tmp_path, "dev") == written(tmp_path, "test") == PLAIN * 2
    assert written(tmp_path, "train") == PLAIN * 40
    assert "train: 80 trees, 400 tokens" in done.stdout


def test_allennlp_reads_it(run_script, lay_out, tmp_path):
    pytest.importorskip("allennlp_models")
    from allennlp_models.structured_prediction import PennTreeBankConstituencySpanDatasetReader

    assert run_script("prepare_trees.py", lay_out(PENN), tmp_path / "out").returncode == 0
    first, second = PennTreeBankConstituencySpanDatasetReader().read(str(tmp_path / "out" / "dev.txt"))
    assert " ".join(map(str, first["tokens"].tokens)) == "Rain seems to fall -LRB- soon -RRB- ."
    assert " ".join(map(str, second["tokens"].tokens)) == "Well ."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "(TOP (NN a))\n\n(TOP (S (NN a))\n(TOP (NN b))\n",
            "dev.txt, line 3: a tree must have as many ) as (, got 1",
        ),
        ("(TOP (NN a))) (\n", "dev.txt, line 1: one tree must begin on a line, got '(TOP (NN a))) ('"),
        ("(TOP (NN a)) (TOP (NN b))\n", "dev.txt, line 1: one tree must begin on a line"),
        ("no brackets\n", "dev.txt, line 1: one tree must begin on a line, got 'no brackets'"),
        ("(TOP (-NONE- *))\n", "dev must hold at least one tree, got none in"),
    ],
)
def test_bad_files(refusal, lay_out, tmp_path, text, message):
    lay_out(trees())
    assert message in refusal("prepare_trees.py", lay_out(text, "dev.txt"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_are_missing(refusal, lay_out, tmp_path):
    said = refusal("prepare_trees.py", lay_out(trees(), "train.txt", "test.txt"), tmp_path / "out")
    assert "one file for dev, called dev or devel" in said
    said = refusal("prepare_trees.py", lay_out(trees(), "02/a.mrg", "22/a.mrg"), tmp_path / "out")
    assert "SOURCE must have files NN/*.mrg of the sections 23 to 23 for test, got none in" in said


def test_the_trees_of_the_web_treebank(run_script, test_data, tmp_path):
    done = run_script("prepare_trees.py", test_data / "data" / "ewt_trees", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "train: 12,512 trees, 204,180 tokens" in done.stdout
    assert "dev: 1,964 trees, 24,881 tokens" in done.stdout
