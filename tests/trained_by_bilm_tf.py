"""A folder as bilm-tf's trainer leaves it, of any small biLM."""

import json
from pathlib import Path

import numpy as np
import torch

from pytorch_elmo.model import BiLM
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.weights.arrays import arrays_from_bilm, arrays_from_softmax
from pytorch_elmo.weights.options import format_options
from pytorch_elmo.weights.table import checkpoint_variable
from slow_bundle import write_bundle

WORDS = ["<S>", "</S>", "<UNK>", "the", "Zoë", "日本語"]


def random_softmax(size: int, *, num_words: int = len(WORDS)) -> Softmax:
    softmax = Softmax(num_words, size)
    with torch.no_grad():
        for parameter in softmax.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    return softmax


def variables_of(bilm: BiLM, softmax: Softmax | None = None) -> dict[str, np.ndarray]:
    """Each with a slot of Adagrad, and the two counters."""
    arrays = arrays_from_bilm(bilm) | ({} if softmax is None else arrays_from_softmax(softmax))
    variables = {checkpoint_variable(name, bilm.config): array for name, array in arrays.items()}
    slots = {f"{name}/Adagrad": np.ones_like(array) for name, array in variables.items()}
    counters = {"global_step": np.float32(60), "train_perplexity": np.float32(0)}
    return variables | slots | {name: np.array(number) for name, number in counters.items()}


def write_trained(folder: Path, bilm: BiLM, softmax: Softmax | None = None, *, step: int = 60, change=None) -> Path:
    """Write options, checkpoint and vocabulary; `change` may alter the variables before."""
    folder.mkdir(exist_ok=True)
    options = format_options(bilm.config)
    options["char_cnn"]["n_characters"] = 261
    options |= {"bidirectional": True, "dropout": 0.1, "n_tokens_vocab": len(WORDS), "unroll_steps": 20}
    (folder / "options.json").write_text(json.dumps(options), encoding="utf-8")
    variables = variables_of(bilm, softmax)
    if change is not None:
        change(variables)
    write_bundle(folder / f"model.ckpt-{step}", variables)
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "/gone/model.ckpt-{step}"\n', encoding="utf-8")
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    return folder
