"""Everything that is changed in AllenNLP 2.10.1 so that it runs on today's packages with this project's ELMo in it.

`arm()` is called by the gate at the first import of AllenNLP. It changes nothing by itself: each mend below is a
function that runs when the module it belongs to has been executed, and changes that module alone.
"""

import functools
import importlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from pytorch_elmo.allennlp_plugin.import_hooks import MendingFinder
from pytorch_elmo.allennlp_plugin.missing_packages import DEFERRED, DISTRIBUTIONS, StandIn, StandInFinder

_logger = logging.getLogger(__name__)


def arm() -> None:
    """Mend AllenNLP as it is imported. A second call does nothing."""
    if any(isinstance(finder, MendingFinder) for finder in sys.meta_path):
        return
    finder = MendingFinder(mends=_MENDS, preparations=_PREPARATIONS, replacements=_REPLACEMENTS)
    deferred = StandInFinder(DEFERRED, deferred=True)
    last = StandInFinder(frozenset(DISTRIBUTIONS), deferred=False)  # so that an installed package always wins
    sys.meta_path[:] = [finder, deferred, *sys.meta_path, last]


# -- The plug-in itself ------------------------------------------------------------------------------------------


def _register_after_plugins(plugins: ModuleType) -> None:
    """The commands and classes of this project are there without a plug-in file or `--include-package`.

    After AllenNLP's own plug-ins, so that nothing of theirs meets a name already taken.
    """
    import_plugins = plugins.import_plugins

    @functools.wraps(import_plugins)
    def with_ours() -> None:
        with _known_to_be_missing("checklist"):
            import_plugins()
        _register()

    plugins.import_plugins = with_ours  # type: ignore[attr-defined]


@contextmanager
def _known_to_be_missing(name: str) -> Iterator[None]:
    """The walk over the plug-ins tries `import checklist` at each of its 600 modules, each time in all folders."""
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say that an import fails
    try:
        yield
    finally:
        del sys.modules[name]


def _register_before_archives(archival: ModuleType) -> None:
    """A script that calls `load_archive` alone gets this project's embedder: AllenNLP loads no plug-in there."""
    load_archive = archival.load_archive

    @functools.wraps(load_archive)
    def with_ours(*args: Any, **kwargs: Any) -> Any:
        _register()
        return load_archive(*args, **kwargs)

    archival.load_archive = with_ours  # type: ignore[attr-defined]


def _register() -> None:
    importlib.import_module("pytorch_elmo.allennlp_plugin.registration").register()


_MORE_MENDS = (
    "config_variables",  # what this project's configurations need
    "legacy_loading",  # configs of 0.9 are translated as they are read
    "archives",  # those of 0.9 load, and any archive is unpacked safely
    "command_errors",  # what ends a command is said in one line,
    "config_errors",  # with what to do about it
    "data_errors",
    "indexer_errors",
    "size_errors",
    "whole_checkpoints",  # so that --recover goes on
    "encoders",  # the same numbers with less work
    "packed_lstm",
    "viterbi",
    "optimizers",
)


def _add_more_mends(allennlp: ModuleType) -> None:
    """The mends that have a module of their own.

    Done when `allennlp` itself has been executed: PyTorch, which these modules need, is there then.
    """
    (finder,) = (finder for finder in sys.meta_path if isinstance(finder, MendingFinder))
    for name in _MORE_MENDS:
        finder.add(importlib.import_module(f"pytorch_elmo.allennlp_plugin.{name}").MENDS)


def _fast_elmo_if_asked(elmo: ModuleType) -> None:
    """`allennlp.modules.elmo` stays AllenNLP's unless the user opts in; then code that builds `Elmo` gets ours."""
    importlib.import_module("pytorch_elmo.allennlp_plugin.elmo_modules").install()


def _old_commands_module(module: ModuleType) -> None:
    """`allennlp.commands.elmo` left AllenNLP in 1.0; it has this project's `ElmoEmbedder`, made when asked for."""
    ours = importlib.import_module("pytorch_elmo.allennlp_plugin.elmo_embedder")
    names = getattr(ours, "__all__", None) or [name for name in vars(ours) if not name.startswith("_")]
    module.__dict__.update({name: getattr(ours, name) for name in names}, __all__=list(names))
    module.__doc__ = ours.__doc__


# -- Packages that have moved on ---------------------------------------------------------------------------------


