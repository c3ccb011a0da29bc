"""Write docs/results.md and its pictures from the records that scripts/reproduce_table.py left.

    python scripts/results_page.py

Whatever there is, is told, and what has not been run is named. Text between the lines `<!-- notes -->` and
`<!-- /notes -->` of the page stays as it was written.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.files import whole_file
from table.data import SOURCES
from table.pictures import LAYERS, draw_curves, draw_shares, draw_weights, layer_weights
from table.runs import BY_NAME, SHARES, TASKS, Task
from table.summary import Gain, Results
from table.variants import BASELINE, ELMO, Variant

PICTURES = {"results_curves.png": draw_curves, "results_weights.png": draw_weights, "results_shares.png": draw_shares}
NOTES = ("<!-- notes -->", "<!-- /notes -->")
_NOTHING = "–"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main_table(results: Results) -> str:
    """Baseline and ELMo, beside the paper's."""
    head = ["task", "figure", "baseline", "+ ELMo", "gain", "deviations", "error cut", "paper", "paper's gain", "cut"]
    return table(head, (_row(task, results.gain(task)) for task in TASKS))


def _row(task: Task, gain: Gain | None) -> list[str]:
    paper = [_NOTHING] * 3
    if task.paper is not None:
        before, after = task.paper
        paper = [f"{before} → {after}", f"{after - before:+.1f}", f"{100 * (after - before) / (100 - before):.1f} %"]
    if gain is None:
        return [task.title, task.metric_title, "not run yet", *[_NOTHING] * 4, *paper]
    sides = [str(gain.before), str(gain.after)]
    return [task.title, task.metric_title, *sides, f"{gain.points:+.2f}", _deviations(gain), _cut(gain), *paper]


def _deviations(gain: Gain) -> str:
    return _NOTHING if gain.deviations is None else f"{gain.deviations:.1f}"


def _cut(gain: Gain) -> str:
    return f"{gain.error_cut:.1f} %"


def catching_up_table(results: Results) -> str:
    """How soon ELMo is where the baseline ends."""
    rows = []
    for task in TASKS:
        if pairs := results.catching_up(task):
            best = ", ".join(str(epoch) for epoch, _ in pairs)
            passed = ", ".join("never" if epoch is None else str(epoch) for _, epoch in pairs)
            rows.append([task.title, best, passed, str(task.epochs)])
    return table(["task", "baseline best in epoch", "+ ELMo better than that from epoch", "of"], rows)


def weights_table(results: Results) -> str:
    """How each task weighs the layers."""
    rows = []
    for task in TASKS:
        mix = layer_weights(results, task)
        if mix is not None:
            rows.append([task.title, *(f"{weight:.2f}" for weight in mix[0]), f"{mix[1]:.2f}"])
    return table(["task", *LAYERS, "γ"], rows)


def shares_table(results: Results) -> str:
    """NER by the share of its training data."""
    rows = []
    for share in (*SHARES, 100):
        gain = results.gain(BY_NAME["ner"], share)
        if gain is not None:
            rows.append([f"{share} %", str(gain.before), str(gain.after), f"{gain.points:+.2f}", _cut(gain)])
    return table(["training sentences", "baseline", "+ ELMo", "gain", "error cut"], rows)


def comparison(results: Results, group: str) -> str:
    """What a group compares, on the development part of each of its tasks."""
    tasks = [task for task in TASKS if results.variants(group, task)]
    variants = {variant.name: variant for task in tasks for variant in results.variants(group, task)}
    rows = [
        [variant.title, *(_compared(results, task, variant) for task in tasks)]
        for variant in (BASELINE, ELMO, *variants.values())
    ]
    return table(["", *(f"{task.title}, {task.metric_title} on development" for task in tasks)], rows)


def _compared(results: Results, task: Task, variant: Variant) -> str:
    """A variant's score, and how it differs from + ELMo, by seed."""
    score, changes = results.score(task, variant, part="validation"), results.changes(task, variant)
    if score is None:
        return "not run yet"
    if variant == ELMO or not changes:
        return str(score)
    return f"{score} ({', '.join(f'{change:+.2f}' for change in changes)})"


def runs_table(results: Results) -> str:
    """What a run of each task was."""
    rows = []
    for task in TASKS:
        sides = [results.of(task, variant) for variant in (BASELINE, ELMO)]
        if not any(sides):
            continue
        minutes = [record["seconds"] / 60 for side in sides for record in side]
        took = f"{min(minutes):.1f}–{max(minutes):.1f}"
        best = (", ".join(str(record["best_epoch"]) for record in side) for side in sides)
        rows.append([task.title, str(max(map(len, sides))), f"{task.epochs}", *best, took, str(task.budget)])
    head = ["task", "seeds", "epochs", "best, baseline", "best, + ELMo", "minutes of training on one core", "budget"]
    return table(head, rows)


def sources() -> str:
    """Where the sets are to be laid, and where they are from."""
    found = ((task.title, SOURCES[task.name]) for task in TASKS)
    return "\n".join(f"- **{title}**: `DATA/{source.path}` from {source.origin}" for title, source in found)


def resumed(results: Results) -> str:
    """Which runs were stopped in between."""
    names = [name for name, record in results.records.items() if record["starts"] > 1]
    return (
        f"Stopped and gone on with: {', '.join(names) or 'none'}. AllenNLP's checkpoints hold no state of the random "
        "numbers, so such a run is not the one that its seed gives unbroken."
    )


def _picture(name: str, text: str) -> str:
    return f"![{text}](pictures/{name})"


