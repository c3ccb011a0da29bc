"""`elmo pretrain` from a text to a model that the other commands take."""

import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pytorch_elmo.commands import pretrain
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.pretraining.trainer import StepReport
from pytorch_elmo.storage import LayerFileReader, verify_layer_file

WORDS = [f"word{number}" for number in range(30)]
CONFIG = {
    "model": {
        "lstm": {
            "use_skip_connections": True,
            "projection_dim": 4,
            "cell_clip": 3,
            "proj_clip": 3,
            "dim": 6,
            "n_layers": 2,
        },
        "char_cnn": {"activation": "relu", "filters": [[1, 4], [2, 4]], "n_highway": 1, "embedding": {"dim": 3}},
    },
    "corpus": {"train": ["corpus/*.txt"]},
    "num_steps": 6,
    "batch_size": 2,
    "unroll_steps": 5,
    "num_negatives": 8,
    "checkpoint_every": 2,
    "report_every": 3,
}
MODEL = "model/bilm.safetensors"


@pytest.fixture(autouse=True)
def corpus(folder) -> None:
    """Two files of sentences, and `config.json`."""
    choose = random.Random(0)
    Path("corpus").mkdir()
    for name in ("a.txt", "b.txt"):
        lines = (" ".join(choose.choices(WORDS, k=choose.randint(1, 9))) for _ in range(20))
        Path("corpus", name).write_text("\n".join(lines), encoding="utf-8")
    Path("config.json").write_text(json.dumps(CONFIG), encoding="utf-8")


@pytest.fixture(autouse=True)
def no_board(monkeypatch) -> None:
    """TensorBoard takes seconds to load; one test wants it."""
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)


@contextmanager
def stop_after(step: int) -> Iterator[None]:
    """Let Ctrl-C come after a step."""
    step_done = pretrain._Reports.step_done

    def interrupted(reports: pretrain._Reports, report: StepReport) -> None:
        step_done(reports, report)
        if report.step == step:
            signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain._Reports, "step_done", interrupted)
        yield


def test_from_text_to_vectors(run_elmo, embed, text):
    ended = run_elmo("pretrain", "config.json", "runs/first")
    assert ended.code == 0, ended.err
    lines = ended.err.splitlines()
    assert lines[0].startswith("TensorBoard is not installed, no logs for it are written; pip install")
    assert lines[1].startswith("40 sentences, ")
    assert lines[2] == "saved runs/first/checkpoints/step-000000002.safetensors"
    assert lines[3].startswith("step 3, epoch 0: training perplexity ")
    assert lines[-1] == "wrote runs/first/model"
    assert Path("runs/first/vocabulary.txt").read_text("utf-8").splitlines()[:3] == ["<S>", "</S>", "<UNK>"]

    assert embed(text, "out.hdf5", "--model", "runs/first/model").code == 0
    assert verify_layer_file(Path("out.hdf5")) == []
    with LayerFileReader("out.hdf5") as reader:
        assert (len(reader), reader.num_layers, reader.dim) == (6, 3, 8)
        first = text.read_text("utf-8").splitlines()[0].split()
        expected = ElmoEmbedder.from_pretrained("runs/first/model").embed_sentence(first)
        assert abs(reader[0] - expected).max() < 1e-6
    assert run_elmo("models", "runs/first/model").out.splitlines()[1] == "layers  3 of 8 dimensions"


def assert_same_model(ours: str, theirs: str) -> None:
    """Equal bits of every parameter; the files differ in the order of what safetensors puts before them."""
    mine, other = load_file(Path(ours, MODEL)), load_file(Path(theirs, MODEL))
    assert mine.keys() == other.keys()
    assert all(mine[name].equal(other[name]) for name in other)


def test_an_interrupted_run_goes_on_to_the_same_model(run_elmo):
    assert run_elmo("pretrain", "config.json", "peace", "-q").code == 0
    with stop_after(3):
        ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert ended.code == 130
    assert ended.err.splitlines() == [
        "stopping after this batch; once more stops at once",
        "stopped at step 3; the same command goes on",
    ]
    assert sorted(os.listdir("run/checkpoints")) == ["step-000000002.safetensors", "step-000000003.safetensors"]
    assert not Path("run", MODEL).exists()
    ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert_same_model("run", "peace")


def test_a_finished_run_is_left_as_it_is(run_elmo):
    assert run_elmo("pretrain", "config.json", "run", "-q").code == 0
    shutil.copytree("run", "before")
    ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert (ended.code, ended.err) == (0, "")
    assert_same_model("run", "before")


