"""The opt-in after which `from allennlp.modules.elmo import Elmo, batch_to_ids` gives this package's ELMo.

    from pytorch_elmo.allennlp_plugin.elmo_modules import use_fast_elmo

    use_fast_elmo()

before code of your own takes the names from AllenNLP; or, for programs that are not yours and for the command
`allennlp`, `PYTORCH_ELMO_USE_FAST_ELMO=1` in the environment. Without it they stay AllenNLP's.
"""

import logging
import os
import sys
from pathlib import Path

import allennlp.modules.elmo as allennlps
from allennlp.common import FromParams

from pytorch_elmo import elmo
from pytorch_elmo.allennlp_plugin.model_files import local_files
from pytorch_elmo.model import BiLM
from pytorch_elmo.text.characters import batch_to_ids
from pytorch_elmo.weights.load import load_bilm

__all__ = ["OPT_IN_VARIABLE", "Elmo", "batch_to_ids", "install", "use_fast_elmo"]

OPT_IN_VARIABLE = "PYTORCH_ELMO_USE_FAST_ELMO"
logger = logging.getLogger(__name__)

_REPLACED = {"Elmo": allennlps.Elmo, "batch_to_ids": allennlps.batch_to_ids}


class Elmo(elmo.Elmo, FromParams):
    """This package's `Elmo` for AllenNLP: built from a configuration too, and its files may be addresses.

    Arguments, results and parameter names are those of AllenNLP's class. A call does not depend on the calls before
    it, unless `stateful` is set; `batch_to_ids` gives (batch_size, 0, 50) for sentences without tokens, and refuses
    strings in place of lists.

    Raises:
        PytorchElmoError: as `pytorch_elmo.Elmo`, or a file cannot be fetched.
    """

    def _load(self, options_file: str | Path, weight_file: str | Path) -> BiLM:
        return load_bilm(*local_files(options_file, weight_file))


def use_fast_elmo() -> None:
    """Let AllenNLP's names mean this package's `Elmo` and `batch_to_ids`, from now on in this process."""
    replacements = {"Elmo": Elmo, "batch_to_ids": batch_to_ids}
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] in ("allennlp", "allennlp_models"):
            for name, theirs in _REPLACED.items():
                if vars(module).get(name) is theirs:
                    setattr(module, name, replacements[name])
    _build_from_annotations()
    logger.info("allennlp.modules.elmo: Elmo and batch_to_ids are pytorch_elmo's")


def _build_from_annotations() -> None:
    """Models imported before (BCN) hold AllenNLP's class in the annotations that `from_params` goes by."""
    allennlps_class = _REPLACED["Elmo"]
    allennlps_class.from_params = Elmo.from_params


def install() -> None:
    """Opt in if the environment says so; called when `allennlp.modules.elmo` has been executed."""
    if os.environ.get(OPT_IN_VARIABLE, "0") not in ("", "0"):
        use_fast_elmo()
