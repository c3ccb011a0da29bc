"""Where the outputs of the original implementations are."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def golden_folder() -> Path:
    data = os.environ.get("PYTORCH_ELMO_TEST_DATA")
    if data is None:
        pytest.skip("PYTORCH_ELMO_TEST_DATA is not set")
    return Path(data) / "golden" / "elmo"
