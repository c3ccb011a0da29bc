"""What a finished run leaves in docs/results/: what it was, and what came out."""

import importlib.metadata
import itertools
import json
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.formats.torch_file import read_tensors
from table import runs
from table.data import Splits, data_sha256, word_vectors, word_vectors_sha256
from table.features import features_of, model
from table.runs import Run
from table.variants import Json

_PARTS = (  # of a record, as it is read
    *("task", "variant", "share", "seed", "settings", "config", "data_sha256"),
    *("scores", "best_epoch", "seconds", "starts", "learning_curve", "mixes"),
)
METRICS, TEST, PREDICTIONS = "metrics.json", "test.json", "test_predictions.jsonl"
MACRO_F1 = "macro-f1"
_PARAMETERS, _GAMMA = ".scalar_parameters.", ".gamma"


class Folders:
    """Where a run's parts are.

    data: the published sets. work: what is made of them, and trainings. results: the records.
    """

    def __init__(self, data: Path, work: Path, results: Path) -> None:
        self.data, self.work, self.results = data, work, results

    def record(self, run: Run) -> Path:
        """The file of a finished run."""
        return self.results / f"{run.name}.json"

    def task(self, run: Run) -> Path:
        """What all runs of a task share."""
        return self.work / run.task.name

    def training(self, run: Run) -> Path:
        """AllenNLP's serialization directory."""
        return self.task(run) / "runs" / run.name

    @cached_property
    def word_vectors(self) -> Path:
        """The file of word vectors, made if it is not there.

        Raises:
            TextError: there are none of such a name.
        """
        return word_vectors(runs.WORD_VECTORS, self.work)

    @cached_property
    def word_vectors_sha256(self) -> str:
        """Of their text; read once."""
        return word_vectors_sha256(self.word_vectors)


def settings(run: Run, folders: Folders) -> Json:
    """What makes a run what it is, but for the data: a record with others is of another run."""
    return {
        "configuration": run.variant.base.format(run.task.name),
        "variables": run.variables,
        "overrides": run.overrides(features_of(run, Path(run.task.name))),  # wherever the folder of the work is
        "share": run.share,
        "model": runs.MODEL if run.variant.has_elmo else None,
        "model_sha256": model()[1] if run.variant.has_elmo else None,
        "word_vectors_sha256": folders.word_vectors_sha256,
    }


def read_json(path: Path) -> Json:
    """A JSON object.

    Raises:
        ConfigurationError: the file is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} must be JSON, it is not: {error}; remove it, and it is made anew"
        ) from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} must be a JSON object, got {found!s:.40}; remove it, and it is made anew")
    return found


def read_record(path: Path) -> Json:
    """A finished run.

    Raises:
        ConfigurationError: the file is no record.
    """
    record = read_json(path)
    if missing := [name for name in _PARTS if name not in record]:
        raise ConfigurationError(
            f"{path} must be the record of a run, it has no {', '.join(missing)}; remove it, and its run is done anew"
        )
    return record


def make_record(run: Run, folders: Folders, splits: Splits) -> Json:
    """The record of a run that was trained, and scored on test if it is one of a task's two sides."""
    folder = folders.training(run)
    metrics = read_json(folder / "model" / METRICS)
    scores = {"validation": _best(metrics)}
    if run.part == "test":
        scores["test"] = _on_test(run, folder, splits)
    epochs = _epochs(folder / "model")
    seconds = starts([_duration(epoch["training_duration"]) for epoch in epochs])
    return {
        "run": run.name,
        "task": run.task.name,
        "variant": run.variant.name,
        "seed": run.seed,
        "share": run.share,
        "settings": settings(run, folders),
        "data_sha256": data_sha256(splits),
        "scores": scores,
        "best_epoch": metrics["best_epoch"] + 1,
        "epochs": len(epochs),
        "parameters": _num_parameters(folder / "model"),
        "seconds": round(sum(seconds), 1),
        "starts": len(seconds),
        "learning_curve": [_point(run, epoch) for epoch in epochs],
        "mixes": mixes(folder / "model" / "best.th"),
        "versions": {name: importlib.metadata.version(name) for name in ("pytorch-elmo", "torch", "allennlp")},
        "config": portable(read_json(folder / "model" / "config.json"), f"{folders.work}/"),
    }


