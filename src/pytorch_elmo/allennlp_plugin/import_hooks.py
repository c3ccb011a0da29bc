"""Runs a function just before, just after, or instead of a named module of AllenNLP."""

from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from pytorch_elmo.allennlp_plugin.missing_packages import ASKERS, forget_stand_ins

Mend = Callable[[ModuleType], None]  # what is done to a module that has just been executed, or instead
Preparation = Callable[[], None]  # what is done before its first line


class MendingFinder(MetaPathFinder):
    """Finds AllenNLP's own modules where they lie, and sees to it that they are prepared for and mended.

    Loaders stay Python's, so that sources, tracebacks and `python -m` are as ever.
    """

    def __init__(
        self,
        *,
        mends: Mapping[str, tuple[Mend, ...]],
        preparations: Mapping[str, Preparation],
        replacements: Mapping[str, Mend],
    ) -> None:
        self._mends = dict(mends)
        self._preparations = preparations
        self._replacements = replacements

    def add(self, mends: Mapping[str, tuple[Mend, ...]]) -> None:
        """Further mends, for modules that are not imported yet; they run after those that were given before."""
        for name, functions in mends.items():
            self._mends[name] = (*self._mends.get(name, ()), *functions)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The spec of a module of AllenNLP; None for any other."""
        if name.partition(".")[0] not in ASKERS:
            return None
        if name in self._replacements:
            return ModuleSpec(name, _Replacement(self._replacements[name]))
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            self._hook(spec)
        return spec

    def _hook(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        assert loader is not None
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            if module.__name__ in self._preparations:
                self._preparations[module.__name__]()
            execute(module)
            forget_stand_ins()
            for mend in self._mends.get(module.__name__, ()):
                mend(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]


class _Replacement(Loader):
    """Loads a module that no file holds."""

    def __init__(self, fill: Mend) -> None:
        self._fill = fill

    def create_module(self, spec: ModuleSpec) -> None:
        """Python's own module object."""

    def exec_module(self, module: ModuleType) -> None:
        """Give it its names."""
        self._fill(module)
