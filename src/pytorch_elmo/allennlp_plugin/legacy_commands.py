"""0.9's names of commands and predictors: a command that is gone says what to type instead."""

import argparse
import sys
from typing import Any, NoReturn

import allennlp.predictors.predictor
from allennlp.commands.subcommand import Subcommand

from pytorch_elmo.allennlp_plugin.legacy_loading import mend_predictor
from pytorch_elmo.allennlp_plugin.legacy_names import COMMANDS

_USAGE_ERROR = 2  # argparse's


class GoneCommand(Subcommand):
    """A command of 0.9: takes any arguments, and ends with one line and the exit code of a wrong command."""

    requires_plugins = False

    def add_subparser(self, parser: Any) -> argparse.ArgumentParser:
        """The command under its old name, without a line in the list of commands."""
        subparser: argparse.ArgumentParser = parser.add_parser(self.name, add_help=False, prefix_chars="\0")
        subparser.add_argument("anything", nargs="*")
        subparser.set_defaults(func=self._refuse)
        return subparser

    def _refuse(self, _arguments: argparse.Namespace) -> NoReturn:
        print(f"`allennlp {self.name}` went with AllenNLP 0.9; {COMMANDS[self.name]}", file=sys.stderr)
        raise SystemExit(_USAGE_ERROR)


for _name in COMMANDS:
    Subcommand.register(_name, exist_ok=True)(type(f"Gone{_name.title().replace('-', '')}", (GoneCommand,), {}))
mend_predictor(allennlp.predictors.predictor)
