"""Options by which `elmo perplexity` and `elmo score` choose the model and what sentences begin with."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # PyTorch is loaded when it is needed
    from pytorch_elmo.weights.language_model import LanguageModel

Command = Callable[..., Any]
_STATES = ("start", "zeros", "bilm-tf", "allennlp")


def scoring_options(function: Command) -> Command:
    """Add `--vocabulary`, `--state`, `--batch-size` and `--device`."""
    options = [
        click.option(
            "--vocabulary",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The words of a softmax in HDF5, one a line; softmax.safetensors has its own.",
        ),
        click.option(
            "--state",
            type=click.Choice(_STATES),
            default="start",
            show_default=True,
            help="What a sentence begins with: the model's start state, zeros unless it brings one; zeros in any "
            "case; or what its row's last sentence left, as bilm-tf or AllenNLP carry it.",
        ),
        click.option(
            "--batch-size",
            type=click.IntRange(min=1),
            help="Sentences side by side; with start and zeros it changes nothing but the speed.  "
            "[default: fastest; bilm-tf: 256; allennlp: 64]",
        ),
        click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, …  [default: cpu]"),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def load_scored_model(model: str, vocabulary: Path | None, device: str | None) -> "LanguageModel":
    """The model that the options name, on its device.

    Raises:
        PytorchElmoError: no such model, softmax, vocabulary or device.
    """
    from pytorch_elmo.embedder.setup import choose_device
    from pytorch_elmo.weights.language_model import load_language_model

    return load_language_model(model, vocabulary, device=choose_device(device, -1))
