"""What the tests of this room share: the goldens of TensorFlow's tutorials and the checks of scripts/checks/."""

from importlib import import_module

import pytest


@pytest.fixture
def check_golden(test_data):
    """Runs a check of a parity script on golden/tf; returns how many parts it compared."""

    def check(name: str, module: str = "checks.classification") -> int:
        golden = import_module("checks.ledger").Golden(test_data / "golden" / "tf")
        getattr(import_module(module), name)(golden)
        assert [fault for file in golden.files.values() for fault in file.faults] == []
        return sum(file.compared for file in golden.files.values())

    return check
