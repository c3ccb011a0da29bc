"""Options by which several commands read sentences."""

from collections.abc import Callable
from typing import Any

import click

from pytorch_elmo.text.tokenizers import TOKENIZERS

Command = Callable[..., Any]


def reading_options(function: Command) -> Command:
    """Add `--field` and `--tokenizer`."""
    options = [
        click.option("--field", metavar="NAME", help="Column with the text, for .jsonl, .csv and .parquet."),
        click.option(
            "--tokenizer",
            type=click.Choice(TOKENIZERS),
            default="whitespace",
            show_default=True,
            help="whitespace: one tokenised sentence a line. moses: raw prose, split and tokenised here.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def input_options(function: Command) -> Command:
    """Add `--field`, `--tokenizer` and `--blank-lines`."""
    blank_lines = click.option(
        "--blank-lines",
        type=click.Choice(["error", "empty"]),
        default="error",
        show_default=True,
        help="empty: keep them as sentences without tokens, so that keys stay line numbers.",
    )
    return reading_options(blank_lines(function))
