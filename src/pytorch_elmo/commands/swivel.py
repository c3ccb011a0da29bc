"""`elmo swivel TEXT... OUTPUT`: static word vectors from text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pytorch_elmo.commands.errors import INTERRUPTED, one_line_errors, stop_when_asked
from pytorch_elmo.commands.input_options import reading_options
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.progress import Progress
from pytorch_elmo.static_training.config import (
    LARGEST_SEED,
    LARGEST_SUBMATRIX,
    LARGEST_WINDOW,
    CountingConfig,
    SwivelConfig,
)

_COUNT = click.IntRange(min=1)
_NOT_NEGATIVE = click.FloatRange(min=0)


class _Reports:
    """A bar of submatrices, and a line for each epoch."""

    def __init__(self, progress: Progress, num_epochs: int) -> None:
        self._progress, self._num_epochs = progress, num_epochs

    def step_done(self) -> None:
        self._progress.advance(1)

    def epoch_done(self, epoch: int, loss: float) -> None:
        self._progress.note(f"epoch {epoch} of {self._num_epochs}: loss {loss:.5f}")


def _setting(
    option: str, config: type, kind: "click.ParamType[Any]", text: str, *, name: str | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for a field of the settings, with the field's default."""
    name = name or option.removeprefix("--").replace("-", "_")
    return click.option(option, name, type=kind, default=getattr(config, name), show_default=True, help=text)


@click.command("swivel")
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True)
@click.argument("folder", metavar="OUTPUT", type=click.Path(file_okay=False, path_type=Path))
@_setting("--dim", SwivelConfig, _COUNT, "Numbers of a vector.")
@_setting("--epochs", SwivelConfig, _COUNT, "Passes over the counts.", name="num_epochs")
@reading_options
@click.option("--lowercase", is_flag=True, help="Count in lower case.")
@click.option("--remove-punctuation", is_flag=True, help="Drop punctuation (Unicode category P) from the tokens.")
@_setting("--min-count", CountingConfig, _COUNT, "Occurrences of a word.")
@click.option("--max-size", type=_COUNT, help="Words at most, the most frequent ones.")
@click.option(
    "--keep-identifiers",
    is_flag=True,
    help="Keep words with an @ or five digits in a row; they may be addresses or numbers of people and are left out.",
)
@_setting("--window", CountingConfig, click.IntRange(1, LARGEST_WINDOW), "Tokens on each side that are context.")
@_setting(
    "--submatrix-size",
    CountingConfig,
    click.IntRange(1, LARGEST_SUBMATRIX),
    "Words whose pairs are trained in one step; 4096 suits a GPU.",
)
@_setting("--learning-rate", SwivelConfig, click.FLOAT, "Adagrad's.")
@_setting("--confidence-base", SwivelConfig, _NOT_NEGATIVE, "A pair weighs base + scale · count^exponent.")
@_setting("--confidence-scale", SwivelConfig, _NOT_NEGATIVE, "See --confidence-base.")
@_setting("--confidence-exponent", SwivelConfig, _NOT_NEGATIVE, "See --confidence-base.")
@_setting("--seed", SwivelConfig, click.IntRange(0, LARGEST_SEED), "Of all random numbers.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option(
    "--store",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="Precision of the text embedding's file.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(texts: tuple[str, ...], folder: Path, device: str, store: str, quiet: bool, **settings: Any) -> None:
    """Train one vector for each frequent word of TEXT with Swivel (Shazeer et al. 2016), or go on with OUTPUT.

    Words that stand within --window tokens of each other on a line are counted, once, in bounded memory; then vectors
    are fitted to the counts. TEXT is files, globs or folders: text, .gz, .xz, .bz2 or tar archives of it, or tables
    with --field. OUTPUT gets vectors.txt.gz (GloVe's text, as WordVectors reads it), text_embedding (a folder for
    TextEmbedding.load), swivel.json (settings, hashes of the texts, loss of each epoch), the words, the counts and a
    checkpoint. Ctrl-C and SIGTERM save a checkpoint first; the same command goes on, and so does a finished run with
    more --epochs.
    """
    with one_line_errors():
        fitting = {name: settings.pop(name) for name in SwivelConfig.__dataclass_fields__}
        _run(texts, folder, CountingConfig(**settings), SwivelConfig(**fitting), device, store, quiet)


def _run(
    texts: tuple[str, ...],
    folder: Path,
    counting: CountingConfig,
    config: SwivelConfig,
    device: str,
    store: str,
    quiet: bool,
) -> None:
    import torch

    from pytorch_elmo.embedder.setup import choose_device
    from pytorch_elmo.static_training.job import COUNTS, prepare_counts, write_results
    from pytorch_elmo.static_training.submatrices import Submatrices
    from pytorch_elmo.static_training.trainer import SwivelTrainer
    from pytorch_elmo.training.processes import Processes
    from pytorch_elmo.training.run_folder import one_run_at_a_time

    progress, chosen = make_progress(quiet=quiet, lines=False), choose_device(device, -1)
    with one_run_at_a_time(folder, Processes()):
        prepare_counts(texts, folder, counting, progress)
        submatrices = Submatrices(folder / COUNTS)
        trainer = SwivelTrainer(submatrices, config, device=chosen)
        trainer.resume(folder)
        progress.start(total=trainer.num_steps, unit="submatrices", done=trainer.step, label="training")
        with stop_when_asked() as stop:
            finished = trainer.run(folder, _Reports(progress, config.num_epochs), stop)
        progress.finish()
        if finished:
            write_results(trainer, submatrices, folder, dtype=getattr(torch, store))
            progress.note(f"wrote {folder}")
    if not finished:
        click.echo(f"stopped at step {trainer.step:,}; the same command goes on", err=True)
        raise SystemExit(INTERRUPTED)