def _on_test(run: Run, folder: Path, splits: Splits) -> Json:
    test = {name: value for name, value in read_json(folder / TEST).items() if not name.startswith("_")}
    if run.task.metric == MACRO_F1:
        test[MACRO_F1] = macro_f1(_gold_labels(splits.test), _predicted_labels(folder / PREDICTIONS))
    return test


def portable(value: Any, work: str) -> Any:
    """The same with WORK for the folder of the work: a record tells nothing of the machine that it was made on."""
    if isinstance(value, dict):
        return {name: portable(part, work) for name, part in value.items()}
    if isinstance(value, list):
        return [portable(part, work) for part in value]
    return f"WORK/{value.removeprefix(work)}" if isinstance(value, str) and value.startswith(work) else value


def _epochs(folder: Path) -> list[Json]:
    """AllenNLP's metrics after each epoch, in their order."""
    paths = sorted(folder.glob("metrics_epoch_*.json"), key=lambda path: int(path.stem.rpartition("_")[2]))
    return [read_json(path) for path in paths]


def _point(run: Run, epoch: Json) -> Json:
    wanted = f"validation_{run.task.metric}"
    score = epoch.get(wanted, epoch.get("validation_accuracy"))
    losses: Json = {name: epoch[name] for name in ("training_loss", "validation_loss") if name in epoch}
    return {"epoch": epoch["epoch"] + 1, "validation": score, **losses}


def _best(metrics: Json) -> Json:
    prefix = "best_validation_"
    return {name.removeprefix(prefix): value for name, value in metrics.items() if name.startswith(prefix)}


def starts(durations: list[float]) -> list[float]:
    """The seconds of each start of a training, from the seconds since its start at each epoch."""
    followed = itertools.pairwise([*durations, 0.0])
    return [seconds for seconds, after in followed if after < seconds]


def _duration(text: str) -> float:
    """Seconds of H:MM:SS.ffffff, as AllenNLP writes them."""
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds)).total_seconds()


def _num_parameters(folder: Path) -> int:
    return sum(tensor.numel() for tensor in read_tensors(folder / "best.th").values())


def mixes(weights: Path) -> dict[str, Json]:
    """Of each learned mixture its layers' weights, which sum to 1, and gamma, by its place in the model."""
    tensors = read_tensors(weights)
    found: dict[str, Json] = {}
    for name in sorted(tensors):
        place, is_gamma, _ = name.partition(_GAMMA)
        if is_gamma and f"{place}{_PARAMETERS}0" in tensors:
            layers = sum(key.startswith(f"{place}{_PARAMETERS}") for key in tensors)
            scalars = torch.cat([tensors[f"{place}{_PARAMETERS}{layer}"] for layer in range(layers)])
            weights_of_layers = torch.softmax(scalars, dim=0).tolist()
            found[place] = {"weights": weights_of_layers, "gamma": float(tensors[name])}
    return found


def macro_f1(gold: list[str], predicted: list[str]) -> float:
    """The mean of the classes' F1, 0 to 1, over the classes that there are in `gold`.

    Raises:
        ConfigurationError: not as many predictions as labels.
    """
    if len(gold) != len(predicted):
        raise ConfigurationError(
            f"there must be a prediction for each of the {len(gold)} labels, got {len(predicted)}; score it again"
        )
    scores = []
    for label in sorted(set(gold)):
        right = sum(one == other == label for one, other in zip(gold, predicted, strict=True))
        scores.append(2 * right / (gold.count(label) + predicted.count(label)))
    return sum(scores) / len(scores)


def _gold_labels(path: Path) -> list[str]:
    return [json.loads(line)["label"] for line in path.read_text(encoding="utf-8").split("\n") if line]


def _predicted_labels(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [label for line in lines if line for label in json.loads(line)["label"]]
