"""The picture of a probing: a bar for each layer, tags on the left, senses on the right, baselines as lines."""

from pathlib import Path
from typing import Any

BASELINE = "baseline"
_PANELS = (
    ("tags", "part of speech, linear probe: accuracy", "each word's most frequent tag"),
    ("senses", "predicate sense, nearest neighbour: F1", "first (most frequent) sense"),
)
_BAR, _LINE = "#4477aa", "#aa3377"


def draw(results: dict[str, Any], path: Path) -> None:
    """Write the picture; scores on test in percent, with 95 % intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(_PANELS), figsize=(11, 4.4), layout="constrained")
    for axis, (part, title, baseline_name) in zip(axes, _PANELS, strict=True):
        baseline = 100 * results[part][BASELINE]["test"]["score"]
        layers = {name: found["test"] for name, found in results[part].items() if name != BASELINE}
        scores = [100 * found["score"] for found in layers.values()]
        errors = [100 * found["half_width"] for found in layers.values()]
        bars = axis.bar(list(layers), scores, yerr=errors, color=_BAR, width=0.6, capsize=4, ecolor="#333333")
        axis.bar_label(bars, fmt="%.1f", label_type="center", color="white", fontweight="bold")
        axis.axhline(baseline, color=_LINE, linestyle="--", label=f"{baseline_name}: {baseline:.1f}")
        low, high = min(*scores, baseline), max(*scores, baseline)
        bottom = max(0.0, 5 * ((low - max(high - low, 5)) // 5))
        axis.set_ylim(bottom, min(100.0, high + 0.25 * (high - bottom) + 1))
        axis.set_title(title)
        axis.set_ylabel(f"percent on test (the axis begins at {bottom:.0f})")
        axis.legend(loc="upper left", frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"What each layer of {results['model']['name']} knows")
    figure.savefig(path, dpi=120)
    plt.close(figure)
