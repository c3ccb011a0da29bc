"""SQuAD checked and placed, through the command that people type."""

import gzip
import json
from pathlib import Path

import pytest

from tiny_tasks import NUM_SENTENCES, questions


@pytest.fixture
def source(tmp_path):
    """Write a file, with the first paragraph changed."""

    def write(change=lambda paragraph: None) -> Path:
        content = json.loads(questions())
        change(content["data"][0]["paragraphs"][0])
        path = tmp_path / "in.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def answer_of(paragraph: dict) -> dict:
    return paragraph["qas"][0]["answers"][0]


def test_a_file_is_placed_as_it_is(run_script, source, tmp_path):
    packed, out = tmp_path / "in.json.gz", tmp_path / "data" / "train-v1.1.json"
    packed.write_bytes(gzip.compress(source().read_bytes()))
    for path in (source(), packed):
        done = run_script("prepare_squad.py", path, out)
        assert done.returncode == 0, done.stderr
        assert json.loads(out.read_text("utf-8")) == json.loads(questions())
    each = f"{NUM_SENTENCES} paragraphs, {NUM_SENTENCES} questions, {NUM_SENTENCES} answers, 0 answers moved"
    assert done.stdout == f"{out}: 1 articles, {each}\n"


@pytest.mark.parametrize(("given", "place"), [(0, 2), (2, 2), (3, 2), (9, 8), (11, 13), (99, 13)])
def test_an_answer_moves_to_its_nearest_place(run_script, source, tmp_path, given, place):
    def change(paragraph):
        paragraph["context"] = "a rain  rain rain."  # at 2, 8 and 13
        answer_of(paragraph).update(text="rain", answer_start=given)

    done = run_script("prepare_squad.py", source(change), tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    assert f"{int(given != place)} answers moved" in done.stdout
    paragraph = json.loads((tmp_path / "out.json").read_text("utf-8"))["data"][0]["paragraphs"][0]
    assert answer_of(paragraph)["answer_start"] == place


def test_allennlp_reads_it(run_script, source, tmp_path):
    pytest.importorskip("allennlp_models")
    from allennlp.data.tokenizers import LettersDigitsTokenizer
    from allennlp_models.rc.dataset_readers.squad import SquadReader

    def change(paragraph):
        answer_of(paragraph)["answer_start"] = 0

    assert run_script("prepare_squad.py", source(change), tmp_path / "out.json").returncode == 0
    instances = list(SquadReader(LettersDigitsTokenizer()).read(str(tmp_path / "out.json")))
    assert len(instances) == NUM_SENTENCES
    first = instances[0]
    words = first["passage"].tokens[first["span_start"].sequence_index : first["span_end"].sequence_index + 1]
    assert " ".join(map(str, words)) == first["metadata"]["answer_texts"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: answer_of(p).update(text="hail"),
            "an answer must stand in its paragraph, got 'hail' for 'What does",
        ),
        (lambda p: answer_of(p).update(text=""), "an answer must stand in its paragraph, got ''"),
        (lambda p: p["qas"][0].update(answers=[]), "every question must have an answer, got none for 'What does"),
        (lambda p: p["qas"][0].update(is_impossible=True), "name a file of SQuAD 1.1, not 2.0"),
        (lambda p: p.pop("context"), "an article must have context, qas, question, answers as SQuAD 1.1, got none"),
        (lambda p: answer_of(p).pop("text"), "an article must have context, qas"),
        (lambda p: p.update(qas=None), "an article must have context, qas"),
    ],
)
def test_bad_paragraphs(refusal, source, tmp_path, change, message):
    assert message in refusal("prepare_squad.py", source(change), tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    "content", ["", "[1]", "{}", '{"data": []}', '{"data": [{"paragraphs": []}]}', '{"data": 3}']
)
def test_other_files(refusal, tmp_path, content):
    (tmp_path / "in.json").write_text(content, encoding="utf-8")
    said = refusal("prepare_squad.py", tmp_path / "in.json", tmp_path / "out.json")
    assert 'SOURCE must be JSON with "data" and "paragraphs" as SQuAD' in said
    assert "cannot read" in refusal("prepare_squad.py", tmp_path / "missing.json", tmp_path / "out.json")


def test_the_development_part(run_script, test_data, tmp_path):
    done = run_script("prepare_squad.py", test_data / "data" / "squad" / "dev-v1.1.json.gz", tmp_path / "dev.json")
    assert done.returncode == 0, done.stderr
    assert "48 articles, 2,067 paragraphs, 10,570 questions, " in done.stdout
    assert ", 0 answers moved" in done.stdout
