"""Any table or data set as data for `allennlp train`, its columns named in the configuration."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("allennlp")

from allennlp.commands import main
from allennlp.common import Params
from allennlp.common.plugins import import_plugins
from allennlp.data import DatasetReader
from allennlp.data.data_loaders import MultiProcessDataLoader

from pytorch_elmo.allennlp_plugin import registration
from pytorch_elmo.allennlp_plugin.dataset_readers import DatasetClassificationReader, DatasetTaggingReader
from pytorch_elmo.errors import ConfigurationError, TextError
from tiny_tasks import NUM_SENTENCES, clauses

datasets = pytest.importorskip("datasets")

LABELS = ["calm", "wild"]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def labelled() -> list[dict]:
    """Sentences whose class is told by their verb."""
    return [
        {"id": i, "words": [*subject, verb, *goal], "mood": int(verb in ("moves", "finds"))}
        for i, (subject, verb, goal) in enumerate(clauses())
    ]


def tagged() -> list[dict]:
    return [
        {
            "words": [*subject, verb, *goal],
            "ner": [1, *[2] * (len(subject) - 1), 0, 3, *[4] * (len(goal) - 1)],
        }
        for subject, verb, goal in clauses()
    ]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """A folder of its own, with a cache of its own; AllenNLP leaves the open files of its logs behind."""
    import_plugins()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    for command in ("common.logging", "commands.evaluate"):
        monkeypatch.setattr(
            f"allennlp.{command}.prepare_global_logging", lambda *_, **__: nullcontext(), raising=False
        )
    return tmp_path


@pytest.fixture
def elmo(small_model_folder) -> dict:
    """What of a configuration takes ELMo's vectors, of size 10."""
    files = {name: str(small_model_folder / f"{file}") for name, file in FILES.items()}
    return {"token_embedders": {"elmo": {"type": "elmo_token_embedder", "dropout": 0.0, **files}}}


FILES = {"options_file": "options.json", "weight_file": "weights.hdf5"}


@pytest.fixture
def allennlp(monkeypatch):
    """Run a command of AllenNLP in this process: starting Python costs more than all that it does."""

    def run(*arguments: str) -> None:
        monkeypatch.setattr("sys.argv", ["allennlp", *arguments])
        main()

    return run


@pytest.fixture
def trained(allennlp):
    """Train by the command on a configuration and evaluate on some data; returns the metrics."""

    def train(config: dict, data: str) -> dict:
        trainer = {"num_epochs": 8, "optimizer": {"type": "adam", "lr": 0.05}, "cuda_device": -1}
        loader = {"batch_size": 4, "shuffle": True}
        Path("config.json").write_text(json.dumps({**config, "data_loader": loader, "trainer": trainer}), "utf-8")
        allennlp("train", "config.json", "-s", "out")
        allennlp("evaluate", "out/model.tar.gz", data, "--output-file", "metrics.json")
        metrics: dict = json.loads(Path("metrics.json").read_text("utf-8"))
        return metrics

    return train


def save_splits(folder: str) -> None:
    """Tokens and a class a row, with a train and a dev split."""
    features = datasets.Features(
        {
            "id": datasets.Value("int32"),
            "words": [datasets.Value("string")],
            "mood": datasets.ClassLabel(names=LABELS),
        }
    )
    rows = datasets.Dataset.from_list(labelled(), features)
    datasets.DatasetDict(train=rows, dev=rows.select(range(8))).save_to_disk(folder)


def classifier(elmo: dict, data: str) -> dict:
    return {
        "dataset_reader": {
            "type": "dataset_classification",
            "text_column": "words",
            "label_column": "mood",
            # The classifier wants word ids too.
            "token_indexers": {"elmo": {"type": "elmo_characters"}, "tokens": {"type": "single_id"}},
        },
        "train_data_path": f"{data}#train",
        "validation_data_path": f"{data}#dev",
        "model": {
            "type": "basic_classifier",
            "text_field_embedder": {
                "token_embedders": {**elmo["token_embedders"], "tokens": {"type": "embedding", "embedding_dim": 2}}
            },
            "seq2vec_encoder": {"type": "boe", "embedding_dim": 12, "averaged": True},
        },
    }


def test_they_come_with_the_plug_in():
    assert "dataset_readers" in registration.MODULES
    assert DatasetReader.by_name("dataset_tagging") is DatasetTaggingReader


def test_classification_of_a_saved_data_set(trained, elmo, allennlp):
    save_splits("moods")
    assert trained(classifier(elmo, "moods"), "moods#dev")["accuracy"] == 1.0
    assert sorted(Path("out/vocabulary/labels.txt").read_text("utf-8").split()) == LABELS
    allennlp(
        *("predict", "out/model.tar.gz", "moods#dev", "--predictor", "text_classifier", "--use-dataset-reader"),
        *("--output-file", "out.jsonl", "--silent", "-o", '{"dataset_reader.label_column": null}'),
    )
    predicted = [json.loads(line)["label"] for line in Path("out.jsonl").read_text("utf-8").splitlines()]
    assert predicted == [LABELS[row["mood"]] for row in labelled()[:8]]


