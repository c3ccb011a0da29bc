"""The pictures of docs/results.md: learning curves, weights of layers, score against the share of training data."""

from pathlib import Path
from statistics import mean
from typing import Any

from table.runs import BY_NAME, SHARES, TASKS, Task
from table.summary import Results
from table.variants import BASELINE, ELMO, Json

COLOURS = {BASELINE.name: "#aa3377", ELMO.name: "#4477aa"}
LAYERS = ("token layer", "LSTM 1", "LSTM 2")
_SHADES = ("#bbccee", "#4477aa", "#222255")
_COLUMNS = 4


def curve(records: list[Json]) -> list[float]:
    """The score on the development part after each epoch, in percent, the mean over seeds."""
    rows = [[100 * point["validation"] for point in record["learning_curve"]] for record in records]
    return [mean(scores) for scores in zip(*rows, strict=False)]


def draw_curves(results: Results, path: Path) -> bool:
    """Write the learning curves of the tasks that have any; returns whether there are."""
    tasks = [task for task in TASKS if results.of(task, BASELINE) or results.of(task, ELMO)]
    if not tasks:
        return False
    rows = -(-len(tasks) // _COLUMNS)
    figure, axes = _figure(rows, min(len(tasks), _COLUMNS), 3.2, 2.6)
    for axis, task in zip(axes, tasks, strict=False):
        for variant in (BASELINE, ELMO):
            scores = curve(results.of(task, variant))
            axis.plot(range(1, len(scores) + 1), scores, color=COLOURS[variant.name], label=variant.title)
        axis.set_title(task.title)
        axis.locator_params("x", integer=True)
        axis.set_xlabel("epoch")
        axis.set_ylabel(f"{_on_development(task)}, development")
    for axis in axes[len(tasks) :]:
        axis.set_visible(False)
    axes[0].legend(frameon=False)
    _save(figure, path)
    return True


def _on_development(task: Task) -> str:
    return "accuracy" if task.metric == "macro-f1" else task.metric_title.split(" of ")[0]


def layer_weights(results: Results, task: Task) -> tuple[list[float], float] | None:
    """The weights of the layers and gamma of a task's mixture, means over seeds; None if it was not run."""
    mixes = [mix for record in results.of(task, ELMO) for mix in record["mixes"].values()]
    if not mixes:
        return None
    weights = zip(*(mix["weights"] for mix in mixes), strict=True)
    return [mean(layer) for layer in weights], mean(mix["gamma"] for mix in mixes)


def draw_weights(results: Results, path: Path) -> bool:
    """Write how each task weighs the layers; returns whether any was run."""
    found = {task.title: mix[0] for task in TASKS if (mix := layer_weights(results, task)) is not None}
    if not found:
        return False
    figure, (axis,) = _figure(1, 1, 8, 0.45 * len(found) + 1.2)
    left = [0.0] * len(found)
    for layer, (name, shade) in enumerate(zip(LAYERS, _SHADES, strict=True)):
        widths = [weights[layer] for weights in found.values()]
        bars = axis.barh(list(found), widths, left=left, color=shade, label=name, height=0.7)
        axis.bar_label(bars, fmt="%.2f", label_type="center", color="black" if layer == 0 else "white")
        left = [one + other for one, other in zip(left, widths, strict=True)]
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.set_xlabel("weight after the softmax")
    axis.legend(ncols=3, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    _save(figure, path)
    return True


def draw_shares(results: Results, path: Path) -> bool:
    """Write the score against the share of the training data; returns whether any was run."""
    task = BY_NAME["ner"]
    figure, (axis,) = _figure(1, 1, 6, 3.6)
    drawn = False
    for variant in (BASELINE, ELMO):
        scores = {share: results.score(task, variant, share) for share in (*SHARES, 100)}
        points = {share: score.mean for share, score in scores.items() if score is not None}
        drawn |= any(share < 100 for share in points)
        axis.plot(list(points), list(points.values()), marker="o", color=COLOURS[variant.name], label=variant.title)
    axis.set_xscale("log")
    axis.set_xticks([*SHARES, 100], [f"{share} %" for share in (*SHARES, 100)])
    axis.minorticks_off()
    axis.set_xlabel("share of the training sentences")
    axis.set_ylabel(f"{task.metric_title}, test")
    axis.legend(frameon=False)
    if drawn:
        _save(figure, path)
    return drawn


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Any, list[Any]]:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})  # the same bytes of the same numbers
