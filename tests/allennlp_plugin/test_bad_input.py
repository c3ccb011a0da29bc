"""Bad input to AllenNLP's commands, as a person types them: one line that says what to do, and an exit code."""

import gzip
import io
import json
import sys
import tarfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("allennlp")

from allennlp.commands import main

from pytorch_elmo.commands.embed_to_hdf5 import command as embed_to_hdf5
from pytorch_elmo.errors import TextError
from tiny_tasks import write, write_vectors

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = str(CONFIGS / "ner_elmo.jsonnet")
ELMO = Path(__file__).parents[1] / "golden" / "clipped"  # its vectors have 10 numbers
DIMENSION = 6  # of the word vectors
VARIABLES = {
    "WIDTH": "4",
    "LAYERS": "1",
    "EPOCHS": "1",
    "BATCH_SIZE": "12",
    "WORD_VECTORS": "vectors.txt",
    "WORD_VECTORS_DIM": str(DIMENSION),
    "TRAIN_DATA_PATH": "tiny/ner.gold_conll",
    "VALIDATION_DATA_PATH": "tiny/ner.gold_conll",
    "ELMO_MODEL": str(ELMO),
    "ELMO_DIM": "10",
}
CPU = {"trainer.cuda_device": -1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the commands run: data, word vectors, and what the tests leave there."""
    folder = tmp_path_factory.mktemp("bad_input")
    for task in ("ner", "scicite"):
        write(task, folder)
    write_vectors(folder / "vectors.txt", DIMENSION)
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Run a command; returns its exit code and the line of its error, after looking that there is no traceback."""
    # AllenNLP leaves the handlers and the open files of its logs behind.
    monkeypatch.setattr("allennlp.common.logging.prepare_global_logging", lambda *_, **__: nullcontext())
    monkeypatch.chdir(folder)

    def run(*arguments: str, **variables: str) -> tuple[int, str]:
        for name, value in {**VARIABLES, **variables}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["allennlp", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main(prog="allennlp")
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        beginning = f"allennlp {arguments[0]}: error: "
        errors = [line for line in printed.err.splitlines() if line.startswith(beginning)]
        assert len(errors) == (code != 0)
        assert not errors or printed.err.endswith(f"{errors[0]}\n")
        return code, "".join(errors).removeprefix(beginning)

    return run


@pytest.fixture
def train(run) -> Callable[..., tuple[int, str]]:
    """The same of `allennlp train`."""

    def train(config: str = CONFIG, overrides: dict[str, Any] | None = None, **variables: str) -> tuple[int, str]:
        given = json.dumps({**CPU, **(overrides or {})})
        return run("train", config, "-f", "-s", "out", "-o", given, **variables)

    return train


@pytest.fixture
def archive(folder, train) -> Path:
    """A trained model, made once."""
    path = folder / "trained.tar.gz"
    if not path.exists():
        assert train() == (0, "")
        (folder / "out" / "model.tar.gz").rename(path)
    return path


# -- Configurations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ({"trainr": 1}, "Extra parameters passed to TrainModel: {'trainr': 1}"),
        ({"model.encoder.hiden_size": 3}, "Extra parameters passed to LstmSeq2SeqEncoder: {'hiden_size': 3}"),
        (
            {"model.drpout": 0.1},
            "Model.__init__() got an unexpected keyword argument 'drpout': CrfTagger has no key drpout; "
            "write dropout, which is nearest, or leave it out",
        ),
    ],
)
def test_a_misspelt_key_has_allennlps_own_message(train, overrides, line):
    assert train(overrides=overrides) == (2, line)


def test_a_misspelt_type_has_allennlps_own_message(train):
    code, line = train(overrides={"model.type": "crf_taggr"})
    assert code == 2
    assert line.startswith("crf_taggr not in acceptable choices for model.type: ['from_archive', 'basic_classifier',")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{\n  model: {,\n}", 'bad.jsonnet:2: unexpected: "," while parsing field definition; correct it there'),
        ("{\n  a: 1 / 0}", "bad.jsonnet:2: division by zero; correct it there"),
        (
            '{\n model: std.extVar("NO_SUCH")}',
            "bad.jsonnet:2: a variable of the environment is asked for, NO_SUCH is not set; set it, as NO_SUCH=VALUE",
        ),
    ],
)
def test_a_configuration_that_cannot_be_evaluated(folder, train, text, line):
    (folder / "bad.jsonnet").write_text(text, encoding="utf-8")
    assert train("bad.jsonnet") == (2, line)


