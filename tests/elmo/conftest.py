"""What the tests of this room share: a committed model as `Elmo`, and the checks of scripts/checks/."""

from importlib import import_module
from pathlib import Path

import pytest
import torch

from pytorch_elmo.elmo import Elmo


@pytest.fixture
def assert_parity(golden_folder):
    """Run a check of the parity scripts, named `<module>.<function>`: nothing may be found."""

    def run(name: str) -> None:
        module, _, function = name.rpartition(".")
        golden = import_module("checks.ledger").Golden(golden_folder)
        getattr(import_module(module), function)(golden)
        assert golden.all_faults() == []
        assert sum(file.compared for file in golden.files.values()) > 0

    return run


@pytest.fixture
def small_model_files(small_model_folder) -> tuple[Path, Path]:
    """The committed model's options file and weight file."""
    return small_model_folder / "options.json", small_model_folder / "weights.hdf5"


@pytest.fixture
def make_elmo(small_model_files):
    """`Elmo` over the committed model, without dropout unless it is asked for."""

    def make(num_output_representations: int = 1, **arguments) -> Elmo:
        return Elmo(*small_model_files, num_output_representations, **{"dropout": 0.0} | arguments)

    return make


@pytest.fixture
def layer_by_layer(make_elmo):
    """`Elmo` whose k-th representation is the biLM's k-th layer with the sentence boundaries."""

    def make(**arguments) -> Elmo:
        elmo = make_elmo(3, keep_sentence_boundaries=True, **arguments)
        with torch.no_grad():
            for layer in range(3):
                for index, scalar in enumerate(elmo.get_submodule(f"scalar_mix_{layer}").scalar_parameters):
                    scalar.fill_(0.0 if index == layer else -9e10)
        return elmo

    return make
