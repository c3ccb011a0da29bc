"""`elmo pretrain CONFIG OUTPUT`: a biLM from text."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytorch_elmo.commands.errors import INTERRUPTED, one_line_errors, stop_when_asked
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.pretraining.evaluate import Perplexity
from pytorch_elmo.pretraining.trainer import StepReport
from pytorch_elmo.progress import Progress

if TYPE_CHECKING:
    from pytorch_elmo.pretraining.trainer import Trainer


class _Reports:
    """A bar of tokens, a line of figures every few steps, and TensorBoard where it is installed."""

    def __init__(self, folder: Path | None, progress: Progress, *, every: int, tokens_per_step: int) -> None:
        self._progress, self._every, self._tokens_per_step = progress, every, tokens_per_step
        self._losses: list[float] = []
        self._board = None if folder is None else _summary_writer(folder, progress)

    def step_done(self, report: StepReport) -> None:
        self._progress.advance(self._tokens_per_step)
        self._losses.append((report.forward_loss + report.backward_loss) / 2)
        if report.step % self._every == 0:
            perplexity = math.exp(min(sum(self._losses) / len(self._losses), 50.0))
            self._losses.clear()
            self._progress.note(
                f"step {report.step:,}, epoch {report.epoch}: training perplexity {perplexity:.1f}, "
                f"gradient norm {report.gradient_norm:.2f}, rate {report.learning_rate:.2e}"
            )
            self._write(report, perplexity)

    def validated(self, step: int, perplexity: Perplexity) -> None:
        self._progress.note(
            f"step {step:,}: held-out perplexity {perplexity.both:.1f} (forward {perplexity.forward:.1f}, "
            f"backward {perplexity.backward:.1f}; {perplexity.unknown_rate:.1%} of the tokens unknown)"
        )
        if self._board is not None:
            self._board.add_scalar("perplexity/validation", perplexity.both, step)

    def checkpoint_saved(self, path: Path) -> None:
        self._progress.note(f"saved {path}")

    def close(self) -> None:
        if self._board is not None:
            self._board.close()

    def _write(self, report: StepReport, perplexity: float) -> None:
        if self._board is None:
            return
        self._board.add_scalar("perplexity/training", perplexity, report.step)
        self._board.add_scalar("loss/forward", report.forward_loss, report.step)
        self._board.add_scalar("loss/backward", report.backward_loss, report.step)
        self._board.add_scalar("gradient_norm", report.gradient_norm, report.step)
        self._board.add_scalar("learning_rate", report.learning_rate, report.step)


@click.command("pretrain")
@click.argument("config_file", metavar="CONFIG", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", metavar="OUTPUT", type=click.Path(file_okay=False, path_type=Path))
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda; torchrun gives each process its GPU.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(config_file: Path, folder: Path, device: str, quiet: bool) -> None:
    """Train a biLM as CONFIG (.json or .jsonnet) says, or go on with what OUTPUT holds.

    OUTPUT gets checkpoints, TensorBoard logs, the vocabulary, and at the end the folder `model`, which every command
    takes as --model. Ctrl-C and SIGTERM save a checkpoint first. Several processes share the rows of a batch:
    torchrun --nproc-per-node 2 -m pytorch_elmo pretrain CONFIG OUTPUT
    """
    with one_line_errors():
        _run(config_file, folder, device, quiet)


def _run(config_file: Path, folder: Path, device_name: str, quiet: bool) -> None:
    from pytorch_elmo.embedder.setup import choose_device
    from pytorch_elmo.pretraining.config import read_config
    from pytorch_elmo.pretraining.job import prepare_run, save_model
    from pytorch_elmo.training.allocation import keep_freed_memory
    from pytorch_elmo.training.processes import join_processes, local_device
    from pytorch_elmo.training.run_folder import one_run_at_a_time

    config = read_config(config_file)
    device = choose_device(local_device(device_name), -1)
    keep_freed_memory()
    with join_processes(device) as processes, one_run_at_a_time(folder, processes):
        progress = make_progress(quiet=quiet or not processes.first, lines=False)
        trainer = prepare_run(config, folder, progress, processes=processes, device=device)
        trainer.resume(folder)
        finished = _train(trainer, folder, progress)
        if finished and processes.first:
            progress.note(f"wrote {save_model(trainer, folder)}")
    if not finished:
        if processes.first:
            click.echo(f"stopped at step {trainer.step:,}; the same command goes on", err=True)
        raise SystemExit(INTERRUPTED)


def _train(trainer: "Trainer", folder: Path, progress: Progress) -> bool:
    """Run to the end or until asked to stop; whether it is finished."""
    config, first = trainer.config, trainer.processes.first
    reports = _Reports(
        folder if first else None, progress, every=config.report_every, tokens_per_step=trainer.tokens_per_step
    )
    progress.note(f"{trainer.corpus.num_sentences:,} sentences, {len(trainer.corpus.tokens):,} tokens")
    progress.start(
        total=config.num_steps * trainer.tokens_per_step,
        unit="token",
        done=trainer.step * trainer.tokens_per_step,
        label="training",
    )
    with stop_when_asked() as stop:
        finished = trainer.run(folder, reports, stop)
    progress.finish()
    reports.close()
    return finished


def _summary_writer(folder: Path, progress: Progress):  # type: ignore[no-untyped-def]  # noqa: ANN202
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        progress.note("TensorBoard is not installed, no logs for it are written; pip install pytorch-elmo[train]")
        return None
    return SummaryWriter(str(folder / "tensorboard"))
