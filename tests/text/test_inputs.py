"""Paths, patterns and folders, and the files that they name."""

import pytest

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.inputs import files_of, find_inputs, heard, size_of
from pytorch_elmo.text.lines import read_lines


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Some files in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "c/d.txt", "c/e/f", "c/.hidden", "c/.git/g.txt", "folder.txt/x", "odd[1].txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["b.txt", "a.txt"], ["b.txt", "a.txt"]),
        (["odd[1].txt"], ["odd[1].txt"]),
        (["[ab].txt"], ["a.txt", "b.txt"]),
        (["*.txt"], ["a.txt", "b.txt", "odd[1].txt"]),
        (["**/*.txt"], ["a.txt", "b.txt", "c/d.txt", "odd[1].txt"]),
        (["c"], ["c/d.txt", "c/e/f"]),
        (["folder.txt", "a.txt", "a.txt"], ["folder.txt/x", "a.txt", "a.txt"]),
        ([], []),
    ],
)
def test_files_by_path_by_pattern_and_by_folder(tree, patterns, names):
    assert [file.name for file in find_inputs(patterns)] == names
    assert [str(file.path) for file in find_inputs(patterns)] == names


@pytest.mark.parametrize("pattern", ["*.md", "gone.txt", "empty", "c/e/*/x"])
def test_nothing_found(tree, pattern):
    (tree / "empty").mkdir()
    with pytest.raises(TextError, match=r"^no text file matches '.*'; give a path, a folder or a glob, relative to"):
        find_inputs(["a.txt", pattern])


def test_a_saved_dataset_is_one_input(tree):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list([{"text": "a"}]).save_to_disk("saved")
    for pattern in ("saved", "sav*"):
        [file] = find_inputs([pattern])
        assert file.name == "saved"
        assert "state.json" in [path.name for path in files_of(file)]
        assert size_of([file]) == sum(path.stat().st_size for path in (tree / "saved").iterdir())


def test_bytes_read_are_heard(tree):
    amounts = []
    inputs = heard(find_inputs(["c"]), amounts.append)
    assert [list(read_lines(file)) for file in inputs] == [["c/d.txt"], ["c/e/f"]]
    assert sum(amounts) == size_of(inputs) == 12
