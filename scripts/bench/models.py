"""What the benchmarks against AllenNLP share: models of the released shapes as files, and the time of one call."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench_embed import random_bilm
from pytorch_elmo.text.lines import InputFile, read_lines
from pytorch_elmo.weights.hdf5 import write_hdf5
from pytorch_elmo.weights.options import format_options

# Cell size, projection size, highway layers of the released models.
SHAPES = {"original": (4096, 512, 2), "small": (1024, 128, 1)}
TINY = (64, 16, 1)  # of --quick

Result = TypeVar("Result")


def write_model(folder: Path, shape: tuple[int, int, int]) -> tuple[Path, Path]:
    """Options file and weight file of a model with random weights."""
    bilm = random_bilm(*shape)
    options_file, weight_file = folder / "options.json", folder / "weights.hdf5"
    options_file.write_text(json.dumps(format_options(bilm.config)), encoding="utf-8")
    write_hdf5(bilm, weight_file)
    return options_file, weight_file


def read_sentences(path: Path, count: int) -> list[list[str]]:
    """The tokens of the first lines that have any."""
    lines = (line.split() for line in read_lines(InputFile(path, str(path))))
    sentences = [tokens for tokens in lines if tokens]
    return sentences[:count]


def timed(action: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result
