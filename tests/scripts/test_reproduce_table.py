"""The table's command on tiny data: runs are done once, go on where they were killed, and leave records."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import tiny_tasks

pytest.importorskip("allennlp")

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
NAMES = ("ner-baseline-1", "ner-elmo-1")


@pytest.fixture
def data(tmp_path):
    """The published files, tiny."""
    ner = tmp_path / "data" / "ner" / "bc5cdr_typed"
    trees = tmp_path / "data" / "sst" / "trees"
    for folder in (ner, trees):
        folder.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        (ner / f"{split}.tsv").write_text(tiny_tasks.conll_2003(), encoding="utf-8")
        (trees / f"{split}.txt").write_text(tiny_tasks.sentiment_trees(), encoding="utf-8")
    tiny_tasks.write_vectors(tmp_path / "data" / "vectors.txt", 5)
    return tmp_path / "data"


def make_tiny(set_attribute, model, vectors, epochs=2):
    """The table with NER alone: one seed, sizes of a few numbers, the word vectors and the model small ones."""
    table_runs, features = import_module("table.runs"), import_module("table.features")
    sizes = {"WIDTH": "6", "LAYERS": "2", "BATCH_SIZE": "12", "WORD_VECTORS_DIM": "5"}
    ner = replace(table_runs.BY_NAME["ner"], epochs=epochs, seeds=(1,), batches=2, sizes=sizes)
    values = {"TASKS": (ner,), "MODEL": str(model), "WORD_VECTORS": str(vectors), "SEEDS": (1,)}
    for name, value in (values | {"BY_NAME": table_runs.BY_NAME | {"ner": ner}}).items():
        set_attribute(table_runs, name, value)
    set_attribute(features, "MODEL", str(model))
    return table_runs


# The command in a process of its own, on the tiny table. Arguments: three folders of modules, the model, word
# vectors, epochs, and the command's.
DRIVER = """
import sys
sys.path[:0] = sys.argv[1:4]
from test_reproduce_table import make_tiny
make_tiny(setattr, sys.argv[4], sys.argv[5], epochs=int(sys.argv[6]))
import reproduce_table
sys.argv[1:] = sys.argv[7:]
reproduce_table.main()
"""


@pytest.fixture
def tiny(monkeypatch, small_model_folder, data):
    """The tiny table in this process."""
    yield make_tiny(monkeypatch.setattr, small_model_folder, data / "vectors.txt")
    import_module("table.features").model.cache_clear()


@pytest.fixture
def reproduce(tiny, data, run_script, monkeypatch, tmp_path):
    """Run the command in this process, on the tiny table."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    folders = ("--data", data, "--work", tmp_path / "work", "--results", tmp_path / "results")
    return lambda *arguments: run_script("reproduce_table.py", *arguments, *folders)


def a_record(run, score=0.5, seconds=120.0, **changes):
    """A made-up record."""
    return {
        "run": run.name,
        "task": run.task.name,
        "variant": run.variant.name,
        "seed": run.seed,
        "share": run.share,
        "scores": {"test": {run.task.metric: score}, "validation": {}},
        "seconds": seconds,
        **dict.fromkeys(("data_sha256", "best_epoch", "learning_curve", "mixes", "starts", "config", "settings")),
        **changes,
    }


@pytest.fixture
def start(data, tmp_path, small_model_folder):
    """Start the command in a process group of its own, on the tiny table with many epochs."""
    places = (SCRIPTS, ROOT / "tests", Path(__file__).parent)
    folders = ("--data", data, "--work", tmp_path / "work", "--results", tmp_path / "results")
    command = [
        sys.executable,
        "-c",
        DRIVER,
        *places,
        small_model_folder,
        data / "vectors.txt",
        25,
        "ner",
        *folders,
        "--jobs",
        "1",
    ]
    started = []

    def start():
        started.append(
            subprocess.Popen(list(map(str, command)), cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE)
        )
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


@pytest.mark.slow
def test_a_killed_run_goes_on_after_its_last_epoch(start, tmp_path):
    process = start()
    trained = tmp_path / "work" / "ner" / "runs" / "ner-baseline-1" / "model"
    while not list(trained.glob("metrics_epoch_[2-9].json")):
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "results").exists()
    again = start()
    assert again.wait() == 0, again.stderr.read().decode()
    records = [json.loads((tmp_path / "results" / f"{name}.json").read_text("utf-8")) for name in NAMES]
    assert [record["epochs"] for record in records] == [25, 25]
    assert [record["starts"] for record in records] == [2, 1]
    assert [point["epoch"] for point in records[0]["learning_curve"]] == list(range(1, 26))


