"""Coreference gathered for the reader, through the command that people type."""

import tarfile
from pathlib import Path

import pytest

from tiny_tasks import NUM_SENTENCES, conll_2012

ROW = "a 0 {} {} XX * - - - - * {}\n"


@pytest.fixture
def source(tmp_path) -> Path:
    """Two files a split, and one of another language."""
    for split in ("train", "development", "test"):
        for path in ("english/a.gold_conll", "english/b.gold_conll", "chinese/c.gold_conll"):
            target = tmp_path / "data" / split / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(conll_2012(), encoding="utf-8")
    return tmp_path / "data"


def document(*marks: str) -> str:
    rows = "".join(ROW.format(place, f"w{place}", mark) for place, mark in enumerate(marks))
    return f"#begin document (a); part 000\n{rows}\n#end document\n"


def test_all_files_of_a_split_become_one(run_script, source, tmp_path):
    done = run_script("prepare_coref.py", source, tmp_path / "out", "--only", "english")
    assert done.returncode == 0, done.stderr
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}
    assert written == dict.fromkeys(("train.gold_conll", "dev.gold_conll", "test.gold_conll"), conll_2012() * 2)
    documents, sentences = 2 * NUM_SENTENCES // 4, 2 * NUM_SENTENCES
    assert f"dev: {documents} documents, {sentences} sentences," in done.stdout
    assert f"{sentences} mentions, {documents} entities" in done.stdout


def test_a_tar_file_gives_the_same(run_script, source, tmp_path):
    with tarfile.open(tmp_path / "all.tar.xz", "w:xz") as archive:
        archive.add(source, "data")
    for name, out in ((source, "one"), (tmp_path / "all.tar.xz", "other")):
        done = run_script("prepare_coref.py", name, tmp_path / out)
        assert done.returncode == 0, done.stderr
    one, other = ((tmp_path / out / "dev.gold_conll").read_text("utf-8") for out in ("one", "other"))
    assert one == other == conll_2012() * 3


def test_allennlp_reads_it(run_script, source, tmp_path):
    pytest.importorskip("allennlp_models")
    from allennlp_models.coref.dataset_readers.conll import ConllCorefReader

    (source / "test" / "chinese" / "c.gold_conll").write_text(document("(1|(2", "2)", "(2)|1)"), encoding="utf-8")
    assert run_script("prepare_coref.py", source, tmp_path / "out", "--only", "chinese").returncode == 0
    (instance,) = ConllCorefReader(max_span_width=4).read(str(tmp_path / "out" / "test.gold_conll"))
    clusters = instance["metadata"]["clusters"]
    assert sorted(map(sorted, clusters)) == [[(0, 1), (2, 2)], [(0, 2)]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document("(1", "-"), "line 4: a mention must end in its sentence, got (1 open; mend the file"),
        (document("1)"), "line 2: a mention must begin in its sentence, got '1)' alone"),
        (document("1"), "line 2: a mention must be (7, 7) or (7), got '1'"),
        (document("(x)"), "line 2: a mention must be (7, 7) or (7), got '(x)'"),
        (document("-").replace("#end document\n", ""), "must end with #end document, got a document without it"),
        (
            document("-").replace("#end document\n", "") * 2,
            "line 4: #begin document and #end document must take turns",
        ),
        (ROW.format(0, "w", "-"), "line 1: a row must follow #begin document, got 'a 0 0 w"),
        (document("-").replace(" XX", ""), "line 2: a row must have 12 columns"),
    ],
)
def test_bad_files(refusal, source, tmp_path, text, message):
    (source / "test" / "english" / "b.gold_conll").write_text(text, encoding="utf-8")
    said = refusal("prepare_coref.py", source, tmp_path / "out")
    assert "test/english/b.gold_conll" in said
    assert message in said
    assert not (tmp_path / "out").exists()


def test_sources_without_files(refusal, source, tmp_path):
    said = refusal("prepare_coref.py", source, tmp_path / "out", "--only", "arabic")
    assert "SOURCE must have *gold_conll files below train, dev, development, test and arabic, got none in" in said
    assert "SOURCE must be a folder or a tar file" in refusal(
        "prepare_coref.py", tmp_path / "missing", tmp_path / "out"
    )


def test_the_novels(run_script, test_data, tmp_path):
    source = test_data / "data" / "coref_litbank" / "coref_litbank.tar.xz"
    done = run_script("prepare_coref.py", source, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    counts = "6,755 sentences, 169,456 tokens, 23,218 mentions, 6,344 entities"
    assert f"train: 80 documents, {counts}\n" in done.stdout
    assert "dev: 10 documents, 927 sentences, 20,438 tokens, 3,053 mentions, 776 entities\n" in done.stdout
