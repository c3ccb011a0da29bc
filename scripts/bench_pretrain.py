"""How fast a biLM is trained, beside a plain PyTorch step and what the machine can do at all; everything in one run.

    python scripts/bench_pretrain.py [--text FILE] [--shape NAME] [--steps N] [--quick] [--json FILE]

1. Tokens a second of a training step (Adagrad, sampled softmax, dropout 0.1, 20 tokens a row), by turns with the
   same step as PyTorch users write it: `nn.LSTM(proj_size=...)`, the CNN on every token, the same sampled softmax,
   autograd, torch's dense Adagrad. `original`: 4096 / 512 x 2, 2,048 filters, 793,471 words, 8,192 negatives, the
   authors' 128 rows. `small`: 1024 / 128 x 2. `default`: the shape of the model in the package. A token is a position
   that both directions predict at.
2. The fraction of the machine's matrix-multiply peak, counting the products of the LSTM layers and the softmax alone.
3. The same in bfloat16, where the chip has it.
4. Two processes of one thread against one process of two (`default`).
5. Peak memory against rows and tokens a row (`default`).
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.models import read_sentences, timed
from bench.sentences import sentences_of_natural_length
from bench_embed import peak_gflops, run_measured, two_layers
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.packed_linear import refuse_slow_precision
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.pretraining.config import CorpusConfig, OptimizerConfig, PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus
from pytorch_elmo.pretraining.objective import Window
from pytorch_elmo.pretraining.trainer import Trainer, count_words
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.training.allocation import keep_freed_memory
from pytorch_elmo.training.processes import join_processes
from pytorch_elmo.weights.load import load_pretrained

Figures = dict[str, float]
DROPOUT = 0.1


class Shape(NamedTuple):
    """What is trained: the network, the words it predicts, negatives a direction, rows."""

    config: BiLMConfig
    num_words: int
    num_negatives: int
    batch_size: int


def shape_of(name: str) -> Shape:
    """A shape by name."""
    if name == "original":
        return Shape(two_layers(4096, 512, 2), 793_471, 8192, 128)
    if name == "small":
        return Shape(two_layers(1024, 128, 1), 100_000, 8192, 128)
    if name == "default":
        return Shape(load_pretrained("default").config, 30_000, 2048, 128)
    return Shape(two_layers(64, 16, 1), 2_000, 100, 16)


def vocabulary_of(corpus: Corpus, num_words: int) -> Vocabulary:
    """The corpus's words by frequency, then as many that do not occur as are needed."""
    words = Vocabulary.from_counts(count_words(corpus), max_size=num_words).tokens
    return Vocabulary([*words, *(f"absent-{number}" for number in range(num_words - len(words)))])


def make_trainer(
    shape: Shape, corpus: Corpus, *, batch_size: int = 0, unroll: int = 20, **settings: object
) -> Trainer:
    """Our training run."""
    config = PretrainingConfig(
        model=shape.config,
        corpus=CorpusConfig(train=["in memory"]),
        optimizer=OptimizerConfig(name="adagrad", learning_rate=0.2, gradient_clip=10.0),
        num_steps=10**6,
        batch_size=batch_size or shape.batch_size,
        unroll_steps=unroll,
        num_negatives=shape.num_negatives,
        dropout=DROPOUT,
        **settings,  # type: ignore[arg-type]
    )
    return Trainer(config, corpus, vocabulary_of(corpus, shape.num_words))


class PlainBiLM(nn.Module):
    """The language model as it is usually written; LSTM layers without clipping, which `nn.LSTM` does not have."""

    def __init__(self, config: BiLMConfig, vocabulary_size: int) -> None:
        super().__init__()
        lstm = config.lstm
        self.encoder = BiLM(config).character_encoder
        self.layers = nn.ModuleList(
            nn.LSTM(lstm.projection_size, lstm.cell_size, proj_size=lstm.projection_size)
            for _ in range(2 * lstm.num_lstm_layers)
        )
        self.softmax = Softmax(vocabulary_size, lstm.projection_size)
        self.states: list[tuple[Tensor, Tensor] | None] = [None] * len(self.layers)

    def forward(self, window: Window) -> Tensor:
        """The mean loss of a window."""
        losses = [self._direction(d, window).mean() for d in range(2)]
        return (losses[0] + losses[1]) / 2

    def _direction(self, direction: int, window: Window) -> Tensor:
        batch, half = window.batches[direction], len(self.layers) // 2
        characters = window.characters[batch.places]
        vectors = self._encode(characters.flatten(0, 1)).view(*characters.shape[:2], -1)
        for index in range(direction * half, (direction + 1) * half):
            dropped = F.dropout(vectors, DROPOUT)
            outputs, state = self.layers[index](dropped, self.states[index])
            self.states[index] = tuple(part.detach() for part in state)
            vectors = outputs + dropped if index % half else outputs
        vectors = F.dropout(vectors, DROPOUT)
        assert batch.negatives is not None
        return self.softmax.sampled_loss(vectors.flatten(0, 1), batch.targets.flatten(), *batch.negatives)

    def _encode(self, characters: Tensor) -> Tensor:
        embedded = F.embedding(characters, self.encoder._char_embedding_weights).transpose(1, 2)
        filtered = [F.relu(convolution(embedded).amax(dim=-1)) for convolution in self.encoder.convolutions]
        vectors: Tensor = self.encoder._projection(self.encoder._highways(torch.cat(filtered, dim=-1)))
        return vectors