@pytest.mark.slow
def test_two_runs_once(reproduce, tmp_path):
    done = reproduce("ner")
    assert done.returncode == 0, done.stderr
    results = tmp_path / "results"
    assert sorted(path.stem for path in results.iterdir()) == list(NAMES)
    records = {name: json.loads((results / f"{name}.json").read_text("utf-8")) for name in NAMES}
    for name, record in records.items():
        assert record["run"] == name
        assert record["epochs"] == len(record["learning_curve"]) == 2
        assert record["starts"] == 1
        assert record["seconds"] > 0
        assert 0 <= record["scores"]["test"]["f1-measure-overall"] <= 1
        assert record["config"]["pytorch_seed"] == record["seed"] == 1
        assert str(tmp_path) not in json.dumps(record)
        assert not list((tmp_path / "work" / "ner" / "runs" / name / "model").glob("training_state*"))
    baseline, elmo = records.values()
    assert baseline["mixes"] == {}
    assert baseline["settings"]["model_sha256"] is None
    (mix,) = elmo["mixes"].values()
    assert sum(mix["weights"]) == pytest.approx(1, abs=1e-6)
    assert len(mix["weights"]) == 3
    assert mix["gamma"] != 1
    assert elmo["config"]["dataset_reader"]["token_indexers"]["elmo"]["type"] == "elmo_layer_file"
    assert len(elmo["settings"]["model_sha256"]) == 64
    assert baseline["data_sha256"] == elmo["data_sha256"]
    before = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    again = reproduce("--task", "ner")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("2 of 2 runs are there\n")
    scores = [100 * record["scores"]["test"]["f1-measure-overall"] for record in records.values()]
    head, *told = again.stdout.splitlines()[-3:]
    assert head.split() == [str(results), "docs/results"]
    for line, score in zip(told, scores, strict=True):
        assert f" {score:.2f} " in line
        assert line.endswith(" (other data)")
    assert {path: path.stat().st_mtime_ns for path in results.iterdir()} == before
    removed = results / f"{NAMES[0]}.json"
    removed.unlink()
    trained = tmp_path / "work" / "ner" / "runs" / NAMES[0] / "model" / "metrics.json"
    first = trained.stat().st_mtime_ns
    assert reproduce("ner").returncode == 0
    assert trained.stat().st_mtime_ns > first
    assert json.loads(removed.read_text("utf-8"))["scores"] == baseline["scores"]


def test_a_compared_run_is_told_by_its_development_score(tiny):
    import_module("table.runs")
    command = import_module("reproduce_table")
    (run,) = (run for run in tiny.groups()["ablations"] if run.name == "ner-top-1")
    record = a_record(run) | {"scores": {"validation": {run.task.metric: 0.25}}}
    assert "25.00%" in command.listing([run], {run.name: record})


