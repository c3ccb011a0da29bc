"""Compare this package with every file of the golden folder, and print what was found.

    python scripts/parity.py [GOLDEN_FOLDER]

The folder is one with outputs of AllenNLP (`elmo`) or of TensorFlow (`tf`); both, in `golden` under
$PYTORCH_ELMO_TEST_DATA, if none is given. Each file is `equal`, or its largest difference is shown, or it differs on
purpose for a reason of one table, or a table says why it is not compared. The exit code is 1 if a number is further
away than the tolerance of the golden folder's README, if a file or a part of one was not looked at, or if a table
names what is not there.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import torch

from checks.allennlp import CHECKS as CHECKS_OF_ALLENNLP
from checks.allennlp import PURPOSES as PURPOSES_OF_ALLENNLP
from checks.allennlp import WAITING as WAITING_FOR_ALLENNLP
from checks.archives import check_archive_2, check_archives_0_9
from checks.bilm import (
    check_bilm_tf_weights,
    check_ids,
    check_layers,
    check_masked_rows,
    check_published_embeddings,
    check_states,
    check_weight_files,
)
from checks.cache import check_cache
from checks.command import check_command
from checks.conversion import CHECKS as CHECKS_OF_CONVERSION
from checks.elmo import (
    check_other_shapes,
    check_representations,
    check_scalar_mix,
    check_state_dicts,
    check_token_embedder,
)
from checks.embedder import check_embedder
from checks.errors import check_errors
from checks.ledger import Golden, GoldenFile, shortened
from checks.tensorflow import CHECKS as CHECKS_OF_TENSORFLOW
from checks.tensorflow import LISTED as LISTED_OF_TENSORFLOW
from checks.tensorflow import PURPOSES as PURPOSES_OF_TENSORFLOW
from checks.training import check_training

CHECKS: tuple[Callable[[Golden], None], ...] = (
    check_ids,
    check_weight_files,
    check_layers,
    check_states,
    check_masked_rows,
    check_published_embeddings,
    check_bilm_tf_weights,
    *CHECKS_OF_CONVERSION,
    check_scalar_mix,
    check_representations,
    check_other_shapes,
    check_token_embedder,
    check_state_dicts,
    check_cache,
    check_errors,
    check_training,
    *CHECKS_OF_ALLENNLP,
    check_archive_2,
    check_archives_0_9,
    check_embedder,
    check_command,
)

# What differs on purpose: what this package does, and what is there instead.
PURPOSES = {
    "empty sentence": "a sentence without tokens is float32 (num_layers, 0, dim); there float64 (3, 0, 1024)",
    "empty batch": "a batch without tokens has results without tokens; there an IndexError or a reshape error",
    "three axes": "batch_to_ids gives (batch_size, num_tokens, 50) always; there (batch_size, 0) without tokens",
    "bool mask": "masks are bool, as in AllenNLP 2; in 0.9 int64",
    "word cache": "cached words stay in the mask, need no characters and are never trained; there the opposite",
    "hole": "a row of zeros inside a sentence is no input; the other sentences of the batch are equal",
    "buffer": "the ids of the boundaries move with the module, outside its state dict; there a plain attribute",
    "stricter": "what would be misread, lost or ignored is refused: strings for lists, options that do not fit the "
    "weights, a batch size of 0, --vocab-path, an output that exists or has no folder",
    "wider": "runs; there an error: no skip connections, boundaries kept with four axes, a reset before any call, no "
    "mode or two for the command",
    "own words": "refused as there, by an error that names the rule, the value and the next step",
    "whole files": "a run that fails leaves no output; there a partial file",
    **PURPOSES_OF_ALLENNLP,
}

# Files that are not compared, and why.
LISTED = {
    "README.md": "text",
    "numpy_check*.txt": "report of the golden files' own check",
    "*/versions.json": "report of the golden files' environments",
    "*/compare_with_*.json": "report: one AllenNLP against the other",
    "models/models.json": "text: seeds and purposes of the models",
    "elmoformanylangs/sentences.conll": "text: what that package's command read",
    "elmoformanylangs/train.txt": "text: what that package's dictionaries were made of",
    **WAITING_FOR_ALLENNLP,
}


class Tables(NamedTuple):
    """What is to be done with the files of a golden folder."""

    checks: tuple[Callable[[Golden], None], ...]
    purposes: Mapping[str, str]
    listed: Mapping[str, str]


def main() -> int:
    """Run all checks on the folders that the command line names; the exit code."""
    logging.getLogger("pytorch_elmo").setLevel(logging.ERROR)  # warnings that the goldens provoke
    torch.set_num_threads(1)
    faults = []
    for folder in folders_from(sys.argv[1:]):
        golden, tables = Golden(folder), tables_for(folder)
        for check in tables.checks:
            check(golden)
        faults += print_report(golden, tables)
    return 1 if faults else 0


def folders_from(arguments: list[str]) -> list[Path]:
    """The golden folders."""
    named = os.environ.get("PYTORCH_ELMO_TEST_DATA")
    if len(arguments) > 1 or not (arguments or named):
        sys.exit(__doc__)
    golden = Path(str(named)) / "golden"
    folders = [Path(arguments[0])] if arguments else [golden / "elmo", golden / "tf"]
    for folder in folders:
        if not folder.is_dir():
            sys.exit(f"the golden folder must exist, {folder} does not; name another")
    return folders


def tables_for(folder: Path) -> Tables:
    """The checks and tables of a folder, by its name."""
    if folder.name == "tf":
        return Tables(CHECKS_OF_TENSORFLOW, PURPOSES_OF_TENSORFLOW, LISTED_OF_TENSORFLOW)
    return Tables(CHECKS, PURPOSES, LISTED)


def print_report(golden: Golden, tables: Tables) -> list[str]:
    """Print a row for each file, grouped by folder, then the tables and the sum; the faults."""
    rows, faults = {}, []
    for path in golden.found("**/*"):
        rows[path], found = describe(path, golden.files.get(path), tables)
        faults += [f"{path}: {fault}" for fault in found]
    faults += stale_rows(golden, list(rows), tables)
    for line in grouped(rows):
        print(line)
    print("\nDiffers on purpose")
    for purpose, reason in tables.purposes.items():
        print(f"  {purpose:16} {reason}")
    for fault in faults:
        print(f"FAULT {fault}")
    print(summary(golden, rows, faults))
    return faults


def describe(path: str, file: GoldenFile | None, tables: Tables) -> tuple[str, list[str]]:
    """A file's row, and what is wrong with it."""
    listed = next((why for pattern, why in tables.listed.items() if fnmatch(path, pattern)), None)
    if file is None:
        return (listed, []) if listed else ("not visited", ["was not visited; compare it or list it"])
    faults = file.all_faults()
    if listed:
        faults.append(f"is listed ({listed}), but it was opened; take it off the list")
    unknown = file.purposes.keys() - tables.purposes.keys()
    faults += [f"{purpose!r} is not in the table of purposes" for purpose in unknown]
    parts = []
    if file.compared:
        result = f"{file.worst:.1e} in {shortened(file.worst_name)}" if file.worst else "equal"
        parts.append(f"{result} ({file.compared} compared)")
    parts += [f"{count} differ on purpose: {purpose}" for purpose, count in file.purposes.items()]
    parts += [f"{count} wait for {issue}" for issue, count in file.waits.items()]
    return "; ".join(parts) or "input", faults


