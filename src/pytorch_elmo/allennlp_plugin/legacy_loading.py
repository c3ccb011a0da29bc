"""What AllenNLP loads is translated: configurations, archives' ones too, and names of predictors."""

import importlib
import json
import logging
from collections.abc import Callable
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from pytorch_elmo.allennlp_plugin.import_hooks import Mend
from pytorch_elmo.allennlp_plugin.legacy_archived_files import point_to_archived_files
from pytorch_elmo.allennlp_plugin.legacy_configs import is_old, translation
from pytorch_elmo.allennlp_plugin.legacy_names import PREDICTORS
from pytorch_elmo.allennlp_plugin.legacy_translation import Config

logger = logging.getLogger(__name__)

_MENDED = "_mended_for_old_configurations"


def mend_params(module: ModuleType) -> None:
    """`Params.from_file` reads every configuration, for every command and for `load_archive`: it translates."""
    params: Any = module.Params
    original = params.from_file.__func__
    if hasattr(original, _MENDED):
        return

    def from_file(
        cls: Any,
        params_file: str | PathLike[str],
        params_overrides: str | Config = "",
        ext_vars: dict[str, Any] | None = None,
    ) -> Any:
        config = original(cls, params_file, "", ext_vars).params
        if isinstance(params_overrides, dict):
            params_overrides = json.dumps(params_overrides)
        overrides = module.parse_overrides(params_overrides, ext_vars=ext_vars)
        return cls(_loaded(config, Path(params_file), overrides, module.with_overrides))

    setattr(from_file, _MENDED, True)
    params.from_file = classmethod(from_file)


def _loaded(config: Any, path: Path, overrides: Config, with_overrides: Callable[[Any, Config], Any]) -> Any:
    """A configuration as it is to be used. Overrides may name places of the old form, or else of the new one."""
    if not _is_experiment(config):
        return with_overrides(config, overrides) if overrides else config
    if is_old(config):  # its models were all in one package
        importlib.import_module("allennlp.common.plugins").import_plugins()
    config = point_to_archived_files(config, path)
    if overrides:
        try:
            config = with_overrides(config, overrides)
        except ValueError:
            config = with_overrides(translated(config), overrides)
    return translated(config)


def _is_experiment(config: Any) -> bool:
    """Model cards and the like are read by the same function."""
    return isinstance(config, dict) and ("model" in config or "dataset_reader" in config)


def translated(config: Config) -> Config:
    """`config` in 2.x's form; each change is logged in one line, as a warning if it loses something.

    Raises:
        ConfigurationError: something that 2.x has no equal for.
    """
    work = translation(config, _is_registered, find_spec("tensorboardX") is not None)
    for line in work.lines:
        logger.log(logging.WARNING if line in work.losses else logging.INFO, "0.9 to 2.x: %s", line)
    return work.config


def _is_registered(base: str, name: str) -> bool:
    registry = importlib.import_module("allennlp.common.registrable").Registrable._registry
    return any(owner.__name__ == base and name in names for owner, names in registry.items())


def mend_predictor(module: ModuleType) -> None:
    """`--predictor semantic-role-labeling`: 2.x writes underscores."""
    predictor: Any = module.Predictor
    original = predictor.by_name.__func__
    if hasattr(original, _MENDED):
        return

    def by_name(cls: Any, name: str) -> Any:
        new = PREDICTORS.get(name, name)
        if new == name or _is_registered("Predictor", name):
            return original(cls, name)
        logger.info("0.9 to 2.x: predictor: %s is %s", name, new)
        return original(cls, new)

    setattr(by_name, _MENDED, True)
    predictor.by_name = classmethod(by_name)


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Mend, ...]] = {
    "allennlp.common.params": (mend_params,),
}


def mend_now(mends: dict[str, tuple[Mend, ...]]) -> None:
    """Import the modules and mend them; twice does no harm."""
    for name, functions in mends.items():
        module = importlib.import_module(name)
        for mend in functions:
            mend(module)