@pytest.mark.slow
def test_a_compared_run_is_not_scored_on_test(tiny, data, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    records = import_module("table.records")
    (run,) = (run for run in tiny.groups()["ablations"] if run.name == "ner-top-1")
    import_module("table.process").allow()
    record = import_module("table.training").perform(
        run, records.Folders(data, tmp_path / "work", tmp_path / "results")
    )
    assert list(record["scores"]) == ["validation"]
    assert 0 <= record["scores"]["validation"][run.task.metric] <= 1


def test_what_is_left_is_told(reproduce, tiny, tmp_path, data):
    runs = tiny.groups()["ner"]
    records, folders = (
        import_module("table.records"),
        import_module("table.records").Folders(data, tmp_path, tmp_path / "results"),
    )
    folders.results.mkdir()
    record = a_record(
        runs[0],
        settings=records.settings(runs[0], folders),
        config=import_module("table.training").configuration(runs[0], folders),
    )
    folders.record(runs[0]).write_text(json.dumps(record), encoding="utf-8")
    told = reproduce("ner", "--list", "--jobs", "1").stdout.splitlines()
    assert [line.split() for line in told[:2]] == [
        ["ner-baseline-1", "span", "F1", "50.00%,", "2.0", "min"],
        ["ner-elmo-1", "about", "12", "min"],
    ]
    assert told[2] == "1 of 2 runs are there; the other 1 take about 0 h 12 min"


def test_what_is_left_takes_no_less_than_its_longest_run(tiny):
    command, (run, other) = import_module("reproduce_table"), tiny.groups()["ner"]
    records = {other.name: a_record(other)}
    assert command.outlook([run, other], records, jobs=2) == (
        "1 of 2 runs are there; the other 1 take about 0 h 12 min"
    )


def test_settings_and_configurations_say_nothing_of_the_folders(tiny, data, tmp_path):
    records, (run,) = (
        import_module("table.records"),
        [run for run in tiny.groups()["ablations"] if run.name == "ner-both-1"],
    )
    folders = [records.Folders(data, tmp_path / name, tmp_path / "results") for name in ("here", "there")]
    here, there = (records.settings(run, one) for one in folders)
    assert here == there
    assert "hdf5" in str(here["overrides"])
    assert str(tmp_path) not in str(here)
    config = {"a": [f"{tmp_path}/work/x.hdf5", 3], "b": {"c": f"{tmp_path}/workshop"}, "d": "no/work/path"}
    portable = records.portable(config, f"{tmp_path}/work/")
    assert portable == config | {"a": ["WORK/x.hdf5", 3]}


def test_a_record_of_other_settings_is_not_taken(reproduce, tiny, tmp_path, data):
    run = tiny.groups()["ner"][0]
    folders = import_module("table.records").Folders(data, tmp_path, tmp_path / "results")
    folders.results.mkdir()
    other = import_module("table.records").settings(run, folders) | {"share": 20}
    folders.record(run).write_text(json.dumps(a_record(run, settings=other)), encoding="utf-8")
    said = reproduce("ner").stderr
    assert "ner-baseline-1.json must be of the run as it is now, its share differ; remove it" in said


def test_a_record_of_another_configuration_is_not_taken(reproduce, tiny, tmp_path, data):
    run = tiny.groups()["ner"][0]
    folders = import_module("table.records").Folders(data, tmp_path, tmp_path / "results")
    folders.results.mkdir()
    config = import_module("table.training").configuration(run, folders)
    assert config["train_data_path"] == "WORK/ner/data/train.txt"
    config["trainer"]["optimizer"]["lr"] *= 2
    record = a_record(run, settings=import_module("table.records").settings(run, folders), config=config)
    folders.record(run).write_text(json.dumps(record), encoding="utf-8")
    said = reproduce("ner").stderr
    assert "ner-baseline-1.json must be of the run as it is now, its config differ; remove it" in said


def test_a_training_of_other_settings_is_not_gone_on_with(tmp_path):
    forget_other = import_module("table.training")._forget_other
    trained = tmp_path / "model" / "metrics.json"

    def is_kept(begun_with):
        trained.parent.mkdir(exist_ok=True)
        trained.write_text("{}", encoding="utf-8")
        forget_other(tmp_path, begun_with)
        return trained.exists()

    assert not is_kept({"alpha": 1.0})  # of whatever was there before
    assert is_kept({"alpha": 1.0})
    assert not is_kept({"alpha": 0.001})
    assert is_kept({"alpha": 0.001})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nerd",), "a name must be one of ner, shares, ablations, states, advice, fixed, got nerd; name one"),
        (("ner", "--jobs", "0"), "--jobs must be at least 1, got 0; leave it out for 2"),
    ],
)
def test_arguments_that_cannot_be(reproduce, refusal, arguments, message):
    done = reproduce(*arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert message in done.stderr


def test_data_that_are_not_there(reproduce, data):
    (data / "ner" / "bc5cdr_typed" / "train.tsv").unlink()
    assert "SOURCE must have one file for train" in reproduce("ner", "--jobs", "1").stderr


def test_without_allennlp(reproduce, refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "allennlp", None)
    assert "the runs need AllenNLP, which is not installed; python -m" in reproduce("ner").stderr
    assert reproduce("ner", "--list").returncode == 0


def test_word_vectors_that_are_not_there(reproduce, data):
    (data / "vectors.txt").unlink()
    assert "vectors.txt" in reproduce("ner", "--jobs", "1").stderr


def test_every_first_seed_comes_before_any_second(monkeypatch, tmp_path):
    command, done = import_module("reproduce_table"), []
    record = {
        "scores": {"test": {"f1-measure-overall": 0.5, "accuracy": 0.5}},
        "seconds": 60,
        "task": "",
        "share": 100,
    }

    def perform(run, folders):
        done.append(run.name)
        return record | {"variant": run.variant.name}

    monkeypatch.setattr(command, "perform", perform)
    monkeypatch.setattr(command, "_check_inputs", lambda *_: None)
    runs = command.chosen(["sst5", "ner"])
    command.perform_all(runs, {runs[0].name: record | {"variant": "baseline"}}, None, jobs=1)
    assert done == [
        *("sst5-elmo-1", "ner-baseline-1", "ner-elmo-1"),
        *(f"{task}-{side}-{seed}" for seed in (2, 3) for task in ("sst5", "ner") for side in ("baseline", "elmo")),
    ]
