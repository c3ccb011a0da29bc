"""The page of results from made-up records: its numbers, its pictures, and what is not run yet."""

import json
from importlib import import_module
from math import sqrt
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
NUM_EPOCHS = 3


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "results").mkdir()
    return tmp_path


def write_record(docs, run, score):
    """A record with a score of its own for each seed."""
    value = score + 0.01 * run.seed
    record = {
        "run": run.name,
        "task": run.task.name,
        "variant": run.variant.name,
        "seed": run.seed,
        "share": run.share,
        "data_sha256": "00",
        "scores": {"test": {run.task.metric: value}, "validation": {run.task.metric: value - 0.05}},
        "seconds": 90.0,
        "best_epoch": 2,
        "learning_curve": [{"epoch": epoch, "validation": value - 0.1 / epoch} for epoch in range(1, NUM_EPOCHS + 1)],
        "starts": 1,
        "settings": {},
        "config": {},
        "mixes": {"a": {"weights": [0.2, 0.5, 0.3], "gamma": 1.5}} if run.variant.has_elmo else {},
    }
    (docs / "results" / f"{run.name}.json").write_text(json.dumps(record), encoding="utf-8")


def write_group(docs, runs, baseline=0.70, elmo=0.76):
    for run in runs:
        write_record(docs, run, elmo if run.variant.has_elmo else baseline)


