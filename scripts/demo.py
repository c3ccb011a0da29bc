"""Embed the sample sentences and show what came out.

    python scripts/demo.py [--word bank] [--model default] [--output build/demo]

Prints the file, its layers and shapes, the speed, and how alike the vectors of one ambiguous word are across its
sentences; draws the same as a picture.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.storage import LayerFileReader

SENTENCES = Path(__file__).parents[1] / "docs" / "demo" / "sentences.txt"
Vectors = NDArray[np.float32]


def occurrences(word: str) -> list[tuple[int, int]]:
    """Sentence and position of every occurrence of a word."""
    lines = [line.split() for line in SENTENCES.read_text("utf-8").splitlines()]
    return [(index, tokens.index(word)) for index, tokens in enumerate(lines) if word in tokens]


def cosines(vectors: Vectors) -> Vectors:
    """Cosine similarity of every pair of rows, (n, n)."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarities: Vectors = unit @ unit.T
    return similarities


def embed(output: Path, model: str) -> float:
    """Run the command as a user would; seconds."""
    command = [str(Path(sys.executable).with_name("embed-to-hdf5")), str(SENTENCES), str(output)]
    click.echo(f"$ embed-to-hdf5 {os.path.relpath(SENTENCES)} {output}")
    began = time.monotonic()
    subprocess.run([*command, "--model", model, "--overwrite"], check=True)
    return time.monotonic() - began


def show_file(path: Path) -> None:
    """What the file holds, for the first sentence."""
    with LayerFileReader(path) as reader:
        manifest = reader.manifest
        assert manifest is not None
        shape = reader[0].shape
        click.echo(f"\n{path}: {path.stat().st_size / 1e6:.1f} MB, {len(reader)} sentences, model {manifest.model}")
        click.echo(f"  dataset '0': {shape[0]} layers x {shape[1]} tokens x {shape[2]} dimensions, {manifest.dtype}")
        click.echo("  layer 0: the word alone; layers 1 and 2: the word in its sentence\n")


def print_table(word: str, places: list[tuple[int, int]], similarities: Vectors) -> None:
    """Similarities of the top layer's vectors, in per cent, beside the sentences."""
    lines = SENTENCES.read_text("utf-8").splitlines()
    click.echo(f"cosine similarity of '{word}' between sentences, top layer, per cent")
    for row, (sentence, _) in enumerate(places):
        cells = " ".join(f"{100 * value:4.0f}" for value in similarities[row])
        click.echo(f"{row + 1:3d} {cells}   {lines[sentence][:60]}")


def draw(path: Path, word: str, places: list[tuple[int, int]], layers: list[Vectors]) -> None:
    """The similarity matrices of all layers side by side."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = SENTENCES.read_text("utf-8").splitlines()
    figure, axes = plt.subplots(1, len(layers), figsize=(5 * len(layers) + 4, 6), sharey=True, layout="constrained")
    for number, (axis, similarities) in enumerate(zip(axes, layers, strict=True)):
        image = axis.imshow(similarities, vmin=0, vmax=1, cmap="viridis")
        axis.set_title(f"layer {number}")
        axis.set_xticks(range(len(places)), [str(row + 1) for row in range(len(places))])
    axes[0].set_yticks(range(len(places)), [f"{lines[s][:44]}  {row + 1}" for row, (s, _) in enumerate(places)])
    figure.colorbar(image, ax=axes, label=f"cosine similarity of '{word}'", shrink=0.8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


@click.command()
@click.option("--word", default="bank", show_default=True, help="A word that occurs in several sentences.")
@click.option("--model", default="default", show_default=True, help="A named model or a folder.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True)
def main(word: str, model: str, output: Path) -> None:
    """Embed the sample sentences and show what came out."""
    places = occurrences(word)
    if len(places) < 2:
        raise click.UsageError(f"the word needs two sentences of {SENTENCES.name}, {word!r} has {len(places)}")
    output.mkdir(parents=True, exist_ok=True)
    layer_file, picture = output / "elmo_layers.hdf5", output / f"{word}.png"
    seconds = embed(layer_file, model)
    show_file(layer_file)
    with LayerFileReader(layer_file) as reader:
        vectors = np.stack([reader[sentence][:, position] for sentence, position in places], axis=1)
    layers = [cosines(layer) for layer in vectors]
    print_table(word, places, layers[-1])
    draw(picture, word, places, layers)
    click.echo(f"\n{picture}: the same for every layer   ({seconds:.1f} s in all, loading included)")


if __name__ == "__main__":
    main()
