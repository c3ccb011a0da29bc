"""`allennlp embed-to-hdf5 …`: this package's own command, with its own rules, among those of AllenNLP."""

import argparse
from typing import Any

from allennlp.commands.subcommand import Subcommand

_NAME = "embed-to-hdf5"


@Subcommand.register(_NAME, exist_ok=True)
class EmbedToHdf5Command(Subcommand):
    """Hands its arguments on as they are; `--help` too, so that one text describes the command."""

    requires_plugins = False  # else AllenNLP adds --include-package, which the command does not have

    def add_subparser(self, parser: Any) -> argparse.ArgumentParser:
        """Add the command as a name alone.

        A prefix that nobody types makes argparse take every argument for a plain word.
        """
        subparser: argparse.ArgumentParser = parser.add_parser(
            self.name,
            help="Write ELMo vectors; can be resumed, and refuses to overwrite.",
            add_help=False,
            prefix_chars="\0",
        )
        subparser.add_argument("arguments", nargs=argparse.REMAINDER)
        subparser.set_defaults(func=run)
        return subparser


def run(args: argparse.Namespace) -> None:
    """Run the command; it ends the program with its exit code."""
    from pytorch_elmo.commands.embed_to_hdf5 import command

    command(args=args.arguments, prog_name=f"allennlp {_NAME}")
