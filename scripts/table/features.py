"""ELMo's vectors of a task's sentences, computed once for all runs that need them.

The sentences are those that the task's reader gives: every text field of the three splits, each distinct one once,
in one layer file (`embed-to-hdf5 --layout packed --dtype float16`), which holds numbers to 0.05 % in half the room.
"""

import copy
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file
from pytorch_elmo.model import BiLM
from pytorch_elmo.weights.convert import convert
from pytorch_elmo.weights.load import load_pretrained, model_hash, save_pretrained
from table.data import Splits
from table.process import run_command
from table.runs import MODEL, Run
from table.variants import Features

CONFIGS = Path("configs")
WARMED_BY = 2000  # sentences of the training part


@functools.cache
def model() -> tuple[BiLM, str]:
    """The model behind the vectors, and its hash."""
    bilm = load_pretrained(MODEL)
    return bilm, model_hash(bilm)


def features_of(run: Run, work: Path) -> Features:
    """What a run's configuration is told, whether the vectors are there yet or not."""
    if not run.variant.has_elmo:
        return Features("", 0, "")
    bilm, its_hash = model()
    short = its_hash[:12]
    file = work / f"layers-{run.variant.layers}-{run.variant.state}-{short}.hdf5"
    return Features(str(file), bilm.config.dim, str(work / f"model-{short}"))


def make_features(run: Run, splits: Splits, work: Path, lock: int) -> None:
    """Compute a run's vectors if they are not there.

    Raises:
        ConfigurationError: a command failed.
        TextError: a token cannot stand between blanks.
    """
    features = features_of(run, work)
    if not run.variant.has_elmo or Path(features.layer_file).exists():
        return
    folder = Path(features.model_folder)
    if not folder.exists():
        convert(MODEL, folder, "allennlp")
    sentences = work / "sentences.txt"
    if not sentences.exists():
        with whole_file(sentences) as partial, partial.open("w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in dict.fromkeys(_texts(run, splits)))
    source = _warmed(sentences, folder.with_name(f"{folder.name}-warmed")) if run.variant.state == "warmed" else MODEL
    run_command(
        "embed-to-hdf5", sentences, features.layer_file, f"--{run.variant.layers}", "--model", source,
        "--layout", "packed", "--dtype", "float16", "--resume", "--file-friendly-logging",
        *(["--stateful"] if run.variant.state == "carried" else []),
        lock=lock, log=work / "features.log",
    )  # fmt: skip


def _texts(run: Run, splits: Splits) -> Iterator[str]:
    """What the reader gives as text fields, with blanks between tokens."""
    from allennlp.common import Params
    from allennlp.common.plugins import import_plugins
    from allennlp.data import DatasetReader
    from allennlp.data.fields import TextField

    import_plugins()
    config = CONFIGS / f"{run.task.name}.jsonnet"
    settings: Any = Params.from_file(config, dict(run.task.overrides), ext_vars=run.variables).as_dict(quiet=True)
    train = settings["dataset_reader"]
    readers = [train, *[settings.get("validation_dataset_reader", train)] * 2]
    for split, reader in zip(splits, readers, strict=True):
        for instance in DatasetReader.from_params(Params(copy.deepcopy(reader))).read(str(split)):
            for field in instance.fields.values():
                if isinstance(field, TextField) and field.tokens:
                    yield _joined([str(token.text) for token in field.tokens], split)


def _joined(tokens: list[str], split: Path) -> str:
    text = " ".join(tokens)
    if text.split() != tokens:
        raise TextError(f"{split}: a token must have no blank in it, got {text[:60]!r}; take another tokenizer")
    return text


def _warmed(sentences: Path, folder: Path) -> Path:
    """The model with another start: the mean of the states at the ends of sentences."""
    from measure_state import warmed_state

    if not folder.exists():
        bilm = load_pretrained(MODEL)  # one of its own: the other is every thread's
        texts = [line.split() for line in sentences.read_text(encoding="utf-8").split("\n")[:WARMED_BY]]
        bilm.lstm.start = warmed_state(bilm, texts)
        partial = folder.with_name(f"{folder.name}.partial")
        save_pretrained(bilm, partial)
        os.replace(partial, folder)
    return folder
