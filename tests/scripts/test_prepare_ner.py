"""Named entities in the columns that the reader reads, through the command that people type."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_ner.py"
TWO_COLUMNS = "Anna\tB-PER\nsees\tO\nNew York\tB-LOC\nCity\tI-LOC\n\nRain\tO\n"


def run_script(source, out):
    return subprocess.run([sys.executable, str(SCRIPT), str(source), str(out)], capture_output=True, text=True)


@pytest.fixture
def lay_out(tmp_path):
    """A folder with the same text for all splits, under the names given."""

    def lay_out(text: str, *names: str) -> Path:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        for name in names or ("train.tsv", "devel.tsv", "test.tsv"):
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return lay_out


def test_two_columns_become_four(lay_out, tmp_path):
    done = run_script(lay_out(TWO_COLUMNS), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    expected = "Anna - O B-PER\nsees - O O\nNew_York - O B-LOC\nCity - O I-LOC\n\nRain - O O\n"
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()} == {
        "train.txt": expected,
        "dev.txt": expected,
        "test.txt": expected,
    }
    assert "dev: 2 sentences, 5 tokens, 2 mentions" in done.stdout


def test_the_official_form(lay_out, tmp_path):
    text = "-DOCSTART- -X- O O\n\nAnna NNP I-NP I-PER\nBob NNP I-NP B-PER\nsees VBZ I-VP O\nRome NNP I-NP I-LOC\n"
    done = run_script(lay_out(text, "eng.train", "eng.testa", "eng.testb"), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    expected = "Anna NNP O B-PER\nBob NNP O B-PER\nsees VBZ O O\nRome NNP O B-LOC\n"
    assert (tmp_path / "out" / "dev.txt").read_text("utf-8") == expected


def test_a_mention_that_begins_with_i_begins_with_b(lay_out, tmp_path):
    text = "a\tI-X\nb\tI-X\nc\tI-Y\nd\tB-Y\ne\tO\nf\tI-Y\n"
    assert run_script(lay_out(text), tmp_path / "out").returncode == 0
    lines = (tmp_path / "out" / "train.txt").read_text("utf-8").splitlines()
    assert [line.split()[-1] for line in lines] == ["B-X", "I-X", "B-Y", "B-Y", "O", "B-Y"]


def test_allennlp_reads_it(lay_out, tmp_path):
    pytest.importorskip("allennlp")
    from allennlp.data.dataset_readers.conll2003 import Conll2003DatasetReader

    assert run_script(lay_out(TWO_COLUMNS), tmp_path / "out").returncode == 0
    reader = Conll2003DatasetReader(convert_to_coding_scheme="BIOUL")
    first, second = reader.read(str(tmp_path / "out" / "train.txt"))
    assert first["tags"].labels == ["U-PER", "O", "B-LOC", "L-LOC"]
    assert second["tags"].labels == ["O"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Anna\tB-PER\nsees\n", "train.tsv, line 2: a line must be a token first and a tag last"),
        (
            "Anna\tPER\n",
            "line 1: a line must be a token first and a tag last (O, B-type or I-type), got 'Anna\\tPER'",
        ),
        ("\tO\n", "line 1: a line must be a token first"),
        ("\n", "train must hold at least one sentence, got none in"),
    ],
)
def test_bad_lines(lay_out, tmp_path, text, message):
    done = run_script(lay_out(text), tmp_path / "out")
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_files_that_are_missing_or_ambiguous(lay_out, tmp_path):
    done = run_script(lay_out(TWO_COLUMNS, "train.tsv", "test.tsv"), tmp_path / "out")
    assert "one file for dev, called dev or devel or eng.testa, got none in" in done.stderr
    done = run_script(lay_out(TWO_COLUMNS, "dev.tsv", "devel.tsv"), tmp_path / "out")
    assert "got dev.tsv, devel.tsv in" in done.stderr


def test_the_chemicals_and_diseases(test_data, tmp_path):
    done = run_script(test_data / "data" / "ner" / "bc5cdr_typed", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert f"train: 4,560 sentences, 118,170 tokens, {5203 + 4182:,} mentions" in done.stdout
    assert f"test: 4,797 sentences, 124,750 tokens, {5385 + 4424:,} mentions" in done.stdout
