"""How AllenNLP's commands end: who gets a line, who a traceback, and what Ctrl-C leaves behind."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("allennlp")

import allennlp.commands
from allennlp.common.checks import ConfigurationError as AllenNlpsError
from allennlp.common.util import SigTermReceived
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError
from torch.multiprocessing import ProcessRaisedException

from pytorch_elmo.allennlp_plugin.command_errors import describe, mend_commands
from pytorch_elmo.errors import ConfigurationError, LayerFileError, OptionsError
from tiny_tasks import write

PROGRAM = Path(sys.executable).parent / "allennlp"
CONFIG = Path(__file__).parents[2] / "configs" / "ner.jsonnet"
SIZES = {"WIDTH": "3", "LAYERS": "1", "BATCH_SIZE": "12", "WORD_VECTORS": "", "WORD_VECTORS_DIM": "3"}
TRACEBACK = """

Traceback (most recent call last):
  File "a.py", line 1, in f
KeyError: 1

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2, in g
{kind}: {text}
"""


@pytest.fixture
def train_command(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["allennlp", "train", "a.jsonnet"])


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (AllenNlpsError("theirs,\nas it is"), ("theirs,\nas it is", 2)),
        (ConfigurationError("asked wrongly"), ("asked wrongly", 2)),
        (OptionsError("a file is wrong"), ("a file is wrong", 1)),
        (LayerFileError("a file"), ("a file", 1)),
        (KeyError("label"), None),
        (TypeError("A.__init__() got an unexpected keyword argument 'size'"), None),
        (OSError("of no file"), None),
        (AssertionError("a fault"), None),
    ],
)
def test_errors(error, described):
    assert describe(error) == described


def test_interruptions(train_command, monkeypatch):
    go_on = "the same command with --recover goes on after the last epoch that ended"
    assert describe(KeyboardInterrupt()) == (f"interrupted; {go_on}", 130)
    assert describe(SigTermReceived()) == (f"terminated; {go_on}", 143)
    monkeypatch.setattr(sys, "argv", ["allennlp", "predict"])
    assert describe(KeyboardInterrupt()) == ("interrupted", 130)


def test_a_file_that_code_of_others_cannot_open_is_a_fault_of_theirs(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "none").read_text("utf-8")
    assert describe(caught.value) is None


@pytest.mark.parametrize(
    "wrap", [lambda text: ProcessRaisedException(text, 0, 1), lambda text: WorkerError("", [text])]
)
@pytest.mark.parametrize(
    ("kind", "described"),
    [
        ("pytorch_elmo.errors.LayerFileError", ("a message: of two parts", 1)),
        ("pytorch_elmo.errors.ConfigurationError", ("a message: of two parts", 2)),
        ("pytorch_elmo.allennlp_plugin.data_errors.UnknownLabelError", ("a message: of two parts", 2)),
        ("allennlp.common.checks.ConfigurationError", ("a message: of two parts", 2)),
        ("RuntimeError", None),
        ("allennlp.common.util.SigTermReceived", None),
        ("no_such_module.Error", None),
    ],
)
def test_errors_of_other_processes(wrap, kind, described):
    assert describe(wrap(TRACEBACK.format(kind=kind, text="a message: of two parts"))) == described


@pytest.fixture
def failing(train_command, monkeypatch):
    """`main`, whose work fails with an error of this package."""

    def fail(prog=None):
        raise LayerFileError("a message")

    module = ModuleType("commands")
    module.main = fail
    mend_commands(module)
    return module.main


def test_the_line_and_the_code(failing, capsys):
    with pytest.raises(SystemExit) as end:
        failing(prog="allennlp")
    assert end.value.code == 1
    assert capsys.readouterr().err == "allennlp train: error: a message\n"


def test_the_traceback_is_in_the_log_file(failing, tmp_path, capsys):
    handler = logging.FileHandler(tmp_path / "out.log")
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(SystemExit):
            failing()
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    kept = (tmp_path / "out.log").read_text("utf-8")
    assert "in fail\n" in kept
    assert kept.endswith("pytorch_elmo.errors.LayerFileError: a message\n")
    assert "Traceback" not in capsys.readouterr().err


def test_the_traceback_is_seen_when_it_is_asked_for(failing, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(LayerFileError, match="a message"):
        failing()


def test_the_command_is_mended_once():
    assert allennlp.commands.main.__wrapped__.__module__ == "allennlp.commands"


# -- Whole programs ----------------------------------------------------------------------------------------------


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    """Run AllenNLP's own program, apart from the signals that this process gets."""
    data = {name: str(write("ner", folder)) for name in ("TRAIN_DATA_PATH", "VALIDATION_DATA_PATH")}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **SIZES, **data}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [str(PROGRAM), *arguments], cwd=folder, env=environment | variables, start_new_session=True, **pipes
    )


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


def last_epoch(out: Path) -> int:
    return max(int(path.stem.rpartition("_")[2]) for path in out.glob("metrics_epoch_*.json"))


def test_ctrl_c_and_recover(tmp_path):
    out = tmp_path / "out"
    overrides = json.dumps({"trainer.cuda_device": -1, "trainer.patience": None})
    arguments = ("train", str(CONFIG), "-s", "out", "-o", overrides)
    first = stopped(tmp_path, arguments, out / "metrics_epoch_1.json")
    began = (out / "metrics_epoch_0.json").stat().st_mtime_ns
    for path in out.glob(f"training_state_e{last_epoch(out) + 1}_*.th"):
        path.unlink()  # as if the signal had come between the two files of a checkpoint
    second = stopped(tmp_path, (*arguments, "--recover"), out / f"metrics_epoch_{last_epoch(out) + 1}.json")
    line = "interrupted; the same command with --recover goes on after the last epoch that ended"
    assert first == second == (130, f"allennlp train: error: {line}")
    assert (out / "metrics_epoch_0.json").stat().st_mtime_ns == began  # the second run did not begin anew
    assert (out / "model.tar.gz").is_file()  # of the best epoch so far


def stopped(folder: Path, arguments: tuple[str, ...], written: Path) -> tuple[int, str]:
    """Start a training and stop it by Ctrl-C when it has written a file; its exit code and last line."""
    process = start(folder, *arguments, EPOCHS="100000")
    wait_for(written, process)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=60)
    assert "Traceback" not in printed
    return process.returncode, printed.splitlines()[-1]


def test_a_fault_in_the_users_own_code_keeps_its_traceback(tmp_path):
    (tmp_path / "my_code.py").write_text(
        "from allennlp.models import Model\n\n\n@Model.register('mine')\nclass Mine(Model):\n"
        "    def __init__(self, vocab, **kwargs):\n        super().__init__(vocab)\n        {}['a slip']\n",
        encoding="utf-8",
    )
    overrides = json.dumps({"model": {"type": "mine"}})
    process = start(tmp_path, "train", str(CONFIG), "-s", "out", "-o", overrides, "--include-package", "my_code")
    _, printed = process.communicate(timeout=120)
    assert process.returncode == 1
    assert printed.count("Traceback (most recent call last)") == 1
    assert "my_code.py" in printed
    assert printed.splitlines()[-1] == "KeyError: 'a slip'"
