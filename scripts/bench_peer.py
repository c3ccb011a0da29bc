"""How much faster sentences become vectors here than with AllenNLP's own biLM, on one text, in one run.

    python scripts/bench_peer.py TEXT [--sentences 512] [--rounds 3] [--quick] [--json FILE]

TEXT has one tokenised sentence a line. Both get random weights of the same shape from the same files, both compute
all layers in fp32, and they take turns. AllenNLP's `_ElmoBiLm` runs batches of 64, once in the order in which the
sentences come and once sorted by length, which it does not do by itself. Here the embedder takes them as they come
and is made anew for each turn, so that it knows no word yet. Making the models is not counted; making character
ids is. Tokens are real ones, padding is not counted. Goals: original 5 and 2.5, small 15 and 8.
"""

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import torch
from allennlp.modules.elmo import _ElmoBiLm, batch_to_ids

from bench.models import SHAPES, TINY, read_sentences, timed, write_model
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.model import BiLM
from pytorch_elmo.weights.load import load_bilm

BATCH_SIZE = 64
Sentences = list[list[str]]
Figures = dict[str, float]


@torch.no_grad()
def run_allennlps(bilm: Any, sentences: Sentences) -> None:
    """All layers of every sentence, thrown away."""
    for first in range(0, len(sentences), BATCH_SIZE):
        bilm(batch_to_ids(sentences[first : first + BATCH_SIZE]))


def run_ours(embedder: ElmoEmbedder, sentences: Sentences) -> None:
    """The same here."""
    for _ in embedder.embed_sentences(sentences):
        pass


@torch.no_grad()
def largest_difference(bilm: Any, ours: BiLM, sentences: Sentences) -> float:
    """Between the layers of the first sentences, AllenNLP's from a fresh state; boundaries left out."""
    bilm._elmo_lstm.reset_states()
    layers = torch.stack(bilm(batch_to_ids(sentences))["activations"]).numpy()
    bilm._elmo_lstm.reset_states()
    vectors = ElmoEmbedder(model=ours).embed_batch(sentences)
    return max(
        float(np.abs(layers[:, row, 1 : len(tokens) + 1] - found).max())
        for row, (tokens, found) in enumerate(zip(sentences, vectors, strict=True))
    )


def compare(name: str, shape: tuple[int, int, int], sentences: Sentences, rounds: int) -> Figures:
    """Tokens a second of both, by turns, and their ratios, each the median over the rounds."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_model(Path(folder), shape)
        theirs, ours = _ElmoBiLm(*map(str, files)).eval(), load_bilm(*files)
    by_length = sorted(sentences, key=len)
    figures = {f"{name}, largest difference": largest_difference(theirs, ours, sentences[:16])}
    seconds: dict[str, list[float]] = {"AllenNLP, as they come": [], "AllenNLP, sorted": [], "ours, as they come": []}
    for _ in range(rounds):
        embedder = ElmoEmbedder(model=ours)
        seconds["AllenNLP, as they come"].append(timed(lambda: run_allennlps(theirs, sentences))[0])
        seconds["ours, as they come"].append(timed(lambda: run_ours(embedder, sentences))[0])  # noqa: B023
        seconds["AllenNLP, sorted"].append(timed(lambda: run_allennlps(theirs, by_length))[0])
    num_tokens = sum(map(len, sentences))
    figures |= {f"{name}, {who}, tokens/s": num_tokens / median(taken) for who, taken in seconds.items()}
    own = seconds["ours, as they come"]
    for order in ("as they come", "sorted"):
        ratios = [other / mine for other, mine in zip(seconds[f"AllenNLP, {order}"], own, strict=True)]
        figures[f"{name}, ours / AllenNLP {order}"] = median(ratios)
    return figures


@click.command()
@click.argument("text", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sentences", default=512, show_default=True, help="Of the original; four times as many of the small.")
@click.option("--rounds", default=3, show_default=True, help="Turns of each.")
@click.option(
    "--shape", "shapes", multiple=True, type=click.Choice(list(SHAPES)), help="Only these; may be repeated."
)
@click.option("--quick", is_flag=True, help="A tiny model, 64 sentences, one round: to see that it runs.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    text: Path, sentences: int, rounds: int, shapes: tuple[str, ...], quick: bool, json_file: Path | None
) -> None:
    """Measure and print."""
    figures: Figures = {"threads": float(torch.get_num_threads())}
    for name, shape in {"tiny": TINY}.items() if quick else SHAPES.items():
        if shapes and name not in shapes and not quick:
            continue
        count = 64 if quick else sentences if name == "original" else 4 * sentences
        measured = compare(name, shape, read_sentences(text, count), 1 if quick else rounds)
        for what, value in measured.items():
            click.echo(f"{what:48} {value:12,.3f}" if value > 1e-3 else f"{what:48} {value:12.2e}")
        figures |= measured
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
