"""Which shape of biLM predicts text best for its cost, each trained for the same time.

    python scripts/compare_shapes.py CONFIG --heldout TEXT... --minutes 12 --output FOLDER [--shape NAME...]

CONFIG is one of `elmo pretrain`; its text, optimizer and batch stay. Its network is replaced by each shape, and its
steps are as many as fit into the minutes, found by timing the first ones, so that the rate falls to its end in every
run. TEXT is tokenised, one sentence a line. Told of each: parameters, tokens read, perplexity on TEXT (both
directions), and what a token costs when it is embedded, in CPU microseconds. OUTPUT gets shapes.json and the models.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from bench.models import read_sentences
from bench_embed import two_layers
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.files import whole_file
from pytorch_elmo.pretraining.config import PretrainingConfig, read_config
from pytorch_elmo.pretraining.evaluate import evaluate_perplexity
from pytorch_elmo.pretraining.job import TrainingText, prepare_text
from pytorch_elmo.pretraining.trainer import Trainer
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.training.allocation import keep_freed_memory
from pytorch_elmo.weights.load import save_pretrained
from pytorch_elmo.weights.own_format import save_softmax

SMALL_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 64), (5, 128), (6, 192))
# Cell size, projection size, highway layers, filters; `small` is AllenNLP's model of that name.
SHAPES = {
    "512/128": two_layers(512, 128, 1, SMALL_FILTERS),
    "768/128": two_layers(768, 128, 1, SMALL_FILTERS),
    "512/256": two_layers(512, 256, 1, SMALL_FILTERS),
    "1024/128": two_layers(1024, 128, 1, SMALL_FILTERS),
    "small": two_layers(1024, 128, 1),
}
STEPS_TIMED = 12


def seconds_a_step(config: PretrainingConfig, text: TrainingText) -> float:
    """Of a run that is thrown away."""
    trainer = Trainer(config, text.train, text.vocabulary)
    taken = []
    for _ in range(STEPS_TIMED):
        began = time.perf_counter()
        trainer.train_step()
        taken.append(time.perf_counter() - began)
    return median(taken[2:])


def train(config: PretrainingConfig, text: TrainingText, minutes: float) -> Trainer:
    """A run of as many steps as fit into the minutes."""
    num_steps = max(int(60 * minutes / seconds_a_step(config, text)), STEPS_TIMED)
    trainer = Trainer(dataclasses.replace(config, num_steps=num_steps), text.train, text.vocabulary)
    for step in range(num_steps):
        report = trainer.train_step()
        if step % 200 == 199:
            loss = (report.forward_loss + report.backward_loss) / 2
            print(f"  step {step + 1} of {num_steps}: loss {loss:.3f}", file=sys.stderr)
    return trainer


def embedding_cost(trainer: Trainer, sentences: list[list[str]]) -> float:
    """CPU microseconds a token, all layers, of an embedder that knows no word yet."""
    began = time.process_time()
    for _ in ElmoEmbedder(model=trainer.bilm).embed_sentences(sentences):
        pass
    return 1e6 * (time.process_time() - began) / sum(map(len, sentences))


def measure(
    name: str, config: PretrainingConfig, text: TrainingText, arguments: argparse.Namespace
) -> dict[str, Any]:
    """One shape, made for JSON."""
    began = time.perf_counter()
    trainer = train(dataclasses.replace(config, model=SHAPES[name]), text, arguments.minutes)
    minutes = (time.perf_counter() - began) / 60
    trainer.bilm.requires_grad_(False).eval()
    folder = arguments.output / name.replace("/", "-")
    save_pretrained(trainer.bilm, folder)
    save_softmax(trainer.softmax, text.vocabulary, folder / "softmax.safetensors")
    found: dict[str, Any] = {
        "parameters": sum(parameter.numel() for parameter in trainer.bilm.parameters()),
        "minutes": minutes,
        "steps": trainer.step,
        "tokens": trainer.step * trainer.tokens_per_step,
        "perplexity": {},
    }
    everything: list[list[str]] = []
    for path in arguments.heldout:
        sentences = read_sentences(path, arguments.sentences)
        everything += sentences
        measured = evaluate_perplexity(trainer.bilm, trainer.softmax, text.vocabulary, sentences)
        found["perplexity"][path.stem] = measured.both
    found["cpu_us_a_token"] = embedding_cost(trainer, everything)
    return found


def table(results: dict[str, Any]) -> str:
    """One line a shape."""
    texts = list(next(iter(results.values()))["perplexity"])
    head = f"{'shape':10}{'parameters':>12}{'tokens':>13}{'CPU us/token':>14}"
    lines = [head + "".join(f"{text:>14}" for text in texts)]
    for name, found in results.items():
        line = f"{name:10}{found['parameters']:12,}{found['tokens']:13,}{found['cpu_us_a_token']:14.1f}"
        lines.append(line + "".join(f"{found['perplexity'][text]:14.1f}" for text in texts))
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, train every shape, print the table after each."""
    parser = argparse.ArgumentParser(description="Shapes of biLM at equal training time.")
    parser.add_argument("config", type=Path, help="of `elmo pretrain`")
    parser.add_argument("--heldout", type=Path, required=True, nargs="+", help="tokenised text to measure on")
    parser.add_argument("--minutes", type=float, default=12.0, help="of each training")
    parser.add_argument("--output", type=Path, required=True, help="folder for shapes.json and the models")
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=list(SHAPES), help="only these")
    parser.add_argument("--sentences", type=int, default=1000, help="of each text, at most")
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.manual_seed(0)
    results: dict[str, Any] = {}
    try:
        config = read_config(arguments.config)
        text = prepare_text(config, arguments.output, SilentProgress())
        for name in arguments.shape:
            results[name] = measure(name, config, text, arguments)
            with whole_file(arguments.output / "shapes.json") as partial:
                partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
            print(table(results), flush=True)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
