"""The outputs of the original implementations and of the slow reference, as this package's tests read them."""

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.weights.hdf5 import read_hdf5
from pytorch_elmo.weights.options import read_options

COMMITTED = Path(__file__).parent / "golden"
COMMITTED_MODELS = ("clipped", "deep")
MODELS = ("fixture", "syn1", "syn2", "syn3", "syn4", "syn5", "syn6", "syn7")
STATEFUL_MODELS = ("fixture", "syn1", "syn2", "syn3", "syn5")
TOLERANCE = 1e-5  # absolute: float32 against float32 or float64, about 2e-6 is met


def model_files(golden_folder: Path, name: str) -> tuple[Path, Path]:
    """Options file and weight file of a model by the name that the goldens give it."""
    if name == "fixture":
        folder = golden_folder / "fixtures"
        return folder / "options.json", folder / "lm_weights.hdf5"
    folder = golden_folder / "models" / name
    return folder / "options.json", folder / "weights.hdf5"


def read_files(options_file: Path, weight_file: Path) -> BiLM:
    return read_hdf5(weight_file, read_options(options_file))


def read_original(golden_folder: Path, name: str) -> BiLM:
    return read_files(*model_files(golden_folder, name))


def read_committed(name: str) -> BiLM:
    return read_files(COMMITTED / name / "options.json", COMMITTED / name / "weights.hdf5")


def original_sentences(golden_folder: Path, batch: str) -> list[list[str]]:
    return json.loads((golden_folder / "inputs" / f"{batch}.json").read_text("utf-8"))["sentences"]


def original_ids(golden_folder: Path, batch: str) -> Tensor:
    return batch_to_ids(original_sentences(golden_folder, batch))


def committed_texts() -> dict:
    return json.loads((COMMITTED / "texts.json").read_text("utf-8"))


def close(ours: Tensor | list[Tensor], theirs: NDArray, tolerance: float = TOLERANCE) -> None:
    """Equal shapes, and no value further away than `tolerance`."""
    stacked = torch.stack(ours) if isinstance(ours, list) else ours
    assert tuple(stacked.shape) == theirs.shape
    np.testing.assert_allclose(stacked.detach().numpy(), theirs, rtol=0, atol=tolerance)


def state_close(state: LstmState, hidden: NDArray, cell: NDArray, tolerance: float = TOLERANCE) -> None:
    close(state.hidden, hidden, tolerance)
    close(state.cell, cell, tolerance)
