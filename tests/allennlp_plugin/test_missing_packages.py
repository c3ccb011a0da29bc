"""Stand-ins: what AllenNLP's modules do with packages at their heads works; a later use works or says why not."""

import builtins
import importlib
import sys
import tomllib
from pathlib import Path

import pytest

from pytorch_elmo.allennlp_plugin import missing_packages
from pytorch_elmo.allennlp_plugin.missing_packages import DEFERRED, DISTRIBUTIONS, StandIn, StandInFinder, missing

PLUGIN = Path(missing_packages.__file__).parent
SLOW = """
class Tree(list):
    @classmethod
    def fromstring(cls, text):
        return cls(text.split())

def distance(one, other):
    return abs(one - other)
"""


def as_module(name: str, source: str) -> dict:
    """The names of a module with this source; no file is needed, since it is the name that a stand-in looks at."""
    names = {"__name__": name}
    exec(compile(source, f"{name}.py", "exec"), names)
    return names


def as_allennlp(source: str) -> dict:
    return as_module("allennlp.somewhere", source)


@pytest.fixture(autouse=True)
def finders(monkeypatch, tmp_path):
    """A finder of packages that are not there, and one of a package that is there and slow."""
    (tmp_path / "slow_package").mkdir()
    (tmp_path / "slow_package" / "__init__.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "slow_package" / "part.py").write_text("def half(number):\n    return number / 2\n", encoding="utf-8")
    absent = StandInFinder(
        frozenset({"fairscale", "slow_package", "numpy", "google", "google.cloud"}), deferred=False
    )
    deferred = StandInFinder(frozenset({"slow_package"}), deferred=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [deferred, *sys.meta_path, absent])
    yield
    missing_packages.forget_stand_ins()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("slow_package", "fairscale", "google")]:
        if isinstance(sys.modules[name], StandIn) or name.startswith("slow_package"):
            del sys.modules[name]


def test_what_a_head_does_with_a_missing_package_works():
    names = as_allennlp("""
import fairscale
from fairscale.nn.misc import Wrapper, Error
import fairscale.optim as optim

class Ours(Wrapper):
    '''A subclass.'''

def f(x: Wrapper, y: "fairscale.nn.Thing" = None) -> "Wrapper | None":
    try:
        return isinstance(x, (Wrapper, optim.Scaler))
    except Error:
        pass

answer = f(1)
""")
    assert names["answer"] is False
    assert names["Ours"].__doc__ == "A subclass."


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("fairscale.wrap(1)", "fairscale.wrap"),
        ("Wrapper()", "fairscale.nn.misc.Wrapper"),
        ("Wrapper.load('x')", "fairscale.nn.misc.Wrapper.load"),
        ("Ours()", "fairscale.nn.misc.Wrapper"),
    ],
)
def test_a_use_names_the_package_to_install(use, name):
    head = "import fairscale\nfrom fairscale.nn.misc import Wrapper\nclass Ours(Wrapper): pass\n"
    expected = f'^{name} is used here and the package fairscale is not installed; python -m pip install "fairscale"$'
    with pytest.raises(ImportError, match=expected) as caught:
        as_allennlp(head + use)
    assert caught.value.name == "fairscale"


@pytest.mark.parametrize("name", ["__version__", "__all__", "__path_to__"])
def test_names_with_two_underscores_are_not_there(name):
    with pytest.raises(AttributeError, match=name):
        as_allennlp(f"import fairscale\nfairscale.{name}")
    with pytest.raises(AttributeError, match=name):
        as_allennlp(f"from fairscale import x\nx.{name}")


def test_others_see_that_a_package_is_missing():
    with pytest.raises(ModuleNotFoundError, match="No module named 'fairscale'"):
        as_module("torch.somewhere", "import fairscale")


