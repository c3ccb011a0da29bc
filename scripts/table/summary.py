"""Numbers out of the records in docs/results/: means over seeds, gains, error cuts."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

from pytorch_elmo.errors import ConfigurationError
from table.records import read_record
from table.runs import Run, Task, groups
from table.variants import BASELINE, ELMO, Json, Variant


@dataclass(frozen=True)
class Score:
    """The figure of some runs on test, in percent, one value a seed."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return mean(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation; None of one seed."""
        return stdev(self.values) if len(self.values) > 1 else None

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:.2f}"
        return f"{self.mean:.2f}{spread}"


@dataclass(frozen=True)
class Gain:
    """A baseline and what is compared with it."""

    before: Score
    after: Score

    @property
    def points(self) -> float:
        """How many percent more are right."""
        return self.after.mean - self.before.mean

    @property
    def error_cut(self) -> float:
        """The share of the baseline's errors that are gone, in percent."""
        return 100 * self.points / (100 - self.before.mean)

    @property
    def deviations(self) -> float | None:
        """The gain over both sides' pooled standard deviation; None where there is none."""
        before, after = self.before.deviation, self.after.deviation
        if before is None or after is None or before == after == 0:
            return None
        return self.points / sqrt((before**2 + after**2) / 2)


class Results:
    """The records by the runs that they are of.

    Raises:
        ConfigurationError: a record cannot be read, or two of a task are of different data.
    """

    def __init__(self, folder: Path) -> None:
        self.groups = groups()
        runs = {run.name: run for group in self.groups.values() for run in group}
        self.records = {
            name: read_record(folder / f"{name}.json") for name in runs if (folder / f"{name}.json").exists()
        }
        self._runs = runs
        _check_same_data(self.records)

    def missing(self) -> dict[str, list[str]]:
        """Of each group the runs that have no record, by name."""
        left = {
            name: [run.name for run in group if run.name not in self.records] for name, group in self.groups.items()
        }
        return {name: runs for name, runs in left.items() if runs}

    def of(self, task: Task, variant: Variant, share: int = 100) -> list[Json]:
        """The records of a task's variant, by seed."""
        wanted = {
            run.name
            for run in self._runs.values()
            if (run.task.name, run.variant.name, run.share) == (task.name, variant.name, share)
        }
        return [self.records[name] for name in sorted(wanted) if name in self.records]

    def score(self, task: Task, variant: Variant, share: int = 100, part: str = "test") -> Score | None:
        """A variant's figure on test, or on another part; None if nothing has been run."""
        found = self.of(task, variant, share)
        return Score(tuple(_percent(record, task, part) for record in found)) if found else None

    def gain(self, task: Task, share: int = 100, variant: Variant = ELMO) -> Gain | None:
        """A variant against the baseline, over the seeds that both have; None where a side is not there."""
        pairs = self._pairs(task, BASELINE, variant, share)
        if not pairs:
            return None
        return Gain(*(Score(tuple(_percent(record, task) for record in side)) for side in zip(*pairs, strict=True)))

    def changes(self, task: Task, variant: Variant) -> list[float]:
        """Points on development against + ELMo, for each seed that both have."""
        pairs = self._pairs(task, ELMO, variant)
        return [_percent(b, task, "validation") - _percent(a, task, "validation") for a, b in pairs]

    def _pairs(self, task: Task, one: Variant, other: Variant, share: int = 100) -> list[tuple[Json, Json]]:
        """The records of two variants for each seed that both have."""
        first, second = ({record["seed"]: record for record in self.of(task, side, share)} for side in (one, other))
        return [(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]

    def catching_up(self, task: Task) -> list[tuple[int, int | None]]:
        """The epoch in which the baseline is best on development, and the first in which ELMo is better than that.

        A pair for each seed that both have; None where ELMo never is.
        """
        pairs = []
        for sides in self._pairs(task, BASELINE, ELMO):
            before, after = ([point["validation"] for point in side["learning_curve"]] for side in sides)
            better = (epoch for epoch, score in enumerate(after, 1) if score > max(before))
            pairs.append((before.index(max(before)) + 1, next(better, None)))
        return pairs

    def variants(self, group: str, task: Task) -> list[Variant]:
        """What a group compares on a task, in its order."""
        runs: Iterable[Run] = (run for run in self.groups[group] if run.task.name == task.name)
        return list({run.variant.name: run.variant for run in runs}.values())


def side_by_side(runs: Iterable[Run], folders: list[Path]) -> str:
    """The figures of runs in several folders of records, a column each; a line for each task, variant and share.

    Figures of other data than the first folder's are marked.

    Raises:
        ConfigurationError: as `Results`.
    """
    columns = [Results(folder) for folder in folders]
    lines = [["", *map(str, folders)]]
    for run in {(run.task.name, run.variant.name, run.share): run for run in runs}.values():
        share = "" if run.share == 100 else f", {run.share} % of the data"
        name = f"{run.task.title}, {run.task.metric_title}, {run.part}: {run.variant.title}{share}"
        lines.append([name, *(_figure(run, results, columns[0]) for results in columns)])
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join(
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
        for name, *cells in lines
    )


def _figure(run: Run, results: Results, first: Results) -> str:
    kind = run.task, run.variant, run.share
    data = {record["data_sha256"] for records in (first.of(*kind), results.of(*kind)) for record in records}
    score = results.score(*kind, run.part)
    return "-" if score is None else f"{score}{' (other data)' if len(data) > 1 else ''}"


def _percent(record: Json, task: Task, part: str = "test") -> float:
    return 100 * float(record["scores"][part][task.metric])


def _check_same_data(records: dict[str, Json]) -> None:
    """Figures of different data are not to be compared."""
    first: dict[tuple[str, int], str] = {}
    for name, record in records.items():
        other = first.setdefault((record["task"], record["share"]), name)
        if record["data_sha256"] != records[other]["data_sha256"]:
            raise ConfigurationError(
                f"{name} must have the data of {other}, its data_sha256 differs; remove the older record, and its "
                "run is done anew"
            )
