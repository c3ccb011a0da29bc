"""`embed-to-hdf5 --stateful` and `allennlp elmo` of release 0.9.0, run on the same arguments."""

from pathlib import Path

import pytest

from original_command import FINISHED, assert_equal_files, file_of, lay_out, read_runs
from pytorch_elmo.storage import verify_layer_file

# What AllenNLP ends with too: a message of ours for its exception, and no output, where it leaves half of one.
REFUSED = {
    "sentence_keys_duplicates": (1, "but lines 4 and 6 are the same: 'The same line twice .'"),
    "sentence_keys_prefix": (1, "would be a dataset and a group of one name"),
    "sentence_keys_dot": (1, r"must name something, got '.' in line 2"),
    "blank_lines": (1, "line(s) 2, 4 are blank"),
    "bad_utf8": (1, "sentences_bad_utf8.txt, line 2: not UTF-8 at byte 5"),
    "output_is_folder": (2, "File 'folder' is a directory."),
    "input_missing": (2, "Path 'nothing.txt' does not exist."),
    "options_missing": (1, "cannot read the options file nothing.json"),
    "weights_missing": (1, "no weight file nothing.hdf5"),
    "weights_not_hdf5": (1, "options.json cannot be read as HDF5"),
    "no_output": (2, "Missing argument 'OUTPUT'."),
    "batch_size_text": (2, "'two' is not a valid integer"),
    "batch_size_minus_1": (2, "-1 is not in the range x>=1"),
    "unknown_flag": (2, "No such option"),
}
# Where this command does something else on purpose.
DIFFERENT = {
    "batch_size_0": "refused, where AllenNLP writes a file without a sentence",
    "cuda_device_0": "depends on the machine",
    "help": "is not AllenNLP's",
    "no_mode": "--all is the default",
    "no_skip_connections": "is run",
    "output_exists": "is not overwritten",
    "output_in_missing_folder": "no folder is made",
    "two_modes": "the last one counts",
    "vocab_path": "did nothing and is gone",
}


@pytest.fixture
def runs(golden_folder) -> dict:
    return read_runs(golden_folder)


@pytest.fixture
def allennlps_folder(golden_folder, folder) -> Path:
    """The folder that AllenNLP was run in."""
    lay_out(golden_folder, folder)
    return folder


@pytest.mark.parametrize("name", FINISHED)
def test_the_same_file_as_allennlps(golden_folder, allennlps_folder, runs, embed, name):
    arguments = runs[name]["arguments"]
    stdin = Path("sentences_unique.txt").read_bytes() if arguments[0] == "-" else None
    ended = embed(*arguments, "--stateful", stdin=stdin)
    assert ended.code == runs[name]["exit"] == 0, ended.err
    assert_equal_files(Path(arguments[1]), file_of(golden_folder, runs[name]))
    assert verify_layer_file(Path(arguments[1])) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_allennlp_ends_with_too(allennlps_folder, runs, embed, name):
    before = sorted(allennlps_folder.rglob("*"))
    code, message = REFUSED[name]
    ended = embed(*runs[name]["arguments"], "--stateful", "-q")
    assert ended.code == code
    assert message in ended.last_line
    assert "Traceback" not in ended.err
    assert runs[name]["exit"] != 0
    assert sorted(allennlps_folder.rglob("*")) == before


def test_every_run_is_accounted_for(runs):
    assert {*FINISHED, *REFUSED, *DIFFERENT} == set(runs)
