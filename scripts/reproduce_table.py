"""Reproduce docs/results.md: train each task without and with ELMo, score it, keep a record of each run.

    python scripts/reproduce_table.py ner              # a task's runs; several names, or none for everything
    python scripts/reproduce_table.py ner --results R  # anew, into the folder R; ends with figures beside the page's
    python scripts/reproduce_table.py --list           # what there is, what is left, and how long it takes
    python scripts/results_page.py                     # the page and its pictures, from the records

DATA has the sets as they are published (scripts/table/data.py names the files). What is made of them, ELMo's vectors
and the trainings go to WORK; a finished run is one file in docs/results/. A run that has its file is not done again;
stopped or killed, the same command goes on: within a run from its last whole epoch. Names are the tasks, and
`shares` (NER with a share of the training data), `ablations`, `states` and `advice` (on NER and SST-5), and `fixed`
(word vectors, on SST-5).
"""

import argparse
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from types import FrameType

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError
from table.data import check_source
from table.process import StoppedError, allow, stop
from table.records import Folders, read_record, settings
from table.runs import Run, groups
from table.summary import side_by_side
from table.training import configuration, perform
from table.variants import Json

RESULTS = Path("docs/results")  # what the page is made of


def chosen(names: list[str]) -> list[Run]:
    """The runs of the groups that are named, all if none is, each once.

    Raises:
        ConfigurationError: no group has such a name.
    """
    known = groups()
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"a name must be one of {', '.join(known)}, got {name}; name one, or none for all"
            )
    runs = [run for name in names or known for run in known[name]]
    return list({run.name: run for run in runs}.values())


def finished(runs: list[Run], folders: Folders) -> dict[str, Json]:
    """The records that are there, by the names of their runs.

    Their configurations are compared where AllenNLP, which reads them, is installed.

    Raises:
        ConfigurationError: a record is of a run with other settings.
    """
    has_allennlp = find_spec("allennlp") is not None
    records = {}
    for run in runs:
        path = folders.record(run)
        if path.exists():
            records[run.name] = record = read_record(path)
            wanted = settings(run, folders)
            differing = [name for name in wanted if record["settings"].get(name) != wanted[name]]
            if not differing and has_allennlp and record["config"] != configuration(run, folders):
                differing = ["config"]
            if differing:
                raise ConfigurationError(
                    f"{path} must be of the run as it is now, its {' and '.join(differing)} differ; remove it, and "
                    "the run is done anew, or go back to what it was made with"
                )
    return records


def minutes(run: Run, records: dict[str, Json]) -> float:
    """How long a run takes: as those of its task and side that are finished, or else as the table says."""
    same = [
        record["seconds"] / 60
        for record in records.values()
        if (record["task"], record["variant"] == "baseline") == (run.task.name, not run.variant.has_elmo)
        and record["share"] == run.share
    ]
    return mean(same) if same else run.task.minutes[run.variant.has_elmo]


def outlook(runs: list[Run], records: dict[str, Json], jobs: int) -> str:
    """What is left, in one line."""
    left = [run for run in runs if run.name not in records]
    each = [minutes(run, records) for run in left]
    hours, rest = divmod(round(max(sum(each) / jobs, *each, 0)), 60)
    done = f"{len(runs) - len(left)} of {len(runs)} runs are there"
    return f"{done}; the other {len(left)} take about {hours} h {rest:02} min" if left else done


def listing(runs: list[Run], records: dict[str, Json]) -> str:
    """A line for each run."""
    lines = []
    for run in runs:
        if run.name in records:
            record = records[run.name]
            score = f"{record['scores'][run.part][run.task.metric]:.2%}"
            lines.append(f"{run.name:26} {run.task.metric_title} {score}, {record['seconds'] / 60:.1f} min")
        else:
            lines.append(f"{run.name:26} about {minutes(run, records):.0f} min")
    return "\n".join(lines)


def _check_inputs(left: list[Run], folders: Folders) -> None:
    """Say before hours of work what is not there."""
    if find_spec("allennlp") is None:
        raise ConfigurationError(
            "the runs need AllenNLP, which is not installed; python -m pytorch_elmo.setup_allennlp installs it"
        )
    for run in left:
        check_source(run.task.name, folders.data, folders.task(run))
    folders.word_vectors_sha256  # noqa: B018 -- raises where there are none


def perform_all(runs: list[Run], records: dict[str, Json], folders: Folders, jobs: int) -> None:
    """Do what is left, some at a time, and tell of each; every first seed before any second.

    Raises:
        PytorchElmoError: something is not there, or a run failed; those that had begun were ended.
    """
    left = sorted((run for run in runs if run.name not in records), key=lambda run: run.seed)
    _check_inputs(left, folders)
    allow()
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(perform, run, folders): run for run in left}
        try:
            for future in as_completed(futures):
                records[futures[future].name] = future.result()
                print(listing([futures[future]], records), outlook(runs, records, jobs), sep="\n  ", flush=True)
        except BaseException:
            stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Read the arguments, do what is left, and say so."""
    parser = argparse.ArgumentParser(description="Train each task without and with ELMo, and keep the scores.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(groups())}; all if left out")
    parser.add_argument("--task", action="append", default=[], metavar="TASK", help="the same")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="(default: %(default)s)")
    parser.add_argument("--work", type=Path, default=Path("work/table"), help="(default: %(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="(default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, a core each (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="say what is left, and do nothing")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    folders = Folders(arguments.data, arguments.work, arguments.results)
    try:
        if arguments.jobs < 1:
            raise ConfigurationError(f"--jobs must be at least 1, got {arguments.jobs}; leave it out for 2")
        runs = chosen([*arguments.tasks, *arguments.task])
        records = finished(runs, folders)
        print(*([listing(runs, records)] if arguments.list else []), outlook(runs, records, arguments.jobs), sep="\n")
        if not arguments.list:
            if len(records) < len(runs):
                perform_all(runs, records, folders, arguments.jobs)
            else:
                print("none of them is done again; --results FOLDER does them anew, beside these")
            print(side_by_side(runs, list(dict.fromkeys([arguments.results, RESULTS]))))
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"reproduce_table.py: {error}")
    except (KeyboardInterrupt, StoppedError):
        sys.exit("reproduce_table.py: stopped; the same command goes on")


if __name__ == "__main__":
    main()