def test_fine_tuning_from_allennlp_s_files(run_elmo, small_model_folder):
    """Without a softmax: it is trained first, then all; the text is predicted better than by the model as it was."""
    settings = {key: value for key, value in CONFIG.items() if key != "model"} | {
        "start_from": str(small_model_folder),
        "corpus": {"train": ["corpus/a.txt"], "validation": ["corpus/b.txt"]},
        "num_negatives": None,
        "num_steps": 60,
        "softmax_only_steps": 30,
        "validate_every": 30,
        "optimizer": {"learning_rate": 0.02, "warmup_steps": 5},
    }
    Path("config.json").write_text(json.dumps(settings), encoding="utf-8")
    ended = run_elmo("pretrain", "config.json", "run")
    assert ended.code == 0, ended.err
    heldout = [float(line.split()[4]) for line in ended.err.splitlines() if "held-out perplexity" in line]
    assert len(heldout) == 2
    assert heldout[1] < heldout[0] < 33
    tuned = load_file(Path("run", MODEL))
    assert run_elmo("convert", str(small_model_folder), "as-it-was", "--to", "own").code == 0
    before = load_file(Path("as-it-was", "bilm.safetensors"))
    assert tuned.keys() == before.keys()
    assert not any(tuned[name].equal(before[name]) for name in before if name.endswith("weight"))


def test_fine_tuning_another_network(run_elmo, small_model_folder):
    Path("config.json").write_text(json.dumps({**CONFIG, "start_from": str(small_model_folder)}), encoding="utf-8")
    ended = run_elmo("pretrain", "config.json", "run")
    assert ended.code == 2
    assert "has the options {" in ended.err
    assert ended.err.splitlines()[-1].endswith("; leave `model` out")


def test_a_jsonnet_configuration(run_elmo):
    Path("config.jsonnet").write_text("(import 'config.json') + { num_steps: 2 }", encoding="utf-8")
    ended = run_elmo("pretrain", "config.jsonnet", "run", "-q")
    assert ended.code == 0, ended.err
    assert Path("run/checkpoints/step-000000002.safetensors").exists()


def test_logs_for_tensorboard(run_elmo, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard")
    ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert ended.code == 0, ended.err
    assert any(Path("run/tensorboard").glob("events.out.tfevents.*"))


def change(**settings: object) -> None:
    Path("config.json").write_text(json.dumps({**CONFIG, **settings}), encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"num_step": 3}, 2, "config.json: configuration has unknown key(s) num_step; known are model, corpus, "),
        ({"num_steps": "6"}, 2, "config.json: configuration.num_steps must be a whole number, got '6'"),
        (
            {"corpus": {"train": ["nothing/*.txt"]}},
            1,
            "no text file matches 'nothing/*.txt'; give a path, a folder or a glob",
        ),
        ({"corpus": {"train": "corpus/a.txt"}}, 2, "corpus.train must be a list of strings, got 'corpus/a.txt'"),
        ({"num_negatives": 500}, 2, "num_negatives must be below the vocabulary's size 33, got 500; lower it"),
    ],
)
def test_configurations_that_cannot_be(run_elmo, settings, code, message):
    change(**settings)
    ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert ended.code == code
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_text_that_is_not_utf8(run_elmo):
    Path("corpus/a.txt").write_bytes(b"one\ntwo \xff\n")
    ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert ended.code == 1
    assert ended.err == "elmo pretrain: error: corpus/a.txt, line 2: not UTF-8 at byte 5; convert the file to UTF-8\n"


def test_a_run_begun_with_other_settings(run_elmo):
    assert run_elmo("pretrain", "config.json", "run", "-q").code == 0
    content = Path("run", MODEL).read_bytes()
    change(dropout=0.5)
    ended = run_elmo("pretrain", "config.json", "run", "-q")
    assert ended.code == 2
    assert ended.err == (
        "elmo pretrain: error: the run was started with dropout 0.1, the configuration says 0.5; "
        "restore the setting, or choose another output folder\n"
    )
    assert Path("run", MODEL).read_bytes() == content


def test_a_configuration_that_is_missing(run_elmo):
    ended = run_elmo("pretrain", "nothing.json", "run")
    assert ended.code == 2
    assert ended.last_line == "Error: Invalid value for 'CONFIG': File 'nothing.json' does not exist."


def test_an_output_below_a_file(run_elmo):
    ended = run_elmo("pretrain", "config.json", "config.json/run", "-q")
    assert ended.code == 1
    assert ended.err == (
        "elmo pretrain: error: the system refuses config.json/run: Not a directory; give another file or folder\n"
    )
