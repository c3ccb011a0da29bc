"""How fast sentences become vectors, beside what the machine can do at all; everything in one run.

    python scripts/bench_embed.py [--sentences 1024] [--quick] [--json FILE]

1. The machine's matrix-multiply peak: the fastest of plain and packed products, fp32, and bf16 where the chip has it.
2. Compute alone: random weights of the original and small shapes, and the model in the package, over sentences of
   natural length, all layers, in memory. The fraction of the peak counts 206 MFLOP a token for the original shape,
   which is what AllenNLP spends on one, so it is a speed relative to AllenNLP's arithmetic at peak. What bf16 rounds
   away is measured with the model in the package on the first sentences of the demo, by layer.
3. The whole command with the model in the package, all layers, per-sentence layout, from starting Python to the
   finished file, against compute alone on the same sentences.
4. Peak memory of the command at 10 thousand and at 200 thousand sentences.
5. Seconds from starting Python to the first vector, against `import torch`.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

from bench.sentences import sentences_of_natural_length, write_sentences
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM, BiLMConfig, CharacterEncoderConfig, LstmConfig
from pytorch_elmo.model.packed_linear import available_packings, pack, refuse_slow_precision

DEMO = Path(__file__).parents[1] / "docs" / "demo" / "sentences.txt"
ORIGINAL_MFLOP = 206.0
FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
Figures = dict[str, float]


def best_seconds(action: Callable[[], object], repeats: int) -> float:
    """The fastest of several runs, after one to warm up."""
    action()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def peak_gflops(dtype: torch.dtype) -> float:
    """The fastest matrix product that this build of PyTorch does, GFLOP/s."""
    rates = []
    for rows, inner, outer in ((2048, 2048, 2048), (256, 4096, 512), (256, 1024, 16384)):
        inputs, weight = torch.randn(rows, inner).to(dtype), torch.randn(outer, inner).to(dtype)
        for packing in available_packings(dtype):
            product = pack(weight, None, packing)
            rates.append(2e-9 * rows * inner * outer / best_seconds(lambda: product(inputs), 5))  # noqa: B023
    return max(rates)


def two_layers(
    cell_size: int, projection_size: int, num_highway_layers: int, filters: tuple[tuple[int, int], ...] = FILTERS
) -> BiLMConfig:
    """A shape like the released ones."""
    encoder = CharacterEncoderConfig(
        filters=filters,
        character_embedding_size=16,
        num_highway_layers=num_highway_layers,
        projection_size=projection_size,
    )
    lstm = LstmConfig(
        num_lstm_layers=2,
        cell_size=cell_size,
        projection_size=projection_size,
        cell_clip=3.0,
        projection_clip=3.0,
    )
    return BiLMConfig(character_encoder=encoder, lstm=lstm)


def random_bilm(cell_size: int, projection_size: int, num_highway_layers: int) -> BiLM:
    """A biLM of a released shape with random weights of the size that trained ones have."""
    torch.manual_seed(0)
    bilm = BiLM.unfilled(two_layers(cell_size, projection_size, num_highway_layers)).requires_grad_(False)
    for parameter in bilm.parameters():
        parameter.uniform_(-1.0, 1.0).mul_(parameter.shape[-1] ** -0.5)
    return bilm.eval()


def tokens_a_second(embedder: ElmoEmbedder, sentences: list[list[str]], repeats: int) -> float:
    """Compute alone: all layers of every sentence, thrown away."""
    return sum(map(len, sentences)) / best_seconds(lambda: one_pass(embedder, sentences), repeats)


def one_pass(embedder: ElmoEmbedder, sentences: list[list[str]]) -> float:
    """Seconds for all layers of every sentence."""
    began = time.perf_counter()
    for _ in embedder.embed_sentences(sentences):
        pass
    return time.perf_counter() - began


def compute(sentences: list[list[str]], precision: str, peak: float, repeats: int) -> Figures:
    """Tokens a second of the three models, and the original's fraction of the peak."""
    figures = {}
    for name, bilm in (
        ("original", random_bilm(4096, 512, 2)),
        ("small", random_bilm(1024, 128, 1)),
        ("default", None),
    ):
        few = sentences if name != "original" else sentences[: max(len(sentences) // 4, 1)]
        embedder = ElmoEmbedder(model=bilm or "default", precision=precision)
        figures[f"{name} {precision} tokens/s"] = tokens_a_second(embedder, few, repeats)
    figures[f"original {precision} of peak"] = figures[f"original {precision} tokens/s"] * ORIGINAL_MFLOP / 1e3 / peak
    figures[f"small {precision} / original {precision}"] = (
        figures[f"small {precision} tokens/s"] / figures[f"original {precision} tokens/s"]
    )
    return figures


def rounding(sentences: list[list[str]]) -> Figures:
    """How far bf16 is from fp32 with the trained model: largest difference, and relative root mean square."""
    exact, rounded = ElmoEmbedder(), ElmoEmbedder(precision="bf16")
    pairs = list(zip(exact.embed_sentences(sentences), rounded.embed_sentences(sentences), strict=True))
    figures = {}
    for layer in range(exact.num_layers):
        values = np.concatenate([one[layer] for one, _ in pairs])
        errors = values - np.concatenate([other[layer] for _, other in pairs])
        figures[f"bf16, layer {layer}, largest difference"] = float(np.abs(errors).max())
        figures[f"bf16, layer {layer}, relative rms"] = float(np.sqrt((errors**2).mean() / (values**2).mean()))
    return figures


def run_measured(arguments: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a command.

    A small process stands between, since Linux counts what a process held before it became the command: this one's.
    """
    code = (
        "import resource, subprocess, sys, time; began = time.perf_counter(); "
        "subprocess.run(sys.argv[1:], check=True); "
        "print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    seconds, memory = map(float, ended.stdout.split()[-2:])  # after what the command itself said
    return seconds, memory


def run_command(text: Path, *options: str) -> tuple[float, float]:
    """Seconds, from start to finished file, and peak memory (MB) of the command."""
    output = text.with_name("vectors.hdf5")
    program = str(Path(sys.executable).with_name("embed-to-hdf5"))
    measured = run_measured([program, "-q", *options, str(text), str(output)])
    output.unlink()
    return measured


def command(folder: Path, scale: int) -> Figures:
    """The whole command, in turns with compute alone on the same sentences by an embedder that knows no word yet."""
    text = folder / "sentences.txt"
    num_tokens = write_sentences(text, 40_000 // scale)
    sentences = [line.split() for line in text.read_text("utf-8").splitlines()]
    alone, whole = [], []
    for _ in range(2):
        alone.append(num_tokens / one_pass(ElmoEmbedder(), sentences))
        whole.append(num_tokens / run_command(text, "--all")[0])
    return {
        "compute alone, 40 thousand sentences, tokens/s": max(alone),
        "command, 40 thousand sentences, tokens/s": max(whole),
        "command / compute alone": max(whole) / max(alone),
    }


def memory(folder: Path, scale: int) -> Figures:
    """Peak memory of the command at two sizes."""
    text = folder / "sentences.txt"
    peaks = []
    for count in (10_000, 200_000):
        write_sentences(text, count // scale)
        peaks.append(run_command(text, "--average")[1])
    return {
        "peak MB, 10 thousand sentences": peaks[0],
        "peak MB, 200 thousand sentences": peaks[1],
        "memory of 200 / of 10 thousand": peaks[1] / peaks[0],
    }


def start_up() -> Figures:
    """From starting Python to the first vector, and to an imported torch."""
    first = "from pytorch_elmo import ElmoEmbedder; ElmoEmbedder().embed_sentence(['a'])"
    seconds = [
        best_seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True), 3)  # noqa: B023
        for code in ("import torch", first)
    ]
    return {"import torch, s": seconds[0], "first vector, s": seconds[1]}


@click.command()
@click.option("--sentences", default=2048, show_default=True, help="Sentences for compute alone.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--quick", is_flag=True, help="A tenth of everything, to see that it runs.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(sentences: int, repeats: int, quick: bool, json_file: Path | None) -> None:
    """Measure and print."""
    scale = 10 if quick else 1
    text = sentences_of_natural_length(sentences // scale)
    figures: Figures = {"threads": float(torch.get_num_threads())}

    def show(new: Figures) -> None:
        for name, value in new.items():
            click.echo(f"{name:48} {value:12,.3f}")
        figures.update(new)

    show({"peak fp32 GFLOP/s": peak_gflops(torch.float32)})
    show(compute(text, "fp32", figures["peak fp32 GFLOP/s"], repeats))
    try:
        refuse_slow_precision(torch.device("cpu"), torch.bfloat16)
        show({"peak bf16 GFLOP/s": peak_gflops(torch.bfloat16)})
        show(compute(text, "bf16", figures["peak bf16 GFLOP/s"], repeats))
        show(rounding([line.split() for line in DEMO.read_text("utf-8").splitlines()]))
    except ConfigurationError as refusal:
        click.echo(f"bf16: {refusal}")
    with tempfile.TemporaryDirectory() as folder:
        show(command(Path(folder), scale))
        show(memory(Path(folder), scale))
    show(start_up())
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
