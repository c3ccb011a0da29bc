"""Build the API pages from the docstrings; a warning is an error.

python scripts/build_docs.py [FOLDER]      (default: build/api)
"""

import pkgutil
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pdoc

import pytorch_elmo


def hidden_modules() -> list[str]:
    """Modules that pdoc does not find by itself: those of packages whose `__all__` names classes."""
    found = pkgutil.walk_packages(pytorch_elmo.__path__, "pytorch_elmo.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    return [name for name in names if hasattr(import_module(name.rpartition(".")[0]), "__all__")]


def main(folder: Path) -> None:
    """Write one page a module."""
    warnings.simplefilter("error")
    for name in pytorch_elmo.__all__:  # they are loaded on first use, and pdoc looks at what is loaded
        getattr(pytorch_elmo, name)
    pdoc.pdoc("pytorch_elmo", *hidden_modules(), output_directory=folder)
    print(f"{folder}: {len(list(folder.rglob('*.html')))} pages")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/api"))