def test_a_variable_that_is_not_a_number(train):
    code, line = train(EPOCHS="few")
    assert code == 2
    assert line.endswith('libsonnet:16: EPOCHS must be a whole number, got "few"; set it to one, or unset it for 75')


def test_overrides_that_cannot_be_evaluated(run):
    ended = run("train", CONFIG, "-s", "out", "-o", '{"a":')
    assert ended == (2, "--overrides: unexpected end of file; correct it there")


def test_a_missing_configuration(train):
    assert train("none.jsonnet") == (
        1,
        "the system refuses none.jsonnet: No such file or directory; give another file or folder",
    )


def test_a_gpu_that_is_not_there(train, run, archive, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    code, line = train(overrides={"trainer.cuda_device": 0})
    assert code == 2
    assert line.startswith("Experiment specified a GPU but none is available; if you want to run on CPU use the")
    assert run("evaluate", archive.name, "tiny/ner.gold_conll", "--cuda-device", "0") == (
        2,
        "cuda_device must be the number of a GPU that torch finds, or -1 for the CPU, got 0 and 0 GPUs; "
        "give --cuda-device -1",
    )


def test_a_folder_that_is_not_empty(folder, run):
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    code, line = run("train", CONFIG, "-s", "full")
    assert code == 2
    assert line.startswith("Serialization directory (full) already exists and is not empty. Specify --recover to")


def test_nothing_to_recover(run):
    code, line = run("train", CONFIG, "-s", "nothing", "--recover")
    assert code == 2
    assert line.startswith("--recover specified but serialization_dir (nothing) does not exist.")


# -- ELMo and word vectors ---------------------------------------------------------------------------------------


def test_missing_weights(train):
    files = {"ELMO_OPTIONS_FILE": str(ELMO / "options.json"), "ELMO_WEIGHT_FILE": "none.hdf5"}
    assert train(**files) == (1, "no weight file none.hdf5; give the path of a weights.hdf5")


def test_a_missing_model(train):
    code, line = train(ELMO_MODEL="nowhere")
    assert code == 1
    assert line.startswith("no model or folder is called 'nowhere'; ")


def test_a_dimension_that_does_not_fit_the_encoder(train):
    assert train(ELMO_DIM="12") == (
        2,
        "text field embedding dim must match encoder input dim, but got 144 and 146 instead (elmo 10 + "
        'token_characters 128 + tokens 6); write "input_size": 144 in the section model.encoder, '
        "or where ELMO_DIM=12 gives it, set ELMO_DIM=10",
    )


def test_the_same_in_a_model_that_does_not_compare(train):
    data = dict.fromkeys(("TRAIN_DATA_PATH", "VALIDATION_DATA_PATH"), "tiny/scicite.gold_conll")
    assert train(str(CONFIGS / "scicite_elmo.jsonnet"), ELMO_DIM="12", **data) == (
        2,
        "the vectors that go into a CnnEncoder must be of its embedding_dim, they have 16 numbers and it takes 18; "
        'write "embedding_dim": 16 in its section of the model',
    )


def test_character_ids_missing_from_the_reader(train):
    indexers = {"tokens": {"type": "single_id", "lowercase_tokens": True}}
    sizes = {"model.text_field_embedder.token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 2}}}
    embedders = sizes["model.text_field_embedder.token_embedders"]
    embedders["elmo"] = {"type": "elmo_token_embedder", "model": str(ELMO)}
    overrides = {**sizes, "dataset_reader.token_indexers": indexers, "model.encoder.input_size": 12}
    assert train(overrides=overrides) == (
        2,
        "the embedder 'elmo' needs the indexer elmo_characters, but the text field has only tokens; add to the "
        'dataset_reader: "token_indexers": { "elmo": {"type": "elmo_characters"} }',
    )
    indexers["elmo"] = {"type": "single_id"}
    assert train(overrides=overrides) == (
        2,
        "this embedder needs what the indexer elmo_characters gives, got tokens; write in the dataset_reader, with "
        'this embedder\'s name for elmo: "token_indexers": { "elmo": {"type": "elmo_characters"} }',
    )


def test_word_vectors_of_another_dimension(train):
    assert train(WORD_VECTORS_DIM="7") == (
        2,
        "word vectors must have embedding_dim numbers, vectors.txt has 6 and embedding_dim is 7; write "
        '"embedding_dim": 6 (WORD_VECTORS_DIM=6 with this project\'s configurations), or name another file',
    )


@pytest.fixture
def on_layer_file(folder, train) -> Callable[[list[str]], tuple[int, str]]:
    """Train on the layer file of some sentences."""

    def on_layer_file(sentences: list[str]) -> tuple[int, str]:
        (folder / "text.txt").write_text("\n".join(sentences), encoding="utf-8")
        (folder / "vectors.hdf5").unlink(missing_ok=True)
        arguments = ["-q", "--all", "--model", str(ELMO), "text.txt", "vectors.hdf5"]
        CliRunner().invoke(embed_to_hdf5, arguments, catch_exceptions=False, standalone_mode=False)
        part = {"elmo": {"type": "elmo_layer_file", "layer_file": "vectors.hdf5"}}
        keys = ("dataset_reader.token_indexers", "model.text_field_embedder.token_embedders")
        return train(overrides={**dict.fromkeys(keys, part), "model.encoder.input_size": 10})

    return on_layer_file


def test_a_layer_file_that_lacks_a_sentence(folder, on_layer_file):
    blocks = (folder / "tiny" / "ner.gold_conll").read_text("utf-8").strip().split("\n\n")
    sentences = list(dict.fromkeys(" ".join(row.split()[0] for row in block.splitlines()) for block in blocks))
    missing = sentences.pop(3)
    code, line = on_layer_file(sentences)
    assert code == 1
    assert line.startswith("every sentence must be in the layer file, but 1 different of the 48 asked for is not in ")
    assert line.endswith(
        f"vectors.hdf5, the first: {missing!r}; make it with embed-to-hdf5 from the tokens that the dataset reader "
        "gives, a sentence a line"
    )
    code, line = on_layer_file(["of another text", "and one more"])
    assert code == 1
    assert f"but {len(sentences) + 1} different of the 48 asked for are not in " in line


# -- Data and archives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["TRAIN_DATA_PATH", "VALIDATION_DATA_PATH", "WORD_VECTORS"])
def test_a_missing_data_file(train, place):
    line = "the system refuses none.txt: No such file or directory; give another file or folder"
    assert train(**{place: "none.txt"}) == (1, line)


def test_data_without_a_sentence(folder, train):
    (folder / "empty.txt").touch()
    assert train(TRAIN_DATA_PATH="empty.txt") == (
        1,
        "data must hold at least one instance, Conll2003DatasetReader found none in empty.txt; give the path of data "
        "in the form that this reader reads",
    )


def test_a_row_of_conll_2012_that_cannot_be_read(folder, monkeypatch):
    from allennlp_models.structured_prediction import SrlReader

    monkeypatch.chdir(folder)
    write("srl", folder)
    good = (folder / "tiny" / "srl.gold_conll").read_text("utf-8").splitlines(keepends=True)
    row = next(number for number, line in enumerate(good) if line.strip() and not line.startswith("#"))
    Path("bad").mkdir()
    Path("bad", "bad.gold_conll").write_text("".join([*good[:row], "a bad row\n", *good[row:]]), encoding="utf-8")
    message = (
        r"^bad.bad\.gold_conll: a sentence must be rows of CoNLL-2012's columns, the one with the row 'a bad row' "
    )
    with pytest.raises(TextError, match=message):
        list(SrlReader().read("bad"))


def test_a_label_that_training_never_saw(folder, run, archive):
    text = (folder / "tiny" / "ner.gold_conll").read_text("utf-8")
    (folder / "new.txt").write_text(text.replace("-LOC", "-GPE"), encoding="utf-8")
    assert run("evaluate", archive.name, "new.txt") == (
        2,
        "every label must be one that training knew, 'B-GPE' is not among the 8 labels; train with this data as "
        "test_data_path (TEST_DATA_PATH=FILE with this project's configurations), which makes its labels known",
    )


def test_an_archive_that_is_cut_off_or_missing(folder, run, archive):
    (folder / "cut.tar.gz").write_bytes(archive.read_bytes()[:20000])
    code, line = run("evaluate", "cut.tar.gz", "tiny/ner.gold_conll")
    assert code == 1
    assert line.startswith("an archive must be a whole .tar.gz file, ")
    assert line.endswith("; get it again")
    assert run("evaluate", "none.tar.gz", "tiny/ner.gold_conll") == (
        1,
        "the system refuses none.tar.gz: No such file or directory; give another file or folder",
    )


def test_an_archive_of_an_unknown_version(folder, run, archive):
    with tarfile.open(archive) as old, tarfile.open(folder / "new.tar.gz", "w:gz") as new:
        for member in old:
            content = old.extractfile(member).read() if member.isfile() else b""
            if member.name == "meta.json":
                content = b'{"version": "9.1.0"}'
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    code, line = run("evaluate", "new.tar.gz", "tiny/ner.gold_conll")
    assert code == 2
    assert line.startswith("an archive must come from AllenNLP 0.9, 1.x or 2.x, ")
    assert line.endswith("says version '9.1.0'; export the model again with one of these")


# -- Lines to predict --------------------------------------------------------------------------------------------

GOOD = '{"tokens": ["Anna", "sees"]}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [GOOD, "", '{"tokens": ['],
            "line 3 of in.jsonl: a line must be JSON, got '{\"tokens\": [': Expecting",
        ),
        ([GOOD, "[1]"], 'line 2 of in.jsonl: a line must have "tokens", a list of words that are not empty, got [1]'),
        (
            ['{"tokens": []}'],
            'line 1 of in.jsonl: a line must have "tokens", a list of words that are not empty, got {',
        ),
        ([GOOD, '{"tokens": "a b"}'], 'line 2 of in.jsonl: a line must have "tokens", a list of words'),
    ],
)
def test_lines_that_cannot_be_predicted(folder, run, archive, lines, message):
    (folder / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    code, line = run("predict", archive.name, "in.jsonl", "--predictor", "tagger_from_tokens", "--batch-size", "1")
    assert code == 1
    assert line.startswith(message)
    assert "; " in line


def test_the_lines_before_are_predicted(folder, run, archive):
    with gzip.open(folder / "in.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(f"{GOOD}\n\n{GOOD}\nnothing\n")
    options = ("--predictor", "tagger_from_tokens", "--output-file", "predicted.jsonl", "--silent")
    code, line = run("predict", archive.name, "in.jsonl.gz", *options)
    assert code == 1
    assert line.startswith("line 4 of in.jsonl.gz: a line must be JSON, got 'nothing': ")
    predicted = (folder / "predicted.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(each)["words"] for each in predicted] == [["Anna", "sees"]] * 2


def test_standard_input_is_counted_too(run, archive, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{GOOD}\n{{}}\n"))
    code, line = run("predict", archive.name, "-", "--predictor", "tagger_from_tokens")
    assert code == 1
    assert line.startswith('line 2 of standard input: a line must have "tokens"')


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("none.jsonl", "--predictor", "tagger_from_tokens"), "the system refuses none.jsonl: No such file"),
        (("none.jsonl", "--predictor", "tagger"), "'tagger' is not a registered name for 'Predictor'."),
    ],
)
def test_what_cannot_be_predicted_with(run, archive, options, message):
    code, line = run("predict", archive.name, *options)
    assert code in (1, 2)
    assert line.startswith(message)