def _old_names_of_the_hub() -> None:
    """huggingface_hub 1.0 dropped `HfFolder` and `Repository`, which AllenNLP imports for `push-to-hf` alone."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return
    hub = importlib.import_module("huggingface_hub")
    for name in ("HfFolder", "Repository"):
        if not hasattr(hub, name):
            setattr(
                hub, name, type(name, (), {"__doc__": "Gone from huggingface_hub; push-to-hf needs it below 1.0."})
            )


def _old_optimizer_of_transformers() -> None:
    """AllenNLP subclasses `AdamW`, which transformers dropped in 5.0.

    Set on the module's class: transformers replaces its own module object while it is being used.
    """
    if importlib.util.find_spec("transformers") is None:
        return
    import torch

    class AdamW(torch.optim.AdamW):
        """torch's, which always corrects the bias."""

        def __init__(self, *args: Any, correct_bias: bool = True, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    transformers = importlib.import_module("transformers")
    if not hasattr(transformers, "AdamW"):
        type(transformers).AdamW = AdamW  # type: ignore[attr-defined]


def _plateau_without_verbose(schedulers: ModuleType) -> None:
    """AllenNLP always passes `verbose` to `ReduceLROnPlateau`, which no longer takes it."""
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    ours = schedulers.ReduceOnPlateauLearningRateScheduler
    signature = inspect.signature(ours.__init__)

    @functools.wraps(ours.__init__)
    def without_verbose(self: Any, *args: Any, **kwargs: Any) -> None:
        given = signature.bind(self, *args, **kwargs).arguments
        given = {name: value for name, value in given.items() if name not in ("self", "verbose")}
        super(ours, self).__init__(ReduceLROnPlateau(**given))

    ours.__init__ = without_verbose


def _mixed_precision_by_its_new_name(trainer: ModuleType) -> None:
    """`torch.cuda.amp.autocast(…)` warns, twice an epoch, that it is `torch.amp.autocast("cuda", …)` now."""
    import torch

    trainer.amp = SimpleNamespace(  # type: ignore[attr-defined]
        autocast=lambda enabled: torch.amp.autocast("cuda", enabled=enabled),
        GradScaler=functools.partial(torch.amp.GradScaler, "cuda"),
    )


def _blank_spacy_pipeline(util: ModuleType) -> None:
    """A spaCy pipeline that is not installed is replaced by its language's rules; AllenNLP would try to download it.

    The rules split tokens as the trained pipelines do, and sentences at full stops; there are no tags and no parse.
    """
    spacy, get_spacy_model = util.spacy, util.get_spacy_model
    if isinstance(spacy, StandIn):
        return

    @functools.wraps(get_spacy_model)
    def with_blank(spacy_model_name: str, pos_tags: bool = True, parse: bool = False, ner: bool = False) -> Any:
        options = (spacy_model_name, pos_tags, parse, ner)
        there = spacy.util.is_package(spacy_model_name) or Path(spacy_model_name).exists()
        if options not in util.LOADED_SPACY_MODELS and not there:
            _logger.warning(
                "the spaCy pipeline %s is not installed; words are split by spaCy's rules, without tags or parse; "
                "python -m spacy download %s brings it",
                spacy_model_name,
                spacy_model_name,
            )
            pipeline = spacy.blank(spacy_model_name.partition("_")[0])
            pipeline.add_pipe("sentencizer")
            util.LOADED_SPACY_MODELS[options] = pipeline
        return get_spacy_model(*options)

    util.get_spacy_model = with_blank  # type: ignore[attr-defined]


def _device_numbers_are_of_cuda(util: ModuleType) -> None:
    """PyTorch refuses `torch.device(0)` where there is no accelerator, before AllenNLP says so in its own words."""
    import torch

    def int_to_device(device: int | torch.device) -> torch.device:
        if isinstance(device, torch.device):
            return device
        return torch.device("cpu") if device < 0 else torch.device("cuda", device)

    util.int_to_device = int_to_device  # type: ignore[attr-defined]


def _plot_without_matplotlib(find_learning_rate: ModuleType) -> None:
    """find-lr fails at its very end without matplotlib; the figures go to a table instead."""
    save_plot = find_learning_rate._save_plot

    @functools.wraps(save_plot)
    def plot_or_table(learning_rates: list[float], losses: list[float], save_path: str) -> None:
        if importlib.util.find_spec("matplotlib") is not None:
            save_plot(learning_rates, losses, save_path)
            return
        table = Path(save_path).with_suffix(".tsv")
        rows = (f"{rate}\t{loss}\n" for rate, loss in zip(learning_rates, losses, strict=True))
        table.write_text("learning_rate\tloss\n" + "".join(rows), encoding="utf-8")
        _logger.warning("no plot without matplotlib, the figures are in %s; python -m pip install matplotlib", table)

    find_learning_rate._save_plot = plot_or_table  # type: ignore[attr-defined]


def _no_download_at_import(module: ModuleType) -> None:
    """NarrativeQA's scores: a script in the plug-in's walk, which downloads NLTK data as soon as it is imported."""

    def get_metric_score(*args: Any) -> None:
        raise ImportError(
            f"{module.__name__} downloads data at its import and is left out; PYTORCH_ELMO_ALLENNLP=0 has it"
        )

    module.get_metric_score = get_metric_score  # type: ignore[attr-defined]


# -- What AllenNLP should have said ------------------------------------------------------------------------------


def _name_ignored_trainer_keys(trainer: ModuleType) -> None:
    """The trainer takes any key and drops those it does not know; each is named in a warning."""
    from pytorch_elmo.allennlp_plugin.trainer_keys import warn_of_ignored

    ours = trainer.GradientDescentTrainer
    constructor = ours.__init__
    known = set(inspect.signature(ours.from_partial_objects).parameters)

    @functools.wraps(constructor)
    def with_warnings(self: Any, *args: Any, **kwargs: Any) -> None:
        warn_of_ignored(set(kwargs) - set(inspect.signature(constructor).parameters), known)
        constructor(self, *args, **kwargs)

    ours.__init__ = with_warnings


_MENDS = {
    "allennlp": (_add_more_mends,),
    "allennlp.common.plugins": (_register_after_plugins,),
    "allennlp.common.util": (_blank_spacy_pipeline, _device_numbers_are_of_cuda),
    "allennlp.commands.find_learning_rate": (_plot_without_matplotlib,),
    "allennlp.models.archival": (_register_before_archives,),
    "allennlp.modules.elmo": (_fast_elmo_if_asked,),
    "allennlp.training.gradient_descent_trainer": (_mixed_precision_by_its_new_name, _name_ignored_trainer_keys),
    "allennlp.training.learning_rate_schedulers.pytorch_lr_schedulers": (_plateau_without_verbose,),
}
_PREPARATIONS = {
    "allennlp.common.push_to_hf": _old_names_of_the_hub,
    "allennlp.training.optimizers": _old_optimizer_of_transformers,
}
_REPLACEMENTS = {
    "allennlp.commands.elmo": _old_commands_module,
    "allennlp_models.rc.tools.narrativeqa": _no_download_at_import,
}
