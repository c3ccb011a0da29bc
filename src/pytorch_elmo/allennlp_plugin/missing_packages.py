"""Stand-ins for packages that AllenNLP imports at the head of its modules and that ELMo work seldom or never uses.

Many are not installed in the light size: spaCy, transformers, clients of clouds. Two are, and take longer to import
than all the rest of AllenNLP: NLTK and SciPy. For both a stand-in is imported instead. It can be imported from,
subclassed, named in an annotation, in `isinstance` and in `except`. When it is used, by a call or an attribute, the
package itself is imported; if it is not there, that is an `ImportError` that names what to install.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

ASKERS = frozenset({"allennlp", "allennlp_models", "cached_path"})

# What may be missing -> the name that pip knows it by. Only these: a misspelt import stays an error.
DISTRIBUTIONS = {
    "base58": "base58",
    "boto3": "boto3",
    "botocore": "boto3",
    "conllu": "conllu",
    "dill": "dill",
    "fairscale": "fairscale",
    "ftfy": "ftfy",
    "google": "google-cloud-storage",
    "google.api_core": "google-cloud-storage",  # `google` itself may be there: protobuf lives in it
    "google.auth": "google-cloud-storage",
    "google.cloud": "google-cloud-storage",
    "huggingface_hub": "huggingface_hub",
    "lmdb": "lmdb",
    "more_itertools": "more-itertools",
    "nltk": "nltk<3.10",
    "pytest": "pytest",
    "regex": "regex",
    "rouge": "py-rouge",
    "scipy": "scipy",
    "sentencepiece": "sentencepiece",
    "sklearn": "scikit-learn",
    "spacy": "spacy",
    "tensorboardX": "tensorboardX",
    "termcolor": "termcolor",
    "torchvision": "torchvision",
    "transformers": "transformers",
    "wandb": "wandb",
    "word2number": "word2number",
}


_IN_BOTH_SIZES = frozenset({"base58", "conllu", "dill", "lmdb", "more_itertools", "nltk", "regex", "termcolor"})
_IN_FULL_SIZE = frozenset({"spacy", "tensorboardX"})
DEFERRED = frozenset({"nltk", "scipy"})  # stood in for although they are there


class _PlaceholderType(type):
    """The class of what is imported from a stand-in; it turns to the real thing when it is used."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        real = _real(cls)
        return _placeholder(_dotted(cls), name) if real is None else getattr(real, name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        stood_in_for = next(base for base in cls.__mro__ if "_stands_in" in base.__dict__)
        real = _real(cls) if stood_in_for is cls else None
        if real is None:
            raise missing(_dotted(stood_in_for))
        return real(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        loaded = sys.modules.get(cls.__module__)  # if the package was never imported, this is none of its instances
        real = None if loaded is None or isinstance(loaded, StandIn) else getattr(loaded, cls.__name__, None)
        return isinstance(instance, real) if isinstance(real, type) else super().__instancecheck__(instance)


def _placeholder(parent: str, name: str) -> type:
    """A class, so that it survives as base and annotation; an exception, so that it survives in `except`."""
    return _PlaceholderType(name, (Exception,), {"__module__": parent, "_stands_in": True})


def _dotted(placeholder: type) -> str:
    return f"{placeholder.__module__}.{placeholder.__name__}"


def _real(placeholder: type) -> Any:
    """What is stood in for; None where its package is not installed."""
    forget_stand_ins()
    try:
        module = import_module(placeholder.__module__)
        if hasattr(module, placeholder.__name__):
            return getattr(module, placeholder.__name__)
        return import_module(_dotted(placeholder))
    except ModuleNotFoundError as error:
        if error.name is None or not f"{_dotted(placeholder)}.".startswith(f"{error.name}."):
            raise  # the package is there, and lacks something itself
        return None


def missing(name: str) -> ImportError:
    """The error for the use of something in a package that is not installed, `name` being dotted."""
    known = (part for part in sorted(DISTRIBUTIONS, key=len, reverse=True) if f"{name}.".startswith(f"{part}."))
    package = next(known, name.partition(".")[0])
    size = " --full" if package in _IN_FULL_SIZE else ""
    cure = f'python -m pip install "{DISTRIBUTIONS.get(package, package)}"'
    if package in _IN_BOTH_SIZES | _IN_FULL_SIZE:
        cure = f"python -m pytorch_elmo.setup_allennlp{size}"
    return ImportError(f"{name} is used here and the package {package} is not installed; {cure}", name=package)


class StandIn(ModuleType):
    """A module that has, for AllenNLP alone, every name but those with two underscores; each is a placeholder."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__") or _asker(sys._getframe(1)) is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}: it is a stand-in")
        placeholders: dict[str, type] = self.__dict__["_placeholders"]
        return placeholders.setdefault(name, _placeholder(self.__name__, name))


class StandInFinder(MetaPathFinder, Loader):
    """Finds stand-ins for some packages.

    It answers AllenNLP alone: others try to import optional packages too, and must see that they are not there. It
    answers a submodule only below a stand-in. With `deferred` it answers imports at the head of a module only: one
    inside a function is about to be used.
    """

    def __init__(self, names: frozenset[str], *, deferred: bool) -> None:
        self._names = names
        self._deferred = deferred

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The spec of a stand-in; None where others are to find the package, or nobody."""
        if name not in self._names and not isinstance(sys.modules.get(name.rpartition(".")[0]), StandIn):
            return None
        asker = _asker(sys._getframe(1))
        if asker is None or (self._deferred and asker.f_code.co_name != "<module>"):
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A stand-in, without its contents."""
        module = StandIn(spec.name)
        module.__dict__["_placeholders"] = {}
        _loaded.append(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: names are made when they are asked for."""


_loaded: list[str] = []  # names of stand-ins that may be in sys.modules


def forget_stand_ins() -> None:
    """Take the stand-ins out of `sys.modules`, where others would take them for the packages.

    AllenNLP's modules keep those that they have imported.
    """
    while _loaded:
        name = _loaded.pop()
        if isinstance(sys.modules.get(name), StandIn):
            del sys.modules[name]


def _asker(frame: FrameType | None) -> FrameType | None:
    """The nearest frame from `frame` on that is not of the import system, if it belongs to AllenNLP."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("importlib"):
            return frame if module.partition(".")[0] in ASKERS else None
        frame = frame.f_back
    return None
