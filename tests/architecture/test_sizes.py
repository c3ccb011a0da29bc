"""One file, one idea; one function, one level of thought."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 40  # without its docstring

# May only shrink: name -> lines, the name being `pytorch_elmo/room/file.py` or `pytorch_elmo/room/file.py:function`.
EXCEPTIONS: dict[str, int] = {}


def functions_of(source: str) -> Iterator[tuple[str, int]]:
    """Every function's name and number of lines, its docstring not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            docstring = node.body[0].end_lineno - node.body[0].lineno + 1 if documented else 0
            yield node.name, node.end_lineno - node.lineno + 1 - docstring


def too_long(sources: Path) -> dict[str, int]:
    """Files and functions above the bounds, with their lines."""
    found = {}
    for path in sources.rglob("*.py"):
        name, source = path.relative_to(sources).as_posix(), path.read_text("utf-8")
        if (lines := len(source.splitlines())) > MOST_LINES_OF_A_FILE:
            found[name] = lines
        for function, lines in functions_of(source):
            if lines > MOST_LINES_OF_A_FUNCTION:
                found[f"{name}:{function}"] = lines
    return found


def test_files_and_functions_are_short():
    assert len(list(SOURCES.rglob("*.py"))) > 40
    unexpected = {name: lines for name, lines in too_long(SOURCES).items() if lines > EXCEPTIONS.get(name, 0)}
    assert unexpected == {}


def test_the_list_of_exceptions_only_shrinks():
    assert {name: lines for name, lines in too_long(SOURCES).items() if name in EXCEPTIONS} == EXCEPTIONS


def test_the_guard_can_fail(tmp_path):
    body = "    x = 1\n" * 40
    (tmp_path / "long.py").write_text(f"def f():\n{body}\n\nclass A:\n    async def g(self):\n        '''One.'''\n")
    (tmp_path / "longer.py").write_text("x = 1\n" * 301)
    assert too_long(tmp_path) == {"long.py:f": 41, "longer.py": 301}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f():\n    return 1", 2),
        ('def f():\n    """One.\n\n    Two.\n    """\n    return 1', 2),
        ("def f(): ...", 1),
    ],
)
def test_lines_are_counted_without_the_docstring(source, lines):
    assert dict(functions_of(source)) == {"f": lines}
