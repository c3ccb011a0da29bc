"""`elmo perplexity MODEL TEXT...`: how well a model predicts texts."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.input_options import input_options
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.commands.scoring_options import load_scored_model, scoring_options
from pytorch_elmo.errors import TextError
from pytorch_elmo.progress import Progress

if TYPE_CHECKING:  # PyTorch is loaded when it is needed
    from pytorch_elmo.pretraining.evaluate import Perplexity
    from pytorch_elmo.weights.language_model import LanguageModel

_TOTAL = "total"


@click.command("perplexity")
@click.argument("model")
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@scoring_options
@input_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(model: str, texts: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> None:
    """Print the perplexity of each TEXT, and of all of them, under MODEL: a name or a folder with a softmax.

    Full softmax; forward w1 … wn </S>, backward <S> w1 … wn; words outside the vocabulary count as <UNK>. TEXT is
    what embed-to-hdf5 reads: tokenised sentences a line, compressed, a table with --field, - for standard input.
    """
    with one_line_errors():
        progress = make_progress(quiet=quiet, lines=False)
        language_model = load_scored_model(model, options.pop("vocabulary"), options.pop("device"))
        rows = [(text, _measure(language_model, text, progress, options)) for text in texts]
    click.echo(_json(model, options["state"], rows) if as_json else _table(rows))


def _measure(model: "LanguageModel", text: str, progress: Progress, options: dict[str, Any]) -> "Perplexity":
    from pytorch_elmo.pretraining.evaluate import evaluate_perplexity
    from pytorch_elmo.text.sources import open_source, scan

    reading = {name: options[name] for name in ("field", "tokenizer", "blank_lines")}
    with open_source(text, **reading) as source:
        summary = scan(source, progress)
        if not summary.num_sentences:
            raise TextError(f"{source.description}: a text must hold at least one sentence, got none; leave it out")
        return evaluate_perplexity(
            *model,
            (line.tokens for line in source),
            progress,
            state=options["state"],
            batch_size=options["batch_size"],
            total=summary.num_tokens,
        )


def _with_total(rows: list[tuple[str, "Perplexity"]]) -> list[tuple[str, "Perplexity"]]:
    from pytorch_elmo.pretraining.evaluate import Perplexity

    return [*rows, (_TOTAL, Perplexity.of_all([perplexity for _, perplexity in rows]))]


def _table(rows: list[tuple[str, "Perplexity"]]) -> str:
    """One line a text and, of several, one of all."""
    lines: list[tuple[str, ...]] = [("text", "sentences", "tokens", "OOV", "forward", "backward", "both")]
    for name, found in _with_total(rows) if len(rows) > 1 else rows:
        counts = f"{found.num_sentences:,}", f"{found.num_tokens:,}", f"{found.unknown_rate:.2%}"
        lines.append((name, *counts, *(f"{value:,.2f}" for value in (found.forward, found.backward, found.both))))
    first, *widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])
        for name, *cells in lines
    )


def _json(model: str, state: str, rows: list[tuple[str, "Perplexity"]]) -> str:
    *texts, (_, total) = [
        (name, {**asdict(found), "both": found.both, "unknown_rate": found.unknown_rate})
        for name, found in _with_total(rows)
    ]
    document = {"model": model, "state": state, "texts": [{"text": name, **values} for name, values in texts]}
    return json.dumps({**document, _TOTAL: total}, indent=2)