def test_others_see_it_after_allennlp_has_a_stand_in():
    names = as_allennlp("import fairscale, fairscale.nn")
    with pytest.raises(ImportError, match="cannot import name 'thing'"):
        as_module("torch.somewhere", "from fairscale import thing")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'fairscale\.other'"):
        as_module("torch.somewhere", "import fairscale.other")
    missing_packages.forget_stand_ins()
    with pytest.raises(ModuleNotFoundError, match="No module named 'fairscale'"):
        as_module("torch.somewhere", "import fairscale")
    assert isinstance(names["fairscale"], StandIn)  # AllenNLP's module keeps it


def test_a_package_that_is_there_wins():
    import numpy as np

    assert as_allennlp("import numpy")["numpy"] is np


def test_a_package_that_nobody_stands_in_for_is_missing():
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_package'"):
        as_allennlp("import no_such_package")


def test_a_submodule_of_a_package_that_is_there_is_not_made_up():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'numpy.no_such_part'"):
        as_allennlp("import numpy.no_such_part")


def test_imports_inside_functions_and_by_name_are_answered():
    assert isinstance(as_allennlp("def f():\n    import fairscale\n    return fairscale\nx = f()")["x"], StandIn)
    source = "import importlib\nx = importlib.import_module('fairscale.nn')"
    missing_packages.forget_stand_ins()
    assert isinstance(as_allennlp(source)["x"], StandIn)


def test_a_slow_package_is_imported_when_it_is_used():
    names = as_allennlp("from slow_package import Tree, distance\nimport slow_package.part as part")
    missing_packages.forget_stand_ins()
    assert "slow_package" not in sys.modules
    assert isinstance([], names["Tree"]) is False
    assert "slow_package" not in sys.modules
    assert names["distance"](1, 3) == 2
    real = sys.modules["slow_package"]
    assert names["Tree"].fromstring("a b") == ["a", "b"]
    assert type(names["Tree"]("ab")) is real.Tree
    assert isinstance(real.Tree(), names["Tree"])
    assert not isinstance([], names["Tree"])
    names["__name__"] = "allennlp.somewhere"
    assert builtins.eval("part.half(3)", names) == 1.5


def test_a_slow_package_imported_in_a_function_is_the_package():
    names = as_allennlp("def f():\n    import slow_package\n    return slow_package\nx = f()")
    assert names["x"] is importlib.import_module("slow_package")
    assert not isinstance(names["x"], StandIn)


def test_a_slow_package_that_is_loaded_is_the_package():
    real = importlib.import_module("slow_package")
    assert as_allennlp("from slow_package import Tree")["Tree"] is real.Tree


def test_a_fault_inside_a_slow_package_is_not_called_missing(tmp_path):
    (tmp_path / "slow_package" / "broken.py").write_text("import no_such_package", encoding="utf-8")
    names = as_allennlp("from slow_package.broken import thing")
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_package'"):
        names["thing"]()


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("spacy.load", "python -m pytorch_elmo.setup_allennlp --full"),
        ("conllu.parse_incr", "python -m pytorch_elmo.setup_allennlp"),
        ("google.cloud.storage.Client", 'python -m pip install "google-cloud-storage"'),
        ("sklearn.metrics.auc", 'python -m pip install "scikit-learn"'),
    ],
)
def test_the_cure_is_the_shortest(name, cure):
    assert str(missing(name)).endswith(f"is not installed; {cure}")


def test_the_lists_agree_with_what_is_installed():
    packages = tomllib.loads((PLUGIN / "packages.toml").read_text("utf-8"))
    both = {name.replace("-", "_") for table in ("exact", "light") for name in packages[table]}
    full = {name.replace("-", "_") for name in packages["full"]} - {"matplotlib", "scipy"}
    assert both & set(DISTRIBUTIONS) == missing_packages._IN_BOTH_SIZES
    assert full & set(DISTRIBUTIONS) == missing_packages._IN_FULL_SIZE == full
    assert set(DISTRIBUTIONS) >= DEFERRED
