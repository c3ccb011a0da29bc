"""`elmo models`: the models that have a name, or one of them, fetched."""

import json
from typing import Any

import click

from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.commands.trust_options import trust_options
from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.pretrained import DEFAULT

_HEADINGS = ("name", "parameters", "download", "dim", "sha256", "here", "trained on")
_NUMBERS = ("parameters", "download", "dim")  # are aligned at the right


@click.command("models")
@click.argument("name", required=False)
@trust_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with licences and exact numbers.")
def command(name: str | None, sha256: str | None, trust_first_download: bool, as_json: bool) -> None:
    """List the named models; with NAME, fetch it if need be and say where it is and what its hash is."""
    with one_line_errors():
        if name is None:
            models = _all_models()
            click.echo(json.dumps(models, indent=2, ensure_ascii=False) if as_json else _table(models))
            return
        model = _one_model(name, sha256, trust_first_download)
        if as_json:
            click.echo(json.dumps(model, indent=2, ensure_ascii=False))
            return
        click.echo(f"folder  {model['folder']}")
        click.echo(f"layers  {model['layers']} of {model['dim']} dimensions")
        click.echo(f"hash    {model['hash']}")
        if model["licence"]:
            click.echo(f"licence {model['licence']}")


def _one_model(name: str, sha256: str | None, trust_first_download: bool) -> dict[str, Any]:
    """Fetch a model if need be, load it, and describe it."""
    from pytorch_elmo.pretrained import MODELS, resolve

    progress = make_progress(quiet=False, lines=False)
    files = resolve(name, progress=progress, sha256=sha256, trust_first_download=trust_first_download)
    from pytorch_elmo.weights.load import load_model_files, model_hash

    bilm = load_model_files(files)
    return {
        "name": name,
        "folder": str(files.folder),
        "layers": bilm.config.num_layers,
        "dim": bilm.config.dim,
        "hash": model_hash(bilm),
        "licence": MODELS[name].licence if name in MODELS else None,
    }


def _all_models() -> list[dict[str, Any]]:
    """What is known of each model, from the catalog and, of those that are here, from their files."""
    from pytorch_elmo.pretrained import MODELS, bytes_begun

    models = []
    for name, entry in MODELS.items():
        here = _here(name)
        models.append(
            {
                "name": name,
                "parameters": entry.num_parameters,
                "dim": None if entry.projection_size is None else 2 * entry.projection_size,
                "download_bytes": None if entry.weights is None else entry.weights.size,
                "sha256": None if entry.weights is None else entry.weights.sha256,
                "folder": None,
                "bytes_begun": 0 if here else bytes_begun(name),
                "trained_on": entry.description,
                "licence": entry.licence,
                **here,
            }
        )
    return models


def _here(name: str) -> dict[str, Any]:
    """Folder and size of a model that is on this machine; nothing if it is not."""
    from pytorch_elmo.pretrained import files_here
    from pytorch_elmo.weights.size import config_in_files, count_parameters

    try:
        files = files_here(name)
        if files is None:
            return {}
        config = config_in_files(files)
    except PytorchElmoError:  # what is wrong with a model is said when it is asked for
        return {}
    return {"folder": str(files.folder), "parameters": count_parameters(config), "dim": config.dim}


def _table(models: list[dict[str, Any]]) -> str:
    """The models as lines, under headings, and where downloads are kept."""
    from pytorch_elmo.pretrained import cache_folder

    rows = [_HEADINGS, *map(_row, models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if heading in _NUMBERS else cell.ljust(width)
            for heading, cell, width in zip(_HEADINGS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, f"downloads are kept in {cache_folder()}"])


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    parameters, num_bytes, begun = model["parameters"], model["download_bytes"], model["bytes_begun"]
    in_package = model["name"] == DEFAULT
    if num_bytes is None and parameters is not None:
        download = f"~{_megabytes(4 * parameters)}"  # weight files hold float32 and little else
    else:
        download = "?" if num_bytes is None else _megabytes(num_bytes)
    sha256 = "known" if model["sha256"] else "recorded" if model["folder"] else "?"
    here = "yes" if model["folder"] else f"{_megabytes(begun)} of it" if begun else "no"
    return (
        model["name"],
        "?" if parameters is None else f"{parameters / 1e6:.1f} M",
        "none" if in_package else download,
        "?" if model["dim"] is None else str(model["dim"]),
        "none" if in_package else sha256,
        here,
        model["trained_on"],
    )


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:.1f} MB"
