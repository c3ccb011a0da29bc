"""How much faster the task models of configs/ train here than with AllenNLP's own functions, in one run.

    python scripts/bench_tasks.py [TASK...] [--steps 20] [--data DATA] [--work WORK] [--json FILE]

Each task of scripts/reproduce_table.py without ELMo, at its size there, on the first batches of its training data:
once with AllenNLP's functions as they are, once with those that this project puts in their place (encoders.py,
packed_lstm.py, viterbi.py and optimizers.py of the plug-in). Both start from the same parameters, get the same
batches and random numbers, and take turns, step by step; a step is forward, backward and Adam. One thread, as the
table's runs have it. The losses must be AllenNLP's to 1e-3, relative.
"""

import copy
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import torch
from allennlp.common import Params
from allennlp.common.plugins import import_plugins
from allennlp.data import Batch, DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.training.optimizers import AdamOptimizer

from bench_train import Trained
from table.data import Splits, prepare, word_vectors
from table.runs import BY_NAME, WORD_VECTORS, Run
from table.variants import BASELINE, Features

TOLERANCE = 1e-3
CHANGED = (
    ("allennlp.modules.token_embedders.token_characters_encoder", "TokenCharactersEncoder", "forward"),
    ("allennlp.modules.augmented_lstm", "AugmentedLstm", "forward"),
    ("allennlp.modules.encoder_base", "_EncoderBase", "sort_and_run_forward"),
    (
        "allennlp.modules.conditional_random_field.conditional_random_field",
        "ConditionalRandomField",
        "viterbi_tags",
    ),
    ("allennlp.training.optimizers", "AdamOptimizer", "__init__"),
)
Figures = dict[str, float]
Functions = Callable[[], AbstractContextManager[None]]


@contextmanager
def as_in_allennlp() -> Iterator[None]:
    """AllenNLP's own functions for as long as it lasts."""
    owners = [(getattr(importlib.import_module(module), name), method) for module, name, method in CHANGED]
    ours = [getattr(owner, method) for owner, method in owners]
    for (owner, method), function in zip(owners, ours, strict=True):
        setattr(owner, method, inspect.unwrap(function))
    try:
        yield
    finally:
        for (owner, method), function in zip(owners, ours, strict=True):
            setattr(owner, method, function)


SIDES: tuple[Functions, Functions] = (as_in_allennlp, nullcontext)


def make_model(run: Run, splits: Splits, work: Path, steps: int) -> tuple[Model, list[Any]]:
    """A task's model as its configuration has it, and the first batches of its training data."""
    paths = {"TRAIN_DATA_PATH": splits.train, "VALIDATION_DATA_PATH": splits.dev, "TEST_DATA_PATH": splits.test}
    variables = {name: str(path) for name, path in paths.items()}
    variables |= run.variables | {"WORD_VECTORS": str(word_vectors(WORD_VECTORS, work))}
    config = Path("configs") / f"{run.task.name}.jsonnet"
    params = Params.from_file(config, run.overrides(Features("", 0, "")), ext_vars=variables)
    batch_size = int(run.task.sizes["BATCH_SIZE"])
    instances = list(DatasetReader.from_params(params["dataset_reader"]).read(str(splits.train)))
    vocabulary = Vocabulary.from_instances(instances)  # of all, for Adam moves all word vectors
    batches = []
    for first in range(0, min(len(instances), steps * batch_size), batch_size):
        batch = Batch(instances[first : first + batch_size])
        batch.index_instances(vocabulary)
        batches.append(batch.as_tensor_dict())
    torch.manual_seed(run.seed)
    return Model.from_params(params["model"], vocab=vocabulary).train(), batches


def make_trained(model: Model) -> Trained:
    """The model with its Adam, as a configuration makes it."""
    learned = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    return Trained(model, AdamOptimizer(learned, lr=1e-3))


def compare(run: Run, splits: Splits, work: Path, steps: int) -> Figures:
    """Seconds of all steps but the first, their ratio, and how far losses are apart."""
    model, batches = make_model(run, splits, work, steps)
    turns: list[tuple[Trained, Functions]] = []
    for functions in SIDES:
        with functions():
            turns.append((make_trained(copy.deepcopy(model)), functions))
    (theirs, _), (ours, _) = turns
    for step, batch in enumerate(batches):
        for side, functions in turns if step % 2 else reversed(turns):  # what comes second finds warm caches
            with functions():
                side.take(batch, step)
    each = len(batches) - 1  # the first warms up, and is left out on both sides
    took = [sum(side.seconds[1:]) / each for side in (theirs, ours)]
    apart = max(abs(one - other) / abs(other) for one, other in zip(ours.losses, theirs.losses, strict=True))
    return {"AllenNLP, s a step": took[0], "ours, s a step": took[1], "times": took[0] / took[1], "losses": apart}


@click.command()
@click.argument("tasks", nargs=-1, type=click.Choice(list(BY_NAME)))
@click.option("--steps", default=20, show_default=True, type=click.IntRange(2), help="Training steps of a task.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/data"), show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("work/table"), show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(tasks: tuple[str, ...], steps: int, data: Path, work: Path, json_file: Path | None) -> None:
    """Measure and print; fails if the losses are not AllenNLP's."""
    torch.set_num_threads(1)
    import_plugins()
    figures = {}
    click.echo(f"{'a step, seconds':10} {'AllenNLP':>10} {'ours':>10} {'times as fast':>14} {'losses apart':>13}")
    for name in tasks or BY_NAME:
        run = Run(task=BY_NAME[name], variant=BASELINE, seed=1)
        found = figures[name] = compare(run, prepare(name, data, work / name), work, steps)
        theirs, ours, times, apart = found.values()
        click.echo(f"{name:15} {theirs:10.3f} {ours:10.3f} {times:14.2f} {apart:13.1e}")
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    if wrong := [name for name, found in figures.items() if not found["losses"] <= TOLERANCE]:
        sys.exit(f"losses must be AllenNLP's to {TOLERANCE}, they are not on {', '.join(wrong)}")


if __name__ == "__main__":
    main()
