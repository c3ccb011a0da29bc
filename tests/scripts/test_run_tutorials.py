"""The command that runs the tutorials, on notebooks of a cell or two."""

import json
import os
import re

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


@pytest.fixture
def notebooks(tmp_path, monkeypatch, run_script):
    """Write notebooks where the command looks for them."""
    import run_tutorials

    monkeypatch.setattr(run_tutorials, "NOTEBOOKS", tmp_path)
    monkeypatch.setitem(os.environ, "DATA", "")  # what the command sets is taken back

    def write(**sources):
        for name, source in sources.items():
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(notebook, tmp_path / f"{name.strip('_')}.ipynb")
        return tmp_path

    return write


def test_what_is_shown_is_stored(notebooks, run_script, tmp_path):
    folder = notebooks(
        _000_first="import os, sys\nprint(os.environ['DATA'])\nprint('bar', file=sys.stderr)", _001_second="2"
    )
    untouched = (folder / "001_second.ipynb").read_bytes()
    done = run_script("run_tutorials.py", "000", "--data", tmp_path)
    assert done.returncode == 0
    assert re.fullmatch(r"000_first: \d+\.\d minutes\n", done.stdout)
    (cell,) = json.loads((folder / "000_first.ipynb").read_text("utf-8"))["cells"]
    assert [output["text"] for output in cell["outputs"]] == [[f"{tmp_path}\n"]]
    assert (folder / "001_second.ipynb").read_bytes() == untouched


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "error: 000_first.ipynb, a cell failed: ZeroDivisionError: division by zero"),
        ("import os\nos._exit(1)", "error: 000_first.ipynb, its process was ended, most often for want of memory"),
    ],
)
def test_a_notebook_that_fails_is_left_as_it_was(notebooks, run_script, tmp_path, source, message):
    path = notebooks(_000_first=source) / "000_first.ipynb"
    before = path.read_bytes()
    done = run_script("run_tutorials.py", "--data", tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_arguments_that_cannot_be(notebooks, refusal, tmp_path):
    notebooks(_000_first="1")
    assert "no tutorial begins with '9'; there are 000_first" in refusal("run_tutorials.py", "9", "--data", tmp_path)
    said = refusal("run_tutorials.py", "--data", tmp_path / "nowhere")
    assert "--data must be a folder with imdb/ and scicite/" in said
