"""Run the tutorial notebooks from top to bottom, and store what they show in them.

    python scripts/run_tutorials.py [NAME...] --data FOLDER

NAME is the beginning of a notebook's name (000, 001, 002, 004); without one all four run. FOLDER holds what the
notebooks read: `imdb/aclImdb_v1.tar.*` or `imdb/aclImdb`, and `scicite/*.jsonl`. A notebook that fails is left as it
was, and the cell and its error are told. Needs `pip install pytorch-elmo[tutorials]`.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

from pytorch_elmo.files import whole_file

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def run(path: Path) -> float:
    """Execute one notebook in place; seconds."""
    notebook = nbformat.read(path, as_version=4)
    began = time.monotonic()
    with tqdm(total=len(notebook.cells), desc=path.stem, unit="cell") as bar:
        NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            record_timing=False,
            on_cell_complete=lambda **_: bar.update(),
        ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":  # what a progress bar wrote is no result
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    with whole_file(path) as partial:
        nbformat.write(notebook, partial)
    return time.monotonic() - began


def chosen(names: list[str]) -> list[Path]:
    """The notebooks whose names begin so, in order."""
    numbered = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    found = [path for path in numbered if not names or path.stem.startswith(tuple(names))]
    for name in names:
        if not any(path.stem.startswith(name) for path in found):
            known = ", ".join(path.stem for path in numbered)
            sys.exit(f"error: no tutorial begins with {name!r}; there are {known}")
    return found


def main() -> None:
    """Read the arguments, run the notebooks, tell how long each took."""
    parser = argparse.ArgumentParser(description="Run the tutorial notebooks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="the beginning of a notebook's name")
    parser.add_argument("--data", type=Path, required=True, help="folder with imdb/ and scicite/")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(
            f"error: --data must be a folder with imdb/ and scicite/, got {arguments.data}; see docs/tutorials.md"
        )
    os.environ["DATA"] = str(arguments.data.resolve())
    for path in chosen(arguments.names):
        try:
            print(f"{path.stem}: {run(path) / 60:.1f} minutes", flush=True)
        except CellExecutionError as error:
            sys.exit(f"error: {path.name}, a cell failed: {error.ename}: {error.evalue}")
        except DeadKernelError:
            sys.exit(f"error: {path.name}, its process was ended, most often for want of memory; run it alone")
        except KeyboardInterrupt:
            sys.exit(f"error: {path.name} was stopped and is as it was")


if __name__ == "__main__":
    main()
