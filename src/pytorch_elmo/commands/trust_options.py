"""Options that say when to trust the files of a named model."""

import click

from pytorch_elmo.commands.input_options import Command


def trust_options(function: Command) -> Command:
    """Add `--sha256` and `--trust-first-download`."""
    options = [
        click.option("--sha256", metavar="HEX", help="What the weight file of a model fetched by name must have."),
        click.option(
            "--trust-first-download",
            is_flag=True,
            help="Fetch a named model of which no sha256 is known; it is recorded, and checked ever after.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function