def sections(results: Results, drawn: dict[str, bool], notes: str) -> Iterator[str]:
    """The page, part by part."""
    yield "# What ELMo adds"
    yield INTRODUCTION
    yield main_table(results)
    yield READING
    yield f"{NOTES[0]}\n{notes}\n{NOTES[1]}"
    if drawn["results_curves.png"]:
        yield "## Learning curves"
        yield _picture("results_curves.png", "score on the development part after each epoch")
        yield CATCHING_UP
        yield catching_up_table(results)
    if drawn["results_weights.png"]:
        yield "## Which layers the tasks take\nThe learned mixture, means over seeds (the paper's figure 2)."
        yield _picture("results_weights.png", "weights of the layers, by task")
        yield weights_table(results)
    if drawn["results_shares.png"]:
        yield "## With less training data\nNER, with as many updates at every share (the paper's figure 1)."
        yield _picture("results_shares.png", "span F1 against the share of the training sentences")
        yield shares_table(results)
    for group, (title, text) in COMPARISONS.items():
        if any(run.name in results.records for run in results.groups[group]):
            yield f"## {title}\n{text} {ON_DEVELOPMENT}"
            yield comparison(results, group)
    yield "## The runs\n" + "\n".join(f"- **{task.title}**: {task.data}" for task in TASKS)
    yield SETS
    yield sources()
    yield runs_table(results)
    yield resumed(results)
    missing = results.missing()
    if missing:
        yield "## Not run yet\n" + "\n".join(f"- {group}: {', '.join(names)}" for group, names in missing.items())


INTRODUCTION = (
    "The claim of Peters et al. 2018: put ELMo beside the word vectors of a task's model, change nothing else, and "
    "the error falls. Here it is put to the test with the model and the word vectors that this package brings, on "
    "data that anyone may have, by `allennlp train` and the configurations in `configs/`. A record of each run is in "
    "[results/](results/). To make them anew, at the root of the repository, after `make setup`:\n\n"
    "```console\n"
    "$ .venv/bin/python scripts/reproduce_table.py ner --data DATA --results mine\n"
    "```\n\n"
    "DATA is laid out as [below](#the-runs). The six runs of NER take 30 to 45 minutes on two cores, and end with "
    "their figures beside this page's; stopped or killed, the same command goes on. Names are the tasks, `shares`, "
    "`ablations`, `states`, `advice` and `fixed`. `scripts/results_page.py` makes this page of the records."
)
READING = (
    "Figures are percent on the test part, scored once a run, with the model of the epoch that was best on the "
    "development part: mean ± standard deviation over seeds; without ± it is one run. *Deviations*: the gain over "
    "the pooled standard deviation of one run, which is of seeds alone, not of another test part. *Error cut*: the "
    "share of the baseline's errors that are gone. The paper's figures are of other data where a task's name says "
    "so, of much more text behind ELMo, and of larger models: their gains are to be compared, not the figures. Word "
    "vectors are trained along everywhere, also on SST-5, SQuAD and coreference, where the papers' are fixed: a word "
    "without a vector from text would keep a random one, to the baseline's harm."
)
CATCHING_UP = (
    "How many passes over the training data ELMo spares (the paper's section 5.4): for each seed the epoch in which "
    "the baseline is best on the development part, and the first in which + ELMo is better than that (it may fall "
    "below it again)."
)
ON_DEVELOPMENT = (
    "Figures of the development part at its best epoch, as in the paper's tables 2 and 3: nothing was chosen by "
    "looking at test. In brackets the difference from + ELMo of the same seed, for each seed; without ± it is one "
    "run."
)
SETS = (
    "Each record has a `data_sha256` of what was made of a set, so that other data are noticed. Before a training "
    "`scripts/table/data.py` makes the three parts out of these files:"
)
COMPARISONS = {
    "ablations": (
        "Which layers, how much penalty, at which place",
        "As the paper's tables 2 and 3. λ is the L2 penalty on the numbers that weigh the layers; + ELMo has the "
        "configuration's own, 0.1 for NER and none for SST-5, and ELMo at the input. At "
        "NER's output ELMo meets both dropouts of the tagger, 0.5 before its LSTM and 0.5 behind it.",
    ),
    "states": ("What a sentence begins from", "+ ELMo begins every sentence from the model's own state."),
    "advice": (
        "What the usual advice is worth",
        "ELMo's authors advise dropout of about 0.5 on ELMo, no layer normalisation, a small penalty (above), and "
        "word vectors beside it; + ELMo has no dropout of its own on ELMo (the models drop half of their "
        "input, ELMo among it), no normalisation, and the word vectors.",
    ),
    "fixed": (
        "Word vectors that stay fixed",
        "As in the paper's SST-5. Trained along, they learn from the labels what text did not teach them.",
    ),
}


def old_notes(page: Path) -> str:
    """What was written between the two lines."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    found = re.search(f"{NOTES[0]}\n(.*?)\n?{NOTES[1]}", text, re.DOTALL)
    return found[1] if found else ""


def main() -> None:
    """Read the records, write the page."""
    parser = argparse.ArgumentParser(description="Write docs/results.md and its pictures.")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="(default: %(default)s)")
    docs = parser.parse_args().docs
    try:
        results = Results(docs / "results")
        drawn = {name: draw(results, docs / "pictures" / name) for name, draw in PICTURES.items()}
        page = docs / "results.md"
        text = "\n\n".join(sections(results, drawn, old_notes(page))) + "\n"
        with whole_file(page) as partial:
            partial.write_text(text, encoding="utf-8")
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"results_page.py: {error}")
    print(f"{page}: {len(results.records)} runs, {sum(map(len, results.missing().values()))} not run yet")


if __name__ == "__main__":
    main()
