"""What the tests of this room share: the goldens of TensorFlow's tutorials and the checks of scripts/parity*.py."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))


@pytest.fixture
def check_golden(test_data):
    """Runs a check of a parity script on golden/tf; returns how many parts it compared."""

    def check(name: str, module: str = "parity_classification") -> int:
        golden = import_module("parity_ledger").Golden(test_data / "golden" / "tf")
        getattr(import_module(module), name)(golden)
        assert [fault for file in golden.files.values() for fault in file.faults] == []
        return sum(file.compared for file in golden.files.values())

    return check
