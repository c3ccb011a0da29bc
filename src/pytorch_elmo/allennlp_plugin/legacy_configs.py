"""Configurations of AllenNLP 0.9 in 2.x's form: on loading, and for `allennlp translate-config`."""

import copy

from pytorch_elmo.allennlp_plugin.legacy_data import (
    LOADERS,
    translate_iterators,
    translate_readers,
    translate_vocabulary,
    validate_in_order,
)
from pytorch_elmo.allennlp_plugin.legacy_model import check_names, translate_model
from pytorch_elmo.allennlp_plugin.legacy_names import GONE
from pytorch_elmo.allennlp_plugin.legacy_text import translate_text
from pytorch_elmo.allennlp_plugin.legacy_trainer import translate_trainer
from pytorch_elmo.allennlp_plugin.legacy_translation import Config, Registered, Translation, nothing_more


def translate(config: Config) -> tuple[Config, list[str]]:
    """A configuration in 2.x's form, and a line for each change; one that has that form already comes back as it is.

    Each line begins with the place of the change. The argument is not changed.

    Raises:
        ConfigurationError: something that 2.x has no equal for, with its place and value.
    """
    work = translation(config)
    return work.config, work.lines


def translation(config: Config, registered: Registered = nothing_more, tensorboard: bool = True) -> Translation:
    """The same with the lines that lose something marked.

    `registered` says which names packages other than AllenNLP brought, `tensorboard` whether there is a writer for
    TensorBoard.

    Raises:
        ConfigurationError: as `translate`.
    """
    work = Translation(copy.deepcopy(config), is_old(config), registered, tensorboard)
    translate_iterators(work)
    translate_text(work)
    translate_model(work)
    translate_vocabulary(work)
    translate_trainer(work)
    if work.old:
        translate_readers(work)
        validate_in_order(work)
        check_names(work, GONE)
    return work


def is_old(config: Config) -> bool:
    """Written for 0.9: it names an iterator, which was required then and is refused now."""
    return any(key in config for key in LOADERS)


def install() -> None:
    """Make AllenNLP translate the configurations that it loads."""
    from pytorch_elmo.allennlp_plugin.legacy_loading import MENDS, mend_now

    mend_now(MENDS)