def stale_rows(golden: Golden, paths: list[str], tables: Tables) -> list[str]:
    """Rows of the two tables that nothing needs."""
    used = {purpose for file in golden.files.values() for purpose in file.purposes}
    stale = [f"the purpose {purpose!r} was met nowhere" for purpose in tables.purposes.keys() - used]
    unmet = [pattern for pattern in tables.listed if not any(fnmatch(path, pattern) for path in paths)]
    return stale + [f"no file is {pattern}" for pattern in unmet]


def grouped(rows: dict[str, str]) -> Iterator[str]:
    """Lines of the table, a heading for each folder."""
    folders: dict[str, dict[str, str]] = {}
    for path, result in rows.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = result
    for folder, files in folders.items():
        yield f"\n{folder or '.'}/"
        width = max(map(len, files))
        yield from (f"  {name:{width}}  {result}" for name, result in files.items())


def summary(golden: Golden, rows: dict[str, str], faults: list[str]) -> str:
    """The last line."""
    compared = sum(file.compared for file in golden.files.values())
    purposes: Counter[str] = sum((file.purposes for file in golden.files.values()), Counter())
    waits = sum("wait" in result for result in rows.values())
    path, worst = max(golden.files.items(), key=lambda item: item[1].worst_share)
    return (
        f"\n{len(rows)} files: {compared} parts compared, {purposes.total()} differ on purpose, {waits} files wait "
        f"in whole or in part; worst {worst.worst:.1e} in {path} ({worst.worst_name}), {worst.worst_share:.0%} of "
        f"its tolerance; {len(faults)} fault(s)"
    )


if __name__ == "__main__":
    sys.exit(main())
