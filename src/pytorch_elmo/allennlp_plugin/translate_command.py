"""`allennlp translate-config OLD NEW`: a configuration of AllenNLP 0.9 in 2.x's form."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from allennlp.commands.subcommand import Subcommand

from pytorch_elmo.allennlp_plugin import legacy_commands  # noqa: F401  registers 0.9's commands and predictors
from pytorch_elmo.allennlp_plugin.legacy_configs import translate
from pytorch_elmo.allennlp_plugin.legacy_translation import Config
from pytorch_elmo.errors import ConfigurationError, PytorchElmoError
from pytorch_elmo.files import whole_file

_FAILURE = 1
_DESCRIPTION = """Write a configuration of AllenNLP 0.9 in the form of 2.x, and print a line for each change.
Configurations are translated when they are loaded too; this command is for those who want to keep the new form.
Jsonnet is evaluated, with the environment's variables: NEW is plain JSON, without functions and comments."""


@Subcommand.register("translate-config", exist_ok=True)
class TranslateConfig(Subcommand):
    """The subcommand of AllenNLP's own parser."""

    requires_plugins = False

    def add_subparser(self, parser: Any) -> argparse.ArgumentParser:
        """Two positional arguments and a flag."""
        subparser: argparse.ArgumentParser = parser.add_parser(
            self.name, description=_DESCRIPTION, help="Write a configuration of AllenNLP 0.9 in 2.x's form."
        )
        subparser.add_argument("old", metavar="OLD", type=Path, help="configuration to read, jsonnet or JSON")
        subparser.add_argument("new", metavar="NEW", type=Path, help="file to write, JSON")
        subparser.add_argument("-f", "--force", action="store_true", help="replace NEW if it exists")
        subparser.set_defaults(func=translate_from_arguments)
        return subparser


def translate_from_arguments(arguments: argparse.Namespace) -> None:
    """Run the command; an error is one line and exit code 1."""
    try:
        lines = translate_file(arguments.old, arguments.new, force=arguments.force)
    except (PytorchElmoError, OSError) as error:
        print(f"allennlp translate-config: {error}", file=sys.stderr)
        raise SystemExit(_FAILURE) from None
    for line in lines:
        print(line)
    print(f"{arguments.new}: {len(lines) or 'no'} change{'s' * (len(lines) != 1)}")


def translate_file(old: Path, new: Path, *, force: bool = False) -> list[str]:
    """Write the new form of `old` to `new`, whole or not at all; a line for each change.

    Raises:
        ConfigurationError: `old` is no configuration or cannot be translated, or `new` exists and `force` is false.
        OSError: a file that cannot be read or written.
    """
    if new.exists() and not force:
        raise ConfigurationError(f"the new file must not exist, {new} does; name another or add --force")
    config, lines = translate(evaluate(old))
    with whole_file(new) as partial:
        partial.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return lines


def evaluate(path: Path) -> Config:
    """A jsonnet or JSON file as it is written, untranslated.

    Raises:
        ConfigurationError: no file, no jsonnet, a variable that is not set, or something else than an object.
    """
    from allennlp.common.params import evaluate_file  # plain JSON where jsonnet is not installed

    if not path.is_file():
        raise ConfigurationError(f"the old configuration must be a file, {path} is not; name another")
    variables = {name: value for name, value in os.environ.items() if _is_unicode(value)}
    try:
        config = json.loads(evaluate_file(str(path), ext_vars=variables))
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"a configuration must be jsonnet or JSON: {reason}; mend {path}") from error
    if not isinstance(config, dict):
        raise ConfigurationError(
            f"a configuration must be an object, {path} is a {type(config).__name__}; name another"
        )
    return config


def _is_unicode(value: str) -> bool:
    """Jsonnet takes no variable that holds bytes of another encoding."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
