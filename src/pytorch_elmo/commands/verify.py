"""`elmo verify FILE`: is a layer file whole?"""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pytorch_elmo.commands.errors import FAILURE, one_line_errors
from pytorch_elmo.commands.input_options import input_options
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.errors import LayerFileError


@click.command("verify")
@click.argument("layer_file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--against", metavar="INPUT", type=click.Path(exists=True), help="The text that the file should hold.")
@input_options
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but what is wrong.")
def command(layer_file: Path, against: str | None, quiet: bool, **reading: Any) -> None:
    """Read all of a layer file, this project's or AllenNLP's, and name what is missing or wrong.

    INPUT is tokenised as the file says that it was, unless --tokenizer says otherwise.

    Exits with 0 if the file is whole, with 1 otherwise.
    """
    from pytorch_elmo.storage import verify_layer_file
    from pytorch_elmo.text.sources import open_source, scan

    progress = make_progress(quiet=quiet, lines=False)
    with one_line_errors():
        if against is None:
            findings = verify_layer_file(layer_file, progress=progress)
        else:
            with open_source(against, **_as_it_was_read(layer_file, reading)) as source:
                summary = scan(source, progress)
                findings = verify_layer_file(
                    layer_file,
                    token_counts=summary.token_counts,
                    sentences=lambda: (line.text for line in source),
                    progress=progress,
                )
    for finding in findings:
        click.echo(finding)
    if findings:
        raise SystemExit(FAILURE)
    if not quiet:
        click.echo(f"{layer_file} is whole" + (f" and holds {against}" if against else ""))


def _as_it_was_read(layer_file: Path, reading: dict[str, Any]) -> dict[str, Any]:
    """The options of the input, with the tokenizer that the file names where the user named none."""
    from pytorch_elmo.storage import LayerFileReader

    if click.get_current_context().get_parameter_source("tokenizer") is not ParameterSource.DEFAULT:
        return reading
    try:
        with LayerFileReader(layer_file) as reader:
            return reading if reader.manifest is None else {**reading, "tokenizer": reader.manifest.tokenizer}
    except LayerFileError:  # what is wrong with the file is said when it is verified
        return reading
