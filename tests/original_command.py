"""The runs of AllenNLP 0.9.0's command `elmo`, which two commands of this package are compared with."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np

from originals import TOLERANCE

# What both commands finish with an equal file.
FINISHED = (
    "all_b1",
    "all_b2",
    "all_b3",
    "all_b64",
    "top_b1",
    "top_b2",
    "top_b64",
    "average_b1",
    "average_b2",
    "average_b64",
    "default_batch",
    "fixture_all",
    "fixture_top",
    "fixture_average",
    "syn1_all",
    "syn1_average",
    "syn3_all",
    "syn3_average",
    "forget",
    "slash",
    "sentence_keys",
    "sentence_keys_forget",
    "sentence_keys_slash",
    "empty_file",
    "no_final_newline",
    "crlf",
    "spaces_around",
    "line_separators",
    "byte_order_mark",
    "output_in_folder",
    "input_is_stdin",
    "file_friendly_logging",
)


def read_runs(golden_folder: Path) -> dict:
    """Arguments, exit code and file of each run."""
    return json.loads((golden_folder / "goldens_0.9.0" / "cli" / "index.json").read_text("utf-8"))


def file_of(golden_folder: Path, run: dict) -> Path:
    """The file that a run wrote."""
    return golden_folder / "goldens_0.9.0" / "cli" / run["file"]


def lay_out(golden_folder: Path, folder: Path) -> None:
    """Make the folder that AllenNLP was run in, as far as its arguments tell."""
    for path in (golden_folder / "inputs").glob("sentences*.txt"):
        shutil.copy(path, folder)
    for name in ("syn1", "syn2", "syn3", "noskip"):
        shutil.copytree(golden_folder / "models" / name, folder / name)
    shutil.copytree(golden_folder / "fixtures", folder / "fixture")
    (folder / "folder").mkdir()


def content(path: Path) -> dict[str, np.ndarray | str]:
    """All datasets of a file by their paths; the text of those that hold one."""
    found = {}

    def collect(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[0].decode() if item.dtype.kind == "O" else item[()]

    with h5py.File(path) as file:
        file.visititems(collect)
    return found


def assert_equal_files(ours: Path, theirs: Path) -> None:
    found, expected = content(ours), content(theirs)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if isinstance(value, str):
            assert found[key] == value
        else:
            assert (found[key].dtype, found[key].shape) == (value.dtype, value.shape)
            np.testing.assert_allclose(found[key], value, rtol=0, atol=TOLERANCE)