def line_of(page, title):
    """The cells of the first row of a table with this title."""
    line = next(line for line in page.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_without_records_everything_is_named(run_script, docs):
    done = run_script("results_page.py", "--docs", docs)
    page = (docs / "results.md").read_text("utf-8")
    groups = import_module("table.runs").groups()
    assert done.stdout == f"{docs / 'results.md'}: 0 runs, {sum(map(len, groups.values()))} not run yet\n"
    assert all(run.name in page for group in groups.values() for run in group)
    assert line_of(page, "NER (BC5CDR)")[2] == "not run yet"
    assert line_of(page, "NER (BC5CDR)")[-3:] == ["90.15 → 92.22", "+2.1", "21.0 %"]
    assert "pictures/" not in page


def test_means_deviations_and_error_cuts(run_script, docs):
    groups = import_module("table.runs").groups()
    write_group(docs, groups["ner"])
    write_group(docs, groups["squad"])
    assert run_script("results_page.py", "--docs", docs).returncode == 0
    page = (docs / "results.md").read_text("utf-8")
    ner = line_of(page, "NER (BC5CDR)")
    assert ner[2:7] == ["72.00 ± 1.00", "78.00 ± 1.00", "+6.00", "6.0", "21.4 %"]
    squad = line_of(page, "SQuAD (by article)")
    assert squad[2:7] == ["71.00", "77.00", "+6.00", "–", "20.7 %"]
    assert squad[7:] == ["81.1 → 85.8", "+4.7", "24.9 %"]
    assert line_of(page, "SST-5")[2] == "not run yet"
    not_run = page.partition("## Not run yet")[2]
    assert "- sst5: sst5-baseline-1, sst5-elmo-1" in not_run
    assert "- ner:" not in not_run
    for name in ("results_curves.png", "results_weights.png"):
        assert f"pictures/{name}" in page
        assert (docs / "pictures" / name).read_bytes().startswith(b"\x89PNG")
    assert "results_shares.png" not in page
    assert not (docs / "pictures" / "results_shares.png").exists()


def test_the_order_of_seeds_that_both_sides_have(docs):
    import_module("table.runs")
    summary, runs = import_module("table.summary"), import_module("table.runs").groups()["ner"]
    for run in runs:
        if (run.variant.name, run.seed) not in {("baseline", 2), ("elmo", 3)}:
            write_record(docs, run, 0.5)
    gain = summary.Results(docs / "results").gain(runs[0].task)
    assert gain.before.values == gain.after.values == (pytest.approx(51.0),)
    gain = summary.Gain(summary.Score((50.0, 52.0)), summary.Score((60.0, 64.0)))
    assert gain.points == pytest.approx(11)
    assert gain.error_cut == pytest.approx(100 * 11 / 49)
    assert gain.deviations == pytest.approx(11 / sqrt((2 + 8) / 2))


def test_how_soon_elmo_is_where_the_baseline_ends(docs):
    runs = import_module("table.runs").groups()["ner"]
    curves = {
        "ner-baseline-1": [0.5, 0.7, 0.7],
        "ner-elmo-1": [0.7, 0.8, 0.9],
        "ner-baseline-2": [0.9, 0.1, 0.1],
        "ner-elmo-2": [0.1, 0.9, 0.9],
        "ner-elmo-3": [0.1, 0.2, 0.3],
    }
    for run in runs:
        if run.name in curves:
            write_record(docs, run, 0.5)
            path = docs / "results" / f"{run.name}.json"
            record = json.loads(path.read_text("utf-8"))
            record["learning_curve"] = [{"validation": score} for score in curves[run.name]]
            path.write_text(json.dumps(record), encoding="utf-8")
    assert import_module("table.summary").Results(docs / "results").catching_up(runs[0].task) == [(2, 2), (1, None)]


def test_comparisons_shares_and_notes(run_script, docs):
    groups = import_module("table.runs").groups()
    write_group(docs, [*groups["ner"], *groups["shares"], *groups["ablations"]])
    (docs / "results.md").write_text(
        "outdated\n<!-- notes -->\nWhy it is so.\n<!-- /notes -->\noutdated\n", encoding="utf-8"
    )
    run_script("results_page.py", "--docs", docs)
    first = (docs / "results.md").read_bytes()
    picture = (docs / "pictures" / "results_shares.png").read_bytes()
    page = first.decode()
    assert "Why it is so." in page
    assert "outdated" not in page
    assert line_of(page, "1 %") == ["1 %", "71.00", "77.00", "+6.00", "20.7 %"]
    assert line_of(page, "top layer only") == ["top layer only", "72.50 ± 0.71 (+0.00, +0.00)", "72.50 ± 0.71"]
    assert line_of(page, "baseline") == ["baseline", "67.00 ± 1.00 (-6.00, -6.00, -6.00)", "not run yet"]
    assert line_of(page, "NER (BC5CDR)")[0] == "NER (BC5CDR)"
    run_script("results_page.py", "--docs", docs)
    assert (docs / "results.md").read_bytes() == first
    assert (docs / "pictures" / "results_shares.png").read_bytes() == picture


def test_figures_of_two_folders_side_by_side(docs, tmp_path):
    runs = import_module("table.runs").groups()
    asked = [*runs["ner"], runs["shares"][0], runs["ablations"][0]]
    write_group(docs, asked[:-1])
    other = tmp_path / "mine"
    (other / "results").mkdir(parents=True)
    write_record(other, asked[0], 0.625)
    write_record(other, asked[-1], 0.75)
    folders = [other / "results", docs / "results"]
    head, *lines = import_module("table.summary").side_by_side(asked, folders).splitlines()
    assert head.split() == list(map(str, folders))
    start = "NER (BC5CDR), span F1, "
    assert [line.split("  ")[0] for line in lines] == [
        *(f"{start}test: baseline", f"{start}test: + ELMo"),
        *(f"{start}test: baseline, 1 % of the data", f"{start}validation: top layer only"),
    ]
    cells = [[cell.strip() for cell in line.split("  ") if cell][1:] for line in lines]
    assert [mine for mine, _ in cells] == ["63.50", "-", "-", "71.00"]
    assert [("±" in theirs, theirs == "-") for _, theirs in cells] == [
        *((True, False), (True, False), (False, False), (False, True)),
    ]
    for path in (other / "results").iterdir():
        path.write_text(path.read_text("utf-8").replace('"data_sha256": "00"', '"data_sha256": "11"'), "utf-8")
    marked = import_module("table.summary").side_by_side(asked, folders).splitlines()
    assert [line.endswith(" (other data)") for line in marked] == [False, True, False, False, False]


def test_a_variant_is_compared_with_elmo_of_its_seeds(docs):
    table, summary = import_module("table.runs"), import_module("table.summary")
    ner, variants = table.groups()["ner"], table.groups()["ablations"]
    top = [run for run in variants if (run.task.name, run.variant.name) == ("ner", "top")]
    write_group(docs, ner)
    write_record(docs, top[1], 0.8)
    results = summary.Results(docs / "results")
    assert results.changes(ner[0].task, top[1].variant) == [pytest.approx(4.0)]
    assert results.changes(ner[0].task, variants[-1].variant) == []


def test_records_of_different_data_are_not_compared(refusal, docs):
    runs = import_module("table.runs").groups()["ner"]
    write_group(docs, runs)
    path = docs / "results" / "ner-elmo-2.json"
    path.write_text(path.read_text("utf-8").replace('"data_sha256": "00"', '"data_sha256": "11"'), encoding="utf-8")
    said = refusal("results_page.py", "--docs", docs)
    assert "ner-elmo-2 must have the data of ner-baseline-1, its data_sha256 differs; remove the older record" in said


@pytest.mark.parametrize("content", ["[1]", "3"])
def test_a_record_that_is_no_object(refusal, docs, content):
    run = import_module("table.runs").groups()["ner"][0]
    (docs / "results" / f"{run.name}.json").write_text(content, encoding="utf-8")
    assert f"must be a JSON object, got {content}; remove it" in refusal("results_page.py", "--docs", docs)


def test_a_record_with_a_part_missing(refusal, docs):
    run = import_module("table.runs").groups()["ner"][0]
    (docs / "results" / f"{run.name}.json").write_text('{"task": "ner"}', encoding="utf-8")
    said = refusal("results_page.py", "--docs", docs)
    assert "it has no variant, share, seed, settings, " in said
    assert "remove it, and its run is done anew" in said


def test_the_page_is_that_of_the_records():
    page, root = import_module("results_page"), SCRIPTS.parent
    results = import_module("table.summary").Results(root / "docs" / "results")
    old = root / "docs" / "results.md"
    parts = page.sections(results, dict.fromkeys(page.PICTURES, True), page.old_notes(old))
    assert "\n\n".join(parts) + "\n" == old.read_text("utf-8")


def test_the_readme_has_the_page_s_figures():
    results = import_module("table.summary").Results(SCRIPTS.parent / "docs" / "results")
    readme = (SCRIPTS.parent / "README.md").read_text("utf-8")
    for task in import_module("table.runs").TASKS:
        gain = results.gain(task)
        assert f"| {gain.before} | {gain.after} | {gain.error_cut:.1f} % |" in readme, task.name


def test_a_record_that_is_no_json(refusal, docs):
    run = import_module("table.runs").groups()["ner"][0]
    (docs / "results" / f"{run.name}.json").write_text("{", encoding="utf-8")
    assert "must be JSON, it is not" in refusal("results_page.py", "--docs", docs)
