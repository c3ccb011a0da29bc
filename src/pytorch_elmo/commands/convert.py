"""`elmo convert SOURCE DESTINATION`: a model from one kind of files to another."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.progress_bar import make_progress

if TYPE_CHECKING:
    from pytorch_elmo.weights.convert import Conversion

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("convert")
@click.argument("source")
@click.argument("destination", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["own", "allennlp"]),
    help="own: this package's files. allennlp: options.json and weights.hdf5.  [default: what SOURCE is not]",
)
@click.option("--options-file", type=_FILE, help="options.json of a model whose files do not say its architecture.")
@click.option("--vocabulary", "vocabulary_file", type=_FILE, help="Words of a softmax that does not name them.")
@click.option("--prefix", metavar="NAME", help="The biLM to take from a task model that has several.")
@click.option("--force", is_flag=True, help="Replace DESTINATION if it holds a model's files and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and what was left out.")
def command(
    source: str,
    destination: Path,
    to: Literal["own", "allennlp"] | None,
    options_file: Path | None,
    vocabulary_file: Path | None,
    prefix: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write the model in SOURCE to the folder DESTINATION, every parameter bit for bit.

    SOURCE is a named model (see `elmo models`); a folder of this package or of AllenNLP; a folder of bilm-tf with
    options.json and a checkpoint, or its .index; an archive (.tar.gz) or a state dict (.safetensors, .th) of a task
    model with one ELMo in it; or a weights.hdf5.
    """
    with one_line_errors():
        from pytorch_elmo.weights.convert import convert
        from pytorch_elmo.weights.source_model import SourceOptions

        told = SourceOptions(options_file=options_file, vocabulary_file=vocabulary_file, prefix=prefix)
        progress = make_progress(quiet=quiet, lines=False)
        done = convert(source, destination, to, told=told, force=force, progress=progress)
    for note in done.notes:
        click.echo(note, err=True)
    if not quiet:
        _report(done, destination)


def _report(done: "Conversion", destination: Path) -> None:
    click.echo(f"{done.kind} to {done.layout}: {destination}")
    width = max(map(len, done.sizes))
    for name, size in done.sizes.items():
        click.echo(f"  {name:{width}}  {size:>13,} bytes")
    click.echo(f"  {done.num_parameters:,} parameters")
    click.echo(f"  hash {done.model_hash}")
