"""`elmo perplexity` and `elmo score`: figures, inputs, and what is refused in one line."""

import gzip
import json
import math
import re
import shutil
from pathlib import Path

import pytest

from pytorch_elmo.pretrained.model_files import SOFTMAX_FILE
from pytorch_elmo.pretraining.evaluate import evaluate_perplexity
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.language_model import load_language_model
from pytorch_elmo.weights.own_format import save_bilm, save_softmax
from small_runs import Listener

SENTENCES = ["the old boat left .", "a zebra at sea", "noon", "the storm left the harbour café ."]


@pytest.fixture
def texts(folder) -> list[Path]:
    """Two texts, three sentences and one."""
    paths = [Path("one.txt"), Path("two.txt")]
    for path, lines in zip(paths, (SENTENCES[:3], SENTENCES[3:]), strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return paths


@pytest.fixture
def model(folder, small_model_folder) -> Path:
    """A folder as `elmo pretrain` leaves one, with the committed model in it."""
    parts = load_language_model(small_model_folder, small_model_folder.parent / "vocabulary.txt")
    model = Path("model")
    model.mkdir()
    save_bilm(parts.bilm, model / "bilm.safetensors")
    save_softmax(parts.softmax, parts.vocabulary, model / SOFTMAX_FILE)
    return model


@pytest.fixture
def allennlp_model(small_model_folder) -> tuple:
    """The same model as AllenNLP's files, and the option that names its words."""
    return small_model_folder, "--vocabulary", small_model_folder.parent / "vocabulary.txt"


def rows_of(table: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in table.splitlines()}


def test_words_beside_an_hdf5_softmax_are_found(run_elmo, model, texts):
    """As `elmo convert` leaves them."""
    assert run_elmo("convert", model, "converted", "--to", "allennlp", "-q").code == 0
    assert run_elmo("perplexity", "converted", *texts, "-q") == run_elmo("perplexity", model, *texts, "-q")


def test_a_table_of_every_text_and_all(run_elmo, model, texts):
    ended = run_elmo("perplexity", model, *texts, "-q")
    assert (ended.code, ended.err) == (0, "")
    rows = rows_of(ended.out)
    assert rows["text"] == ["sentences", "tokens", "OOV", "forward", "backward", "both"]
    expected = evaluate_perplexity(*load_language_model(model), [line.split() for line in SENTENCES[:3]])
    assert rows["one.txt"][:3] == ["3", "10", "10.00%"]
    assert rows["one.txt"][3:5] == [f"{expected.forward:.2f}", f"{expected.backward:.2f}"]
    assert rows["two.txt"][:3] == ["1", "7", "0.00%"]
    assert rows["total"][:3] == ["4", "17", "5.88%"]
    assert len({len(line) for line in ended.out.splitlines()}) == 1


def test_json_and_one_text_without_a_total_line(run_elmo, model, texts):
    assert "total" not in run_elmo("perplexity", model, texts[0], "-q").out
    found = json.loads(run_elmo("perplexity", model, *texts, "--json", "-q").out)
    assert (found["model"], found["state"]) == ("model", "start")
    assert [text["text"] for text in found["texts"]] == ["one.txt", "two.txt"]
    all_lines = evaluate_perplexity(*load_language_model(model), [line.split() for line in SENTENCES])
    for name in ("forward", "backward", "both", "unknown_rate", "num_sentences", "num_tokens", "num_unknown"):
        assert found["total"][name] == pytest.approx(getattr(all_lines, name), rel=1e-5)


def test_scores_add_up_to_the_perplexity(run_elmo, model, texts):
    for state in ("start", "zeros", "bilm-tf", "allennlp"):
        how = ("--state", state, "--batch-size", 2, "-q")
        found = json.loads(run_elmo("perplexity", model, texts[0], "--json", *how).out)["total"]
        ended = run_elmo("score", model, texts[0], *how)
        assert ended.code == 0
        rows = [json.loads(line) for line in ended.out.splitlines()]
        num_predictions = sum(len(row["tokens"]) + 1 for row in rows)
        for way, mark in (("forward", "forward_end"), ("backward", "backward_begin")):
            total = sum(sum(row[way]) + row[mark] for row in rows)
            assert math.exp(-total / num_predictions) == pytest.approx(found[way], rel=1e-5)


def test_what_a_line_of_scores_says(run_elmo, model, texts):
    ended = run_elmo("score", model, texts[0], "-q")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["sentence"] for row in rows] == [0, 1, 2]
    assert [row["tokens"] for row in rows] == [line.split() for line in SENTENCES[:3]]
    assert [row["unknown"] for row in rows] == [[], [1], []]
    for row in rows:
        assert len(row["forward"]) == len(row["backward"]) == len(row["tokens"])
        assert max([*row["forward"], *row["backward"], row["forward_end"], row["backward_begin"]]) < 0


def test_a_softmax_in_hdf5_gives_the_same_lines(run_elmo, model, allennlp_model, texts):
    """Both formats hold the same numbers."""
    assert run_elmo("score", *allennlp_model, texts[0], "-q") == run_elmo("score", model, texts[0], "-q")


