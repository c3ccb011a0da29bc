"""`elmo models`: the models that have a name."""

import click

from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.progress_bar import make_progress


@click.command("models")
@click.argument("name", required=False)
@click.option("--accept-unverified", is_flag=True, help="Fetch a model whose sha256 is not known.")
def command(name: str | None, accept_unverified: bool) -> None:
    """List the named models; with NAME, fetch it if need be and say where it is and what its hash is."""
    from pytorch_elmo.pretrained import MODELS, is_cached, resolve

    with one_line_errors():
        if name is None:
            width = max(map(len, MODELS))
            for known, entry in MODELS.items():
                here = "here" if is_cached(known) else "    "
                click.echo(f"{known:{width}}  {here}  {entry.description}")
            return
        files = resolve(name, progress=make_progress(quiet=False, lines=False), accept_unverified=accept_unverified)
        from pytorch_elmo.weights.load import load_model_files, model_hash

        bilm = load_model_files(files)
        click.echo(f"folder  {files.folder}")
        click.echo(f"layers  {bilm.config.num_layers} of {bilm.config.dim} dimensions")
        click.echo(f"hash    {model_hash(bilm)}")
        if name in MODELS:
            click.echo(f"licence {MODELS[name].licence}")
