"""AllenNLP's commands as a person types them: an empty environment, no plug-in file, no `--include-package`.

The model has this project's ELMo in it, and a reader that needs no spaCy, so that both sizes run the same.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("allennlp")

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).parent / "allennlp"
ELMO = Path(__file__).parents[1] / "golden" / "clipped"
TEXTS = [("the sea at night", "calm"), ("a dog runs", "wild"), ("the dog saw the sea", "calm"), ("run , dog", "wild")]
CONFIG = """
local elmo = {options_file: std.extVar("elmo") + "/options.json", weight_file: std.extVar("elmo") + "/weights.hdf5"};
{
  dataset_reader: {
    type: "text_classification_json",
    tokenizer: "just_spaces",
    token_indexers: {tokens: "single_id", elmo: "elmo_characters"},  // the classifier wants word ids too
  },
  train_data_path: "train.jsonl",
  validation_data_path: "train.jsonl",
  model: {
    type: "basic_classifier",
    text_field_embedder: {
      token_embedders: {
        tokens: {type: "embedding", embedding_dim: 4},
        elmo: {type: "elmo_token_embedder"} + elmo,
      },
    },
    seq2vec_encoder: {type: "bag_of_embeddings", embedding_dim: 4 + std.parseInt(std.extVar("dimension"))},
  },
  data_loader: {batch_size: 2, shuffle: true},
  trainer: {num_epochs: 2, optimizer: "adam", patience: 5, no_such_key: 1},
}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Path:
    """A folder with a configuration, data, and a model trained by the command, in `out`."""
    folder = tmp_path_factory.mktemp("commands")
    lines = [json.dumps({"text": text, "label": label}) for text, label in TEXTS]
    (folder / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "questions.jsonl").write_text(json.dumps({"sentence": "the night"}), encoding="utf-8")
    (folder / "config.jsonnet").write_text(CONFIG, encoding="utf-8")
    ended = allennlp(folder, "train", "config.jsonnet", "-s", "out")
    (folder / "train.log").write_text(ended.stdout + ended.stderr, encoding="utf-8")
    return folder


def variables() -> dict[str, str]:
    """All that the programs see; the two are jsonnet's external variables, which AllenNLP takes from there."""
    options = json.loads((ELMO / "options.json").read_text("utf-8"))
    return {"elmo": str(ELMO), "dimension": str(2 * options["lstm"]["projection_dim"])}


def allennlp(folder: Path, *arguments: str, module: bool = False, code: int = 0) -> subprocess.CompletedProcess:
    """Run AllenNLP's own program, or the module; warnings of Python are errors."""
    program = [sys.executable, "-W", "error", "-m", "allennlp"] if module else [str(PROGRAM)]
    ended = subprocess.run(
        [*program, *arguments], cwd=folder, env=variables(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    return ended


@pytest.mark.parametrize("module", [False, True])
def test_help_lists_this_projects_commands(tmp_path, module):
    printed = allennlp(tmp_path, "--help", module=module).stdout
    assert {"elmo", "embed-to-hdf5", "train", "predict"} <= set(printed.split())


def test_train(here):
    log = (here / "train.log").read_text("utf-8")
    assert json.loads((here / "out" / "metrics.json").read_text("utf-8"))["training_loss"] > 0
    assert "the trainer section has the key no_such_key, which AllenNLP ignores; the nearest valid name is" in log
    assert "Warning" not in log
    assert "ERROR" not in log


def test_recover(here):
    before = json.loads((here / "out" / "metrics.json").read_text("utf-8"))
    ended = allennlp(here, "train", "config.jsonnet", "-s", "out", "--recover", module=True)
    assert "Validating" in (here / "train.log").read_text("utf-8")
    assert "Validating" not in ended.stdout  # both epochs are in the saved state and are passed over
    after = json.loads((here / "out" / "metrics.json").read_text("utf-8"))
    assert after["best_validation_loss"] == before["best_validation_loss"]


def test_evaluate_gives_the_loss_of_training(here):
    allennlp(here, "evaluate", "out/model.tar.gz", "train.jsonl", "--output-file", "scores.json", module=True)
    scores = json.loads((here / "scores.json").read_text("utf-8"))
    trained = json.loads((here / "out" / "metrics.json").read_text("utf-8"))
    assert scores["loss"] == pytest.approx(trained["best_validation_loss"], abs=1e-6)


@pytest.mark.parametrize("options", [("questions.jsonl",), ("train.jsonl", "--use-dataset-reader")])
def test_predict(here, options):
    output = here / "answers.jsonl"
    output.unlink(missing_ok=True)
    arguments = ("predict", "out/model.tar.gz", *options, "--predictor", "text_classifier")
    allennlp(here, *arguments, "--output-file", output.name, "--silent")
    answers = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert len(answers) == (4 if "--use-dataset-reader" in options else 1)
    assert {answer["label"] for answer in answers} <= {"calm", "wild"}


def test_find_lr(here):
    allennlp(here, "find-lr", "config.jsonnet", "-s", "lr", "--num-batches", "12")
    assert list((here / "lr").glob("lr-losses.*"))


def test_print_results(here):
    printed = allennlp(here, "print-results", "out", "--keys", "best_validation_loss", module=True).stdout
    assert printed.splitlines()[0] == "model_run, best_validation_loss"


def test_build_vocab(here):
    allennlp(here, "build-vocab", "config.jsonnet", "vocabulary.tar.gz", module=True)
    assert (here / "vocabulary.tar.gz").stat().st_size > 0


def test_spawned_processes_have_it_too(here):
    overrides = json.dumps({"distributed": {"cuda_devices": [-1, -1]}})
    ended = allennlp(here, "train", "config.jsonnet", "-s", "two", "-o", overrides)
    assert (here / "two" / "model.tar.gz").is_file(), ended.stderr


def test_a_misspelt_type_has_allennlps_own_message(here):
    overrides = json.dumps({"model.type": "basic_clasifier"})
    ended = allennlp(here, "train", "config.jsonnet", "-s", "never", "-o", overrides, code=2)
    assert "Traceback" not in ended.stderr
    assert "basic_clasifier" in ended.stderr.splitlines()[-1]
    assert "did you mean 'basic_classifier'?" in ended.stderr or "not in acceptable choices" in ended.stderr


def test_the_off_switch_leaves_allennlp_alone(tmp_path):
    environment = {**os.environ, "PYTORCH_ELMO_ALLENNLP": "0"}
    program = (
        "import sys\ntry:\n    import allennlp\nexcept ImportError:\n    pass\nprint('pytorch_elmo' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "False"
