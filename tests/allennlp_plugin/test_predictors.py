"""Predictions for sentences that are tokenised already, through `allennlp predict` and from Python."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("allennlp")

from allennlp.commands import main
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.plugins import import_plugins
from allennlp.data.tokenizers import Token
from allennlp.predictors import Predictor
from allennlp_models.structured_prediction.predictors.srl import SemanticRoleLabelerPredictor

from pytorch_elmo.allennlp_plugin import registration
from pytorch_elmo.allennlp_plugin.predictors import bracketed
from pytorch_elmo.errors import TextError
from tiny_tasks import NUM_SENTENCES, TASKS, write

CONFIGS = Path(__file__).parents[2] / "configs"
SENTENCE = ["the", "sailor", "sees", "a", "ship"]
SHORT = ["rain", "moves", "Bergen"]
SIZES = {
    "WIDTH": "12",
    "LAYERS": "1",
    "EPOCHS": "12",
    "BATCH_SIZE": "4",
    "SRL_SCORER": "none",
    "WORD_VECTORS_DIM": "6",
    "WORD_VECTORS": "",
}
QUICK = {  # what learns these few sentences by heart in seconds
    "srl": {"trainer.cuda_device": -1},
    "ner": {"trainer.cuda_device": -1, "trainer.optimizer.lr": 0.03, "model.dropout": 0.0},
}


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Train a model of a task once; returns its archive and its data."""
    folder = tmp_path_factory.mktemp("archives")
    models: dict[str, tuple[Path, Path]] = {}

    def archive(task: str) -> tuple[Path, Path]:
        if task not in models:
            data = write(task, folder)
            variables = {**SIZES, "TRAIN_DATA_PATH": str(data), "VALIDATION_DATA_PATH": str(data)}
            with pytest.MonkeyPatch.context() as patch:
                # AllenNLP leaves the handlers and the open files of its logs behind.
                patch.setattr("allennlp.common.logging.prepare_global_logging", lambda *_, **__: nullcontext())
                import_plugins()
                params = Params.from_file(CONFIGS / f"{task}.jsonnet", QUICK[task], variables)
                train_model(params, folder / task)
            models[task] = folder / task / "model.tar.gz", data
        return models[task]

    return archive


@pytest.fixture(scope="module")
def roles(archives):
    """The predictor of roles, from Python."""
    return Predictor.from_path(str(archives("srl")[0]), "srl_from_tokens")


@pytest.fixture
def predict(archives, tmp_path, monkeypatch):
    """Run `allennlp predict` on the lines or the file given; returns what it wrote."""

    def predict(task: str, predictor: str, lines: list[dict] | Path, *options: str) -> list[dict]:
        archive, _ = archives(task)
        source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        if isinstance(lines, Path):
            source = lines
        else:
            source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        arguments = ["predict", str(archive), str(source), "--predictor", predictor, "--output-file", str(out)]
        monkeypatch.setattr("sys.argv", ["allennlp", *arguments, "--silent", *options])
        main()
        return [json.loads(line) for line in out.read_text("utf-8").splitlines() if line.strip()]

    return predict


def test_they_come_with_the_plug_in():
    assert "predictors" in registration.MODULES


@pytest.mark.parametrize("batch_size", [1, 8])
def test_roles_of_the_verbs_that_are_named(predict, batch_size):
    lines = [
        {"tokens": SENTENCE, "verbs": [2]},
        {"tokens": SHORT, "verbs": []},
        {"tokens": SHORT, "verbs": [1, 0]},
    ]
    first, none, two = predict("srl", "srl_from_tokens", lines, "--batch-size", str(batch_size))
    assert first["words"] == SENTENCE
    (frame,) = first["verbs"]
    assert frame["verb"] == "sees"
    assert frame["tags"] == ["B-ARG0", "I-ARG0", "B-V", "B-ARG1", "I-ARG1"]
    assert frame["description"] == "[ARG0: the sailor] [V: sees] [ARG1: a ship]"
    assert none == {"words": SHORT, "verbs": []}
    assert [frame["verb"] for frame in two["verbs"]] == ["moves", "rain"]
    assert two["verbs"][0]["description"] == "[ARG0: rain] [V: moves] [ARG1: Bergen]"


