"""The command `embed-to-hdf5 --stateful`, against the runs of `allennlp elmo` of AllenNLP 0.9.0."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from checks.ledger import FROM_0_9, Golden, GoldenFile, read_hdf5

FOLDER = f"{FROM_0_9}/cli"
ALLENNLP_BATCH_SIZE = 64
MODELS = {"syn1": "models/syn1", "syn2": "models/syn2", "syn3": "models/syn3", "noskip": "models/noskip"}
STANDARD_INPUT = "sentences_unique.txt"
# What AllenNLP does and this command refuses; the arguments to add or to leave out so that it runs.
STRICTER: dict[str, tuple[list[str], list[str]]] = {
    "output_exists": (["--overwrite"], []),
    "vocab_path": ([], ["--vocab-path", "vocab.txt"]),
    "output_in_missing_folder": ([], []),
    "batch_size_0": ([], []),
}
# What AllenNLP refuses and this command does.
WIDER = {"no_skip_connections", "no_mode", "two_modes"} | ({"cuda_device_0"} if torch.cuda.is_available() else set())


def check_command(golden: Golden) -> None:
    """Every run: the exit code, the datasets of the file, and what is left behind by a run that fails."""
    index = golden.entries(f"{FOLDER}/index.json")
    for case in index:
        run = index.take(case)
        file = golden.arrays(f"{FOLDER}/{run['file']}") if run.get("file") else None
        with working_folder(golden):
            _compare_case(index, case, run, file)


def _compare_case(index: GoldenFile, case: str, run: dict[str, Any], file: GoldenFile | None) -> None:
    output = Path(run["arguments"][1]) if len(run["arguments"]) > 1 else None
    if case == "output_exists" and output:
        output.write_bytes(b"not to be lost")
    code = run_command(run["arguments"])
    if case in STRICTER:
        index.differs(case, "stricter", code != 0)
        more, less = STRICTER[case]
        code = run_command([argument for argument in run["arguments"] if argument not in less] + more)
    elif case in WIDER:
        index.differs(case, "wider", code == 0 and run["exit"] != 0)
    elif run["exit"] or case == "help":
        index.differs(case, "own words", (code == 0) == (run["exit"] == 0))
    else:
        index.equal(case, run | {"exit": code})
    if file and output:
        if code == 0:
            _compare_file(file, read_hdf5(output))
        else:
            for name in list(file) or ["the file without datasets"]:
                file.differs(name, "whole files", not output.exists())


def _compare_file(file: GoldenFile, ours: dict[str, Any]) -> None:
    if ours.keys() != set(file):
        file.fault(f"holds {sorted(ours)}, there {sorted(file)}")
    for name in ours:
        if name == "sentence_to_index":
            file.equal(name, ours[name])
        else:
            file.compare(name, ours[name])


def run_command(arguments: list[str]) -> int:
    """The exit code of `embed-to-hdf5` with AllenNLP's arguments, its carried state and its batches."""
    from click.testing import CliRunner

    from pytorch_elmo.commands.embed_to_hdf5 import command

    if "--batch-size" not in arguments:
        arguments = [*arguments, "--batch-size", str(ALLENNLP_BATCH_SIZE)]
    result = CliRunner().invoke(command, [*arguments, "--stateful"], input=Path(STANDARD_INPUT).read_bytes())
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code


@contextmanager
def working_folder(golden: Golden) -> Iterator[None]:
    """A folder with the files that the runs name, as the current one."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, path in MODELS.items():
            (folder / model).symlink_to(golden.folder.absolute() / path)
        (folder / "fixture").symlink_to(golden.folder.absolute() / "fixtures")
        for path in golden.found("inputs/sentences*.txt"):
            (folder / Path(path).name).write_bytes(golden.use(path).read_bytes())
        (folder / "folder").mkdir()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
