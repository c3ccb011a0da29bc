"""Two processes that share a batch take the steps of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.training.processes import Processes, local_device

# Trains as `small_config` says with the settings in argv[1], in the folder argv[2], from step argv[3] on; the first
# process prints the losses of its steps.
WORKER = """
import json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from pytorch_elmo.pretraining.config import OptimizerConfig
from pytorch_elmo.pretraining.corpus import Corpus
from pytorch_elmo.pretraining.trainer import Trainer, count_words
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.training.processes import join_processes
from small_runs import SENTENCES, Reports, small_config

settings = json.loads(sys.argv[1])
if "optimizer" in settings:
    settings["optimizer"] = OptimizerConfig(**settings["optimizer"])
corpus = Corpus.from_sentences(SENTENCES)
device = torch.device("cpu")
with join_processes(device) as processes:
    vocabulary = Vocabulary.from_counts(count_words(corpus), max_size=12)
    trainer = Trainer(small_config(**settings), corpus, vocabulary, validation=corpus, processes=processes, device=device)
    trainer.resume(Path(sys.argv[2]))
    reports = Reports()
    until = int(sys.argv[3])
    trainer.run(Path(sys.argv[2]), reports, stop=lambda: trainer.step == until and processes.rank == 1 % processes.size)
    if processes.first:
        print(json.dumps([[r.forward_loss, r.backward_loss, r.gradient_norm] for r in reports.steps]))
        print(json.dumps(reports.perplexities))
"""  # noqa: E501
SETTINGS = {"batch_size": 4, "dropout": 0.3, "sentence_restart_probability": 0.5, "validate_every": 3, "num_steps": 6}
ADAGRAD = {"name": "adagrad", "learning_rate": 0.2, "gradient_clip": 10.0}


def train(size: int, folder: Path, settings: dict, until: int = -1) -> tuple[torch.Tensor, list]:
    """The losses of a run of `size` processes, started by `torchrun`, and its perplexities."""
    folder.mkdir(exist_ok=True)
    worker = folder / "worker.py"
    worker.write_text(WORKER, encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [*launch, str(worker), json.dumps(settings), str(folder), str(until)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    losses, perplexities = ended.stdout.splitlines()
    return torch.tensor(json.loads(losses), dtype=torch.float64), json.loads(perplexities)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{"num_negatives": 6, "optimizer": ADAGRAD}, {"num_negatives": None, "accumulation_steps": 2}],
    ids=["sampled, adagrad", "full, adamw, accumulated"],
)
def test_two_processes_are_one(tmp_path, settings):
    settings = {**SETTINGS, **settings}
    alone, perplexities = train(1, tmp_path / "one", settings)
    together, others = train(2, tmp_path / "two", settings)
    assert len(alone) == 6
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    assert [step for step, _ in others] == [step for step, _ in perplexities] == [3, 6]
    assert [value for _, value in others] == pytest.approx([value for _, value in perplexities], rel=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    """One process that is asked to stop stops both; one goes on alone with all rows."""
    straight, _ = train(1, tmp_path / "straight", SETTINGS)
    first, _ = train(2, tmp_path / "parts", SETTINGS, until=2)
    rest, _ = train(1, tmp_path / "parts", SETTINGS)
    assert (len(first), len(rest)) == (2, 4)
    torch.testing.assert_close(torch.cat([first, rest]), straight, rtol=0, atol=1e-5)


def test_rows_are_shared_out():
    assert [Processes(rank, 3).share(12) for rank in range(3)] == [slice(0, 4), slice(4, 8), slice(8, 12)]
    with pytest.raises(ConfigurationError, match=r"^batch_size .* a multiple of their number 3, got 4; change"):
        Processes(0, 3).share(4)


def test_a_process_alone_exchanges_nothing():
    alone, tensor = Processes(), torch.ones(2)
    alone.average_([tensor])
    alone.wait()
    assert alone.gather(tensor, 0) is tensor
    assert alone.first
    assert (alone.any(True, torch.device("cpu")), alone.from_first(2.5, torch.device("cpu"))) == (True, 2.5)


def test_each_process_has_its_gpu(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert (local_device("cuda"), local_device("cpu")) == ("cuda", "cpu")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert [local_device(name) for name in ("cuda", "cuda:0", "cpu")] == ["cuda:1", "cuda:0", "cpu"]