def test_tagging_of_a_name_of_the_hub(trained, elmo):
    folder = Path("owner/persons")
    folder.mkdir(parents=True)
    names = ", ".join(f"'{i}': {tag}" for i, tag in enumerate(TAGS))
    folder.joinpath("README.md").write_text(
        "---\nconfigs:\n- config_name: plain\n  data_files:\n  - {split: train, path: all.jsonl}\n"
        "dataset_info:\n- config_name: plain\n  features:\n  - {name: words, list: string}\n"
        f"  - name: ner\n    list:\n      class_label:\n        names: {{{names}}}\n---\n",
        encoding="utf-8",
    )
    folder.joinpath("all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tagged()), encoding="utf-8")
    config = {
        "dataset_reader": {
            "type": "dataset_tagging",
            "tokens_column": "words",
            "tags_column": "ner",
            "convert_to_coding_scheme": "BIOUL",
            "token_indexers": {"elmo": {"type": "elmo_characters"}},
        },
        "train_data_path": "owner/persons:plain#train",
        "validation_data_path": "owner/persons:plain#train[:8]",
        "model": {
            "type": "crf_tagger",
            "label_encoding": "BIOUL",
            "constrain_crf_decoding": True,
            "calculate_span_f1": True,
            "text_field_embedder": elmo,
            "encoder": {"type": "gru", "input_size": 10, "hidden_size": 8, "bidirectional": True},
        },
    }
    assert trained(config, "owner/persons:plain#train[8:]")["f1-measure-overall"] > 0.9
    found = set(Path("out/vocabulary/labels.txt").read_text("utf-8").split())
    assert found == {"O", "U-PER", "B-PER", "I-PER", "L-PER", "U-LOC", "B-LOC", "L-LOC"}


def read(reader: DatasetReader, path: str) -> list:
    return list(reader.read(path))


def test_text_is_split_and_cut():
    Path("a.tsv").write_text("sentence\tlabel\nIt rains , here\t1\n", encoding="utf-8")
    config = {"type": "dataset_classification", "text_column": "sentence", "max_sequence_length": 3}
    (instance,) = read(DatasetReader.from_params(Params(config)), "a.tsv")
    assert [token.text for token in instance["tokens"]] == ["It", "rains", ","]
    assert instance["label"].label == "1"
    config = {"type": "dataset_classification", "text_column": "sentence", "tokenizer": "letters_digits"}
    (instance,) = read(DatasetReader.from_params(Params({**config, "label_column": None})), "a.tsv")
    assert [token.text for token in instance["tokens"]] == ["It", "rains", ",", "here"]
    assert "label" not in instance.fields


def test_tags_as_text():
    Path("a.csv").write_text("tokens,tags\nAnna sees Rome,B-PER O B-LOC\n", encoding="utf-8")
    (instance,) = read(DatasetTaggingReader(), "a.csv")
    assert instance["tags"].labels == ["B-PER", "O", "B-LOC"]
    assert instance["metadata"].metadata == {"words": ["Anna", "sees", "Rome"]}
    (instance,) = read(DatasetTaggingReader(tags_column=None), "a.csv")
    assert "tags" not in instance.fields


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 on, for torch has threads
def test_each_worker_reads_its_share():
    save_splits("moods")
    reader = DatasetClassificationReader("words", "mood")
    loader = MultiProcessDataLoader(reader, "moods#train", batch_size=4, num_workers=2)
    found = sorted(" ".join(map(str, instance["tokens"].tokens)) for instance in loader.iter_instances())
    assert found == sorted(" ".join(row["words"]) for row in labelled())
    assert len(found) == NUM_SENTENCES


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"text": "a", "label": None},
            r"row 2: label must be text, a whole number or a class, got nothing; leave the",
        ),
        ({"text": "a", "label": ""}, r"row 2: label must be text, a whole number or a class, got nothing"),
        ({"text": "a", "label": 0.5}, r"row 2: label must be text, a whole number or a class, got 0.5"),
        ({"text": "a"}, r"^a.jsonl, row 2: no field 'label'; there are text$"),
        ({"text": None, "label": "x"}, r"row 2: field 'text' must hold a string or a list of strings, got nothing"),
        ({"text": " ", "label": "x"}, r"row 2: text must have at least one token, got none; leave the row out"),
    ],
)
def test_bad_rows_of_classification(row, message):
    lines = [{"text": "a", "label": "x"}, row]
    Path("a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(TextError, match=message):
        read(DatasetClassificationReader(), "a.jsonl")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"tokens": ["a", "b"], "tags": ["O"]},
            "row 1: tags must have a tag for each of the 2 tokens, got 1; mend it",
        ),
        ({"tokens": ["a"], "tags": None}, "row 1: tags must have a tag for each of the 1 tokens, got None; mend it"),
        ({"tokens": ["a"], "tags": [None]}, "row 1: tags must be text, a whole number or a class, got nothing"),
        ({"tokens": [], "tags": []}, "row 1: tokens must have at least one token"),
        ({"tokens": ["a", "b"], "tags": ["O", "X"]}, "row 1: tags must be in BIO form, got O X; mend it"),
    ],
)
def test_bad_rows_of_tagging(row, message):
    Path("a.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(TextError, match=message):
        read(DatasetTaggingReader(convert_to_coding_scheme="BIOUL"), "a.jsonl")


def test_a_column_that_is_missing():
    save_splits("moods")
    with pytest.raises(TextError, match=r"^moods#train: no field 'label'; there are id, words, mood$"):
        read(DatasetClassificationReader("words"), "moods#train")


def test_other_coding_schemes():
    with pytest.raises(ConfigurationError, match="convert_to_coding_scheme must be BIOUL, got 'IOB1'; leave it out"):
        DatasetTaggingReader(convert_to_coding_scheme="IOB1")
