"""One run of docs/results.md: `allennlp train`, `allennlp evaluate` on test, and what they found as one record."""

import functools
import json
import os
import shutil
from pathlib import Path

from pytorch_elmo.files import whole_file
from table.data import Splits, data_sha256, prepare, share_of, share_path, splits_of
from table.features import features_of, make_features
from table.process import run_command, sole
from table.records import MACRO_F1, METRICS, PREDICTIONS, TEST, Folders, make_record, portable, read_json, settings
from table.runs import Run
from table.variants import Json

CONFIGS = Path("configs")
_BEGUN_WITH = "settings.json"  # beside a training that has no record yet


def perform(run: Run, folders: Folders) -> Json:
    """Do a run, or what is left of it, and write its record; returns the record.

    Raises:
        PytorchElmoError: the data are not there, or a command failed.
        StoppedError: it was ended from outside.
    """
    with sole(folders.task(run)) as lock:
        splits = prepare(run.task.name, folders.data, folders.task(run))
        make_features(run, splits, folders.task(run), lock)
        part = splits._replace(train=share_of(splits.train, run.share))
    with sole(folders.training(run)) as lock:
        if not folders.record(run).exists():
            _forget_other(folders.training(run), _what_it_is(run, folders, part))
            _train(run, folders, part, lock)
            if run.part == "test":
                _evaluate(run, folders, part, lock)
            record = make_record(run, folders, part)
            folders.results.mkdir(parents=True, exist_ok=True)
            with whole_file(folders.record(run)) as partial:
                partial.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            _clear(folders.training(run))
        return read_json(folders.record(run))


def configuration(run: Run, folders: Folders) -> Json:
    """What AllenNLP is told of a run, as its record has it."""
    from allennlp.common.params import with_overrides

    splits = splits_of(run.task.name, folders.task(run))
    variables = _variables(run, folders, splits._replace(train=share_path(splits.train, run.share)))
    told = with_overrides(_evaluated(_path(run), *variables.items()), _overrides(run, folders))
    found: Json = portable(told, f"{folders.work}/")
    return found


@functools.cache
def _evaluated(path: Path, *variables: tuple[str, str]) -> Json:
    """A configuration as it stands: seeds and the like share one, and jsonnet takes its time."""
    from allennlp.common import Params

    told: Json = Params.from_file(path, ext_vars=dict(variables)).as_dict(quiet=True)
    return told


def _what_it_is(run: Run, folders: Folders, splits: Splits) -> Json:
    """All that makes a training this one."""
    told = configuration(run, folders)
    return {"settings": settings(run, folders), "config": told, "data_sha256": data_sha256(splits)}


def _forget_other(folder: Path, begun_with: Json) -> None:
    """Go on only with a training that is this one and has no record: remove any other."""
    path = folder / _BEGUN_WITH
    if not path.exists() or read_json(path) != begun_with:
        shutil.rmtree(folder / "model", ignore_errors=True)
        with whole_file(path) as partial:
            partial.write_text(json.dumps(begun_with), encoding="utf-8")


def _path(run: Run) -> Path:
    return CONFIGS / f"{run.variant.base.format(run.task.name)}.jsonnet"


def _overrides(run: Run, folders: Folders) -> Json:
    return run.overrides(features_of(run, folders.task(run)))


def _train(run: Run, folders: Folders, splits: Splits, lock: int) -> None:
    folder = folders.training(run) / "model"
    if _is_trained(folder):
        return
    recover = any(folder.glob("training_state_*.th"))
    if not recover:
        shutil.rmtree(folder, ignore_errors=True)
    run_command(
        "allennlp", "train", _path(run), "-s", folder, "--overrides", json.dumps(_overrides(run, folders)),
        "--file-friendly-logging", *(["--recover"] if recover else []), *_packages(run),
        lock=lock, log=folders.training(run) / "train.log", variables=_variables(run, folders, splits),
    )  # fmt: skip


def _is_trained(folder: Path) -> bool:
    """AllenNLP writes the metrics last, and not whole."""
    try:
        json.loads((folder / METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _packages(run: Run) -> list[str]:
    return ["--include-package", run.variant.package] if run.variant.package else []


def _variables(run: Run, folders: Folders, splits: Splits) -> dict[str, str]:
    """What the process finds in its environment."""
    paths = {"TRAIN_DATA_PATH": splits.train, "VALIDATION_DATA_PATH": splits.dev, "TEST_DATA_PATH": splits.test}
    found = {name: str(path) for name, path in paths.items()}
    found["WORD_VECTORS"] = str(folders.word_vectors)
    if run.variant.has_elmo:
        features = features_of(run, folders.task(run))
        found |= {"ELMO_LAYER_FILE": features.layer_file, "ELMO_DIM": str(features.dim)}
    places = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = {"OMP_NUM_THREADS": "1", "PYTORCH_ELMO_USE_FAST_ELMO": "1", "PYTHONPATH": os.pathsep.join(places)}
    return found | run.variables | process


def _evaluate(run: Run, folders: Folders, splits: Splits, lock: int) -> None:
    """Score the best epoch's model on test; predictions come in the order of the data, to be compared with it."""
    folder = folders.training(run)
    in_order = {"validation_data_loader": {"batch_size": int(run.task.sizes["BATCH_SIZE"])}}
    wanted = ["--predictions-output-file", folder / PREDICTIONS] if run.task.metric == MACRO_F1 else []
    run_command(
        "allennlp", "evaluate", folder / "model", splits.test, "--output-file", folder / TEST, *wanted,
        "--overrides", json.dumps(in_order), "--file-friendly-logging", *_packages(run),
        lock=lock, log=folder / "evaluate.log", variables=_variables(run, folders, splits),
    )  # fmt: skip


def _clear(folder: Path) -> None:
    """Leave the best weights, the configuration and the logs; where the record is removed, all is done anew."""
    (folder / _BEGUN_WITH).unlink()
    for pattern in ("model_state_*.th", "training_state_*.th", "model.tar.gz"):
        for path in (folder / "model").glob(pattern):
            path.unlink()
