"""What the tests of this room share: committed models as `Elmo`, and the checks of scripts/parity*.py."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from originals import COMMITTED
from pytorch_elmo.elmo import Elmo

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))


@pytest.fixture
def assert_parity(golden_folder):
    """Run a check of the parity scripts by its name, `<module>.<function>`: nothing may be found."""

    def run(name: str) -> None:
        module, _, function = name.rpartition(".")
        golden = import_module("parity_ledger").Golden(golden_folder)
        getattr(import_module(module), function)(golden)
        assert golden.all_faults() == []
        assert sum(file.compared for file in golden.files.values()) > 0

    return run


@pytest.fixture
def make_elmo(small_model_folder):
    """`Elmo` over the committed model, without dropout unless it is asked for."""

    def make(num_output_representations: int = 1, **arguments) -> Elmo:
        files = small_model_folder / "options.json", small_model_folder / "weights.hdf5"
        return Elmo(*files, num_output_representations, **{"dropout": 0.0} | arguments)

    return make


@pytest.fixture
def layer_by_layer(make_elmo):
    """An `Elmo` whose k-th representation is the biLM's k-th layer with the sentence boundaries."""

    def make(**arguments) -> Elmo:
        elmo = make_elmo(3, keep_sentence_boundaries=True, **arguments)
        for layer, mix in enumerate(elmo._scalar_mixes):
            set_mix(mix, [0.0 if index == layer else -9e10 for index in range(3)], 1.0)
        return elmo

    return make


@torch.no_grad()
def set_mix(mix, scalar_parameters, gamma) -> None:
    for parameter, value in zip(mix.scalar_parameters, scalar_parameters, strict=True):
        parameter.fill_(float(value))
    mix.gamma.fill_(float(gamma))


def committed_arrays(model: str, name: str) -> dict[str, np.ndarray]:
    with np.load(COMMITTED / model / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}
