"""Kill `embed-to-hdf5` jobs at random moments, go on with them, and compare the files with those of jobs left alone.

    python scripts/kill_test.py --kills 200 [--model default] [--sentences 3000] [--seed 0]

A job is killed (SIGKILL) while it reads its input, lays out its file, embeds, or gives the file its name; it is then
gone on with, and perhaps killed again, until it has finished. Its file must be whole to `elmo verify`, hold the same
bytes as that of a job that nobody disturbed, and stand alone in its folder.

To start Python and PyTorch anew for every job would take most of the time. So this process imports everything, but
computes nothing (a process that has run PyTorch's threads must not fork), and every job is a fork of it that runs
the command itself. Jobs commit every twentieth of a second instead of every second, so that short ones do it often.
"""

import os
import random
import shlex
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

import click
import numpy as np
import torch
from tqdm import tqdm

from pytorch_elmo.commands.embed_to_hdf5 import command as embed_to_hdf5
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.embedder import background, file_job  # noqa: F401  (the forks need both)
from pytorch_elmo.progress import Progress
from pytorch_elmo.storage import verify_layer_file
from pytorch_elmo.storage.job_files import JobFiles
from pytorch_elmo.storage.journal import Journal, read_journal
from pytorch_elmo.text.sources import open_source, scan

PHASES = ("reading", "laying out", "embedding", "finishing")
WEIGHTS = (1, 2, 5, 2)  # how often each phase is aimed at
SHARE_LEFT_ALONE = 0.2  # of the starts, so that every job comes to its end
SETTINGS = (
    ("--layout", "per-sentence", "--batch-tokens", "600"),
    ("--layout", "packed", "--batch-tokens", "600"),
    ("--layout", "per-sentence", "--stateful", "--batch-size", "32"),
    ("--layout", "packed", "--stateful", "--batch-size", "32", "--dtype", "float16"),
    ("--use-sentence-keys", "--average", "--batch-tokens", "600"),
)
LONG_SENTENCE = 1500  # tokens: more than a batch may have, so it is run in pieces
SECONDS_BETWEEN_COMMITS = 0.05
SECONDS_BETWEEN_LOOKS = 0.0005


class DifferenceError(Exception):
    """A job that was killed and gone on with did not end as one left alone."""


@dataclass
class Tally:
    """What was done so far."""

    kills: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    resumes: int = 0

    def lines(self, seconds: float) -> Iterator[str]:
        """The summary."""
        yield f"{self.kills.total()} kills of {self.jobs} jobs, {self.resumes} resumes, {seconds:.0f} s"
        yield from (f"  while {phase}: {self.kills[phase]}" for phase in PHASES)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One output of the command, in a folder of its own; `durations` are seconds of each phase, left alone."""

    output: Path
    text: Path
    model: str
    options: tuple[str, ...]
    durations: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the folder."""
        self.output.parent.mkdir()

    @property
    def arguments(self) -> list[str]:
        """Of the command, without `--resume`."""
        return [str(self.text), str(self.output), "--model", self.model, *self.options]

    @property
    def log(self) -> Path:
        """Where the job's messages go."""
        return self.output.parent.with_name(self.output.parent.name + ".log")

    def start(self, *options: str) -> int:
        """Run the command in a fork of this process; returns its number."""
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            embed_to_hdf5([*self.arguments, *options], prog_name="embed-to-hdf5")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        except BaseException:  # the fork must not go on as if it were this process
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def fail(self, what: str, see: str) -> DifferenceError:
        """An error that names the job and the command that shows what is wrong."""
        return DifferenceError(f"{what}\n  job:    embed-to-hdf5 {shlex.join(self.arguments)}\n  see it: {see}")


class Watch:
    """Tells from the files of a job how far it is."""

    def __init__(self, output: Path) -> None:
        self._files = JobFiles(output)
        self._journal_bytes, self._all_written = -1, False

    def phase(self) -> str:
        """One of `PHASES`."""
        if self._files.partial.exists():
            return "finishing" if self._is_all_written() else "embedding"
        if self._files.output.exists():
            return "finishing"
        return "laying out" if self._files.building.exists() or self._files.journal.exists() else "reading"

    def _is_all_written(self) -> bool:
        try:
            num_bytes = self._files.journal.stat().st_size
            if num_bytes != self._journal_bytes:
                self._journal_bytes = num_bytes
                self._all_written = bool(read_journal(self._files.journal).written.all())
        except FileNotFoundError:  # removed since, with the partial file renamed
            return True
        return self._all_written


def has_ended(child: int) -> bool:
    """Whether a child has ended; `wait_for_success` is to be called all the same."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def run_alone(job: Job) -> None:
    """Run a job to its end, and measure its phases."""
    watch, child = Watch(job.output), job.start()
    begun = {"reading": time.monotonic()}
    while not has_ended(child):
        begun.setdefault(watch.phase(), time.monotonic())
        time.sleep(SECONDS_BETWEEN_LOOKS)
    wait_for_success(job, child)
    end = time.monotonic()
    for phase in reversed(PHASES):
        start = begun.get(phase, end)
        job.durations[phase] = end - start
        end = start


def wait_for_success(job: Job, child: int) -> bool:
    """Wait for a child, which must succeed or be killed; whether it was killed."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        last = job.log.read_text("utf-8").splitlines()[-1:]
        raise job.fail(f"a job ended with status {status}: {' '.join(last)}", f"cat '{job.log}'")
    return status != 0