def test_roles_of_a_file_of_the_task(predict, archives):
    _, data = archives("srl")
    frames = predict("srl", "srl_from_tokens", data, "--use-dataset-reader", "--batch-size", "7")
    assert len(frames) == NUM_SENTENCES
    assert all(len(frame["verbs"]) == 1 for frame in frames)
    assert all("ARG0" in frame["verbs"][0]["description"] for frame in frames)


def test_gold_tags_that_the_model_has_never_seen(predict, archives, tmp_path):
    for task, predictor, known in (("srl", "srl_from_tokens", "ARG0"), ("ner", "tagger_from_tokens", "PER")):
        data = tmp_path / task / "other.gold_conll"
        data.parent.mkdir()
        text = TASKS[task]()
        assert known in text
        data.write_text(text.replace(known, "NEW"), encoding="utf-8")
        path = data.parent if task == "srl" else data
        for batch_size in ("1", "8"):
            found = predict(task, predictor, path, "--use-dataset-reader", "--batch-size", batch_size)
            assert len(found) == NUM_SENTENCES
            assert known in json.dumps(found)


def test_a_sentence_of_the_reader_without_a_verb_has_no_frame(roles):
    plain = roles._dataset_reader.text_to_instance(list(map(Token, SHORT)), [0, 0, 0])
    assert roles.predict_instance(plain) == {"words": SHORT, "verbs": []}


def test_tags(predict):
    lines = [{"tokens": SENTENCE}, {"tokens": SHORT}]
    tagged = predict("ner", "tagger_from_tokens", lines, "--batch-size", "2")
    assert [line["words"] for line in tagged] == [SENTENCE, SHORT]
    assert [len(line["tags"]) for line in tagged] == [5, 3]
    assert tagged[0].keys() == {"words", "tags"}
    assert tagged[1]["tags"] == ["U-PER", "O", "U-LOC"]


def test_tags_of_a_file_of_the_task(predict, archives):
    _, data = archives("ner")
    tagged = predict("ner", "tagger_from_tokens", data, "--use-dataset-reader", "--batch-size", "5")
    assert len(tagged) == NUM_SENTENCES
    assert all(len(line["words"]) == len(line["tags"]) for line in tagged)


def test_from_python(archives, roles):
    assert roles.predict(SHORT, [1])["verbs"][0]["verb"] == "moves"
    tagger = Predictor.from_path(str(archives("ner")[0]), "tagger_from_tokens")
    assert tagger.predict(SHORT)["words"] == SHORT


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({}, r'a line must have "tokens", a list of words that are not empty, got \{\}; write for instance'),
        ({"tokens": "Rain falls", "verbs": []}, 'must have "tokens", a list'),
        ({"tokens": [], "verbs": []}, 'must have "tokens", a list'),
        ({"tokens": ["Rain", ""], "verbs": [0]}, 'must have "tokens", a list'),
        ({"tokens": SHORT}, 'must have "verbs", a list of places in its 3 tokens counted from 0, got .*write for'),
        ({"tokens": SHORT, "verbs": [3]}, 'must have "verbs"'),
        ({"tokens": SHORT, "verbs": [-1]}, 'must have "verbs"'),
        ({"tokens": SHORT, "verbs": ["moves"]}, 'must have "verbs"'),
        ({"tokens": SHORT, "verbs": [True]}, 'must have "verbs"'),
        ({"tokens": SHORT * 40, "verbs": 1}, r"got \{'tokens'.*\.\.\.; write"),
    ],
)
def test_bad_lines(roles, line, message):
    with pytest.raises(TextError, match=message):
        roles.predict_json(line)
    with pytest.raises(TextError, match=message):
        roles.load_line(json.dumps(line))  # where `allennlp predict` still knows the line's number


@pytest.mark.parametrize(
    "tags",
    ["B-ARG0 I-ARG0 B-V B-ARG1 I-ARG1", "O O B-V O O", "O B-V B-V I-V O", "B-A O B-A I-A B-V", "O O O O O"],
)
def test_the_description_is_allennlps(tags):
    expected = SemanticRoleLabelerPredictor.make_srl_string(SENTENCE, tags.split())
    assert bracketed(SENTENCE, tags.split()) == expected