@pytest.mark.parametrize("command", ["perplexity", "score"])
def test_the_inputs_of_embed_to_hdf5(run_elmo, model, texts, command):
    plain = run_elmo(command, model, "one.txt", "-q").out
    Path("one.txt.gz").write_bytes(gzip.compress(Path("one.txt").read_bytes()))
    Path("one.jsonl").write_text("".join(json.dumps({"body": line}) + "\n" for line in SENTENCES[:3]), "utf-8")
    Path("blank.txt").write_text("\n", encoding="utf-8")
    for name, more in (("one.txt.gz", ()), ("one.jsonl", ("--field", "body"))):
        out = run_elmo(command, model, name, "-q", *more).out
        assert out.replace(name, "one.txt").split() == plain.split()
    ended = run_elmo(command, model, "blank.txt", "-q", "--blank-lines", "empty")
    assert ended.code == 0
    assert "blank.txt" in ended.out if command == "perplexity" else '"tokens": []' in ended.out


def test_prose(run_elmo, model, folder):
    Path("prose.txt").write_text("The old boat left. Noon! Was it the sea?\n", encoding="utf-8")
    rows = [
        json.loads(line) for line in run_elmo("score", model, "prose.txt", "--tokenizer", "moses").out.splitlines()
    ]
    assert [len(row["tokens"]) for row in rows] == [5, 2, 5]


def refused(ended, code: int, message: str) -> None:
    assert ended.code == code
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1, ended.err
    assert re.search(message, ended.err), ended.err


@pytest.mark.parametrize("command", ["perplexity", "score"])
class TestRefused:
    def test_a_model_without_a_softmax(self, run_elmo, model, texts, command):
        (model / SOFTMAX_FILE).unlink()
        message = f"elmo {command}: error: model has no softmax, so it predicts no words; take `default`, the folder"
        refused(run_elmo(command, model, texts[0], "-q"), 1, message)

    def test_a_published_model_is_not_fetched_in_vain(self, run_elmo, texts, command, monkeypatch):
        monkeypatch.setenv("PYTORCH_ELMO_CACHE", "cache")
        refused(run_elmo(command, "original", texts[0], "-q"), 1, "original has no softmax")
        assert not Path("cache").exists()

    def test_a_softmax_without_words(self, run_elmo, allennlp_model, texts, command):
        message = (
            "softmax_weights.hdf5 does not say which words it predicts; name the vocabulary .* --vocabulary FILE"
        )
        refused(run_elmo(command, allennlp_model[0], texts[0], "-q"), 2, message)

    def test_a_vocabulary_too_many(self, run_elmo, model, allennlp_model, texts, command):
        message = r"softmax\.safetensors has its own vocabulary, .*vocabulary\.txt was given beside it; leave it out"
        refused(run_elmo(command, model, *allennlp_model[1:], texts[0], "-q"), 2, message)

    def test_another_vocabulary(self, run_elmo, allennlp_model, texts, command):
        Vocabulary(["<S>", "</S>", "<UNK>", "boat"]).save(Path("other.txt"))
        message = r"predicts 16 words, the vocabulary other\.txt has 4; give the one that the model was trained with"
        ended = run_elmo(command, allennlp_model[0], "--vocabulary", "other.txt", texts[0], "-q")
        refused(ended, 1, message)

    def test_the_softmax_of_another_model(self, run_elmo, allennlp_model, texts, command):
        golden = allennlp_model[0].parent
        mixed = shutil.copytree(golden / "clipped", "mixed")
        shutil.copy(golden / "deep" / "softmax_weights.hdf5", mixed)
        message = "reads vectors of 4 numbers, the biLM beside it gives 5; put a model's own softmax beside it"
        refused(run_elmo(command, mixed, *allennlp_model[1:], texts[0], "-q"), 1, message)

    def test_blank_lines(self, run_elmo, model, folder, command):
        Path("blank.txt").write_text("the boat\n\n", encoding="utf-8")
        message = r"blank\.txt: a line must hold a sentence, line\(s\) 2 are blank"
        refused(run_elmo(command, model, "blank.txt", "-q"), 1, message)

    def test_a_gpu_that_is_not_there(self, run_elmo, model, texts, command):
        message = "device is cpu, cuda or cuda:N, got 'gpu'"
        refused(run_elmo(command, model, texts[0], "-q", "--device", "gpu"), 2, message)


def test_an_empty_text(run_elmo, model, folder):
    Path("empty.txt").touch()
    message = r"empty\.txt: a text must hold at least one sentence, got none; leave it out"
    refused(run_elmo("perplexity", model, "empty.txt", "-q"), 1, message)
    assert run_elmo("score", model, "empty.txt", "-q").out == ""


@pytest.mark.parametrize("command", ["perplexity", "score"])
def test_progress_has_an_end_in_sight(run_elmo, model, texts, command, monkeypatch):
    listener = Listener()
    monkeypatch.setattr(f"pytorch_elmo.commands.{command}.make_progress", lambda **_: listener)
    assert run_elmo(command, model, texts[0]).code == 0
    assert listener.totals == [None, 10]  # how many sentences a text has is not known before it is read
    assert listener.finished == 2