def plain_step(trainer: Trainer) -> Callable[[], object]:
    """One step of the plain model on the windows of a trainer."""
    model = PlainBiLM(trainer.config.model, len(trainer.vocabulary))
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.05, 0.05)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.2, initial_accumulator_value=1.0)

    def step() -> None:
        optimizer.zero_grad()
        (model(trainer.reader.next_window()) * trainer.config.unroll_steps).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()

    return step


def mflop_a_token(shape: Shape) -> float:
    """Products of the LSTM layers and the softmax, forward and twice back, both directions."""
    lstm = shape.config.lstm
    layer = 2 * 4 * lstm.cell_size * 2 * lstm.projection_size + 2 * lstm.cell_size * lstm.projection_size
    softmax = 2 * lstm.projection_size * (shape.num_negatives + 1)
    return 2 * 3e-6 * (lstm.num_lstm_layers * layer + softmax)


def compare(name: str, shape: Shape, corpus: Corpus, steps: int, peak: float) -> Figures:
    """Ours and the plain step by turns, after one step each to warm up; medians."""
    ours = make_trainer(shape, corpus)
    theirs = plain_step(make_trainer(shape, corpus))
    taken = [(timed(ours.train_step)[0], timed(theirs)[0]) for _ in range(steps + 1)][1:]
    rates = [ours.tokens_per_step / median(column) for column in zip(*taken, strict=True)]
    return {
        f"{name}, ours, tokens/s": rates[0],
        f"{name}, plain PyTorch, tokens/s": rates[1],
        f"{name}, ours / plain PyTorch": median(b / a for a, b in taken),
        f"{name}, ours, of peak": rates[0] * mflop_a_token(shape) / 1e3 / peak,
    }


def in_half(name: str, shape: Shape, corpus: Corpus, steps: int, exact: float) -> Figures:
    """The same step with products in bfloat16."""
    trainer = make_trainer(shape, corpus, precision="bf16")
    trainer.train_step()
    rate = trainer.tokens_per_step / median(timed(trainer.train_step)[0] for _ in range(steps))
    return {f"{name}, ours, bf16, tokens/s": rate, f"{name}, bf16 / fp32": rate / exact}


def work(text: Path | None, batch_size: int, unroll: int, steps: int, threads: int) -> None:
    """What `--worker` does: train, and print tokens a second."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    shape, corpus = shape_of("default"), Corpus.from_sentences(sentences_from(text, 4096))
    with join_processes(torch.device("cpu")) as processes:
        trainer = make_trainer(shape, corpus, batch_size=batch_size, unroll=unroll)
        trainer = Trainer(trainer.config, corpus, trainer.vocabulary, processes=processes)
        trainer.train_step()
        seconds = median(timed(trainer.train_step)[0] for _ in range(steps))
        if processes.first:
            click.echo(trainer.tokens_per_step / seconds)


def processes(arguments: list[str]) -> Figures:
    """One process of two threads, and two of one."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    rates = []
    for count, threads in ((1, 2), (2, 1)):
        command = [*launch, str(count), __file__, "--worker", "256", "20", "--threads", str(threads), *arguments]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        rates.append(float(ended.stdout.split()[-1]))
    return {
        "default, one process of two threads, tokens/s": rates[0],
        "default, two processes of one thread, tokens/s": rates[1],
        "two processes / one": rates[1] / rates[0],
    }


def memory(arguments: list[str], quick: bool) -> Figures:
    """Peak memory of a run by the size of its window."""
    sizes = ((32, 20), (64, 20)) if quick else ((64, 20), (128, 20), (256, 20), (128, 40), (128, 80))
    figures = {}
    for rows, unroll in sizes:
        command = [sys.executable, __file__, "--worker", str(rows), str(unroll), "--steps", "3", *arguments]
        figures[f"default, peak MB, {rows} rows x {unroll}"] = run_measured(command)[1]
    return figures


def sentences_from(text: Path | None, count: int) -> list[list[str]]:
    """Real sentences, or made-up ones of natural length."""
    return sentences_of_natural_length(count) if text is None else read_sentences(text, count)


@click.command()
@click.option("--text", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Tokenised sentences.")
@click.option("--shape", "shapes", multiple=True, type=click.Choice(["original", "small", "default"]))
@click.option("--steps", default=5, show_default=True, help="Steps of each, after one to warm up.")
@click.option("--quick", is_flag=True, help="A tiny shape, two steps: to see that it runs.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
@click.option("--worker", nargs=2, type=int, hidden=True)
@click.option("--threads", default=2, hidden=True)
def main(
    text: Path | None,
    shapes: tuple[str, ...],
    steps: int,
    quick: bool,
    json_file: Path | None,
    worker: tuple[int, int] | None,
    threads: int,
) -> None:
    """Measure and print."""
    if worker is not None:
        work(text, *worker, steps, threads)
        return
    keep_freed_memory()
    steps = 2 if quick else steps
    corpus = Corpus.from_sentences(sentences_from(text, 500 if quick else 20_000))
    arguments = ["--text", str(text)] if text else []
    figures: Figures = {"threads": float(torch.get_num_threads()), "peak, GFLOP/s": peak_gflops(torch.float32)}
    for name in ("tiny",) if quick else shapes or ("original", "small", "default"):
        shape = shape_of(name)
        figures |= compare(name, shape, corpus, steps, figures["peak, GFLOP/s"])
        try:
            refuse_slow_precision(torch.device("cpu"), torch.bfloat16)
        except ConfigurationError as error:
            click.echo(f"bf16 is left out: {error}", err=True)
        else:
            figures |= in_half(name, shape, corpus, steps, figures[f"{name}, ours, tokens/s"])
    figures |= processes(["--steps", str(steps), *arguments]) | memory(arguments, quick)
    for what, value in figures.items():
        click.echo(f"{what:52} {value:12,.3f}")
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
