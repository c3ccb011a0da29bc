"""The notebooks, and how tests run their cells.

Jupyter is not needed: a notebook is JSON, and its cells hold plain Python.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PATHS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
INTERACTIVE = "elmo_interactive"
PICTURES = {
    "000_scicite_science_embedding": 2,
    "001_imdb_text_embedding": 1,
    "002_warm_start": 2,
    "004_elmo_sentence_layer": 1,
    INTERACTIVE: 4,
}
TUTORIALS = sorted(PICTURES.keys() - {INTERACTIVE})


def cells_of(path: Path) -> list[dict]:
    """The cells with code."""
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def run(sources: list[str], folder: Path, **variables: Path) -> subprocess.CompletedProcess:
    """Run cells as one program; Python's warnings are errors, but for the one that no window opens."""
    program = folder / "notebook.py"
    program.write_text("\n\n".join(sources), encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    environment |= {name: str(value) for name, value in variables.items()}
    arguments = [sys.executable, "-W", "error", "-W", "ignore:FigureCanvasAgg is non-interactive", str(program)]
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
