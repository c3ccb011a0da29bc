"""The two programs: `embed-to-hdf5`, and `elmo` with its subcommands."""

from importlib import import_module

import click

from pytorch_elmo import __version__

_SUBCOMMANDS = ("convert", "models", "perplexity", "pretrain", "score", "swivel", "verify", "vocabulary")


class _LazyGroup(click.Group):
    """Imports a subcommand when it is called, so that `--help` and `--version` answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUBCOMMANDS:
            return None
        command: click.Command = import_module(f"pytorch_elmo.commands.{cmd_name}").command
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="elmo")
def elmo() -> None:
    """Train, inspect and check ELMo models and their files; embed-to-hdf5 writes vectors."""


def embed_to_hdf5() -> None:
    """Entry point of the program `embed-to-hdf5`."""
    from pytorch_elmo.commands.embed_to_hdf5 import command

    command(prog_name="embed-to-hdf5")