def kill(job: Job, child: int, aim: str, moment: float) -> str | None:
    """Kill a child after the share `moment` of the phase `aim`; the phase it died in, None if it was quicker."""
    watch = Watch(job.output)
    while PHASES.index(watch.phase()) < PHASES.index(aim) and not has_ended(child):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    time.sleep(moment * job.durations[aim])
    os.kill(child, signal.SIGKILL)
    return watch.phase() if wait_for_success(job, child) else None


def claim_a_batch(job: Job) -> None:
    """Say in the journal that the next batch is on disk, which it is not: what this script must notice."""
    files = JobFiles(job.output)
    if files.partial.exists():
        contents = read_journal(files.journal)
        journal = Journal(files.journal, contents.num_bytes)
        missing = np.flatnonzero(~contents.written).tolist()
        journal.commit(batches_done=contents.batches_done + 1, written=missing, extra=contents.extra)
        journal.close()


def run_killed(
    job: Job, choose: random.Random, tally: Tally, progress: Progress, *, num_kills: int, lie: bool
) -> None:
    """Start a job, kill it and go on with it until it has finished."""
    options: tuple[str, ...] = ()
    tally.jobs += 1
    while True:
        child = job.start(*options)
        if tally.kills.total() >= num_kills or choose.random() < SHARE_LEFT_ALONE:
            wait_for_success(job, child)
            return
        aim = "embedding" if lie else choose.choices(PHASES, WEIGHTS)[0]
        phase = kill(job, child, aim, choose.random())
        if phase is None:
            return
        tally.kills[phase] += 1
        tally.resumes += 1
        progress.advance(1)
        options = ("--resume",)
        if lie:
            claim_a_batch(job)


def compare(job: Job, alone: Job) -> None:
    """The finished file is whole, the same as that of the job left alone, and nothing stands beside it."""
    with open_source(job.text) as source:
        counts = scan(source).token_counts
        findings = verify_layer_file(
            job.output, token_counts=counts, sentences=lambda: (line.text for line in source)
        )
    if findings:
        raise job.fail(f"not whole: {findings[0]}", f"elmo verify '{job.output}' --against '{job.text}'")
    if job.output.read_bytes() != alone.output.read_bytes():
        raise job.fail("other bytes than without kills", f"cmp '{job.output}' '{alone.output}'")
    if left := sorted(set(os.listdir(job.output.parent)) - {job.output.name}):
        raise job.fail(f"left behind: {', '.join(left)}", f"ls -a '{job.output.parent}'")


def write_text(path: Path, num_sentences: int, choose: random.Random) -> None:
    """Sentences of made-up words, all different, one of them very long."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    words = ["".join(choose.choices(syllables, k=choose.randint(1, 4))) for _ in range(2000)]
    shares = [1 / rank for rank in range(1, len(words) + 1)]  # frequent and rare, as in any text
    with path.open("w", encoding="utf-8") as file:
        for number in range(num_sentences):
            length = LONG_SENTENCE if number == num_sentences // 2 else choose.randint(1, 24)
            file.write(" ".join([*choose.choices(words, shares, k=length), str(number), "."]) + "\n")


def run_all(folder: Path, model: str, num_sentences: int, num_kills: int, seed: int, *, lie: bool) -> Tally:
    """Kill jobs until so many were killed.

    Raises:
        DifferenceError: a job did not end as it should.
    """
    choose, tally = random.Random(seed), Tally()
    text = folder / "text.txt"
    write_text(text, num_sentences, choose)
    alone: dict[tuple[str, ...], Job] = {}
    progress = make_progress(quiet=False, lines=False)
    progress.start(total=num_kills, unit="kill", label="killing")
    while tally.kills.total() < num_kills:
        options = choose.choice(SETTINGS)
        if options not in alone:
            output = folder / f"alone {len(alone) + 1}" / "out.hdf5"
            alone[options] = Job(output=output, text=text, model=model, options=options)
            run_alone(alone[options])
        job = replace(alone[options], output=folder / f"job {tally.jobs + 1}" / "out.hdf5")
        run_killed(job, choose, tally, progress, num_kills=num_kills, lie=lie)
        compare(job, alone[options])
        shutil.rmtree(job.output.parent)
    progress.finish()
    return tally


@click.command()
@click.option("--kills", type=click.IntRange(min=1), required=True, help="How many jobs' processes to kill.")
@click.option("--model", default="default", show_default=True, help="A named model or a folder.")
@click.option("--sentences", type=click.IntRange(min=1), default=3000, show_default=True, help="Of the text.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the text and of the moments.")
@click.option("--lie", is_flag=True, help="Put a batch that was never written into the journals; must be noticed.")
def main(kills: int, model: str, sentences: int, seed: int, lie: bool) -> None:
    """Kill jobs, go on with them, and compare; exits with 1 at the first difference."""
    torch.set_num_threads(1)
    tqdm.monitor_interval = 0  # its thread would not live through a fork
    background._SECONDS_BETWEEN_COMMITS = SECONDS_BETWEEN_COMMITS
    folder = Path(mkdtemp(prefix="kill-test-"))
    begun = time.monotonic()
    try:
        tally = run_all(folder, model, sentences, kills, seed, lie=lie)
    except DifferenceError as error:
        raise click.ClickException(f"{error}\n  files:  {folder}") from error
    shutil.rmtree(folder)
    for line in tally.lines(time.monotonic() - begun):
        click.echo(line)


if __name__ == "__main__":
    main()
