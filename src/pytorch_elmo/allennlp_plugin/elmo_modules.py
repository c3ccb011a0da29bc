"""The opt-in after which `from allennlp.modules.elmo import Elmo, batch_to_ids` gives this package's ELMo.

    from pytorch_elmo.allennlp_plugin.elmo_modules import use_fast_elmo

    use_fast_elmo()

before code of your own takes the names from AllenNLP; or, for programs that are not yours and for the command
`allennlp`, `PYTORCH_ELMO_USE_FAST_ELMO=1` in the environment. Without it they stay AllenNLP's.
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import allennlp.modules.elmo as allennlps
from allennlp.common import FromParams
from torch import nn

from pytorch_elmo import elmo
from pytorch_elmo.allennlp_plugin.model_files import local_files
from pytorch_elmo.text.characters import batch_to_ids

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

    def __init__(
        self,
        options_file: str | Path | None,
        weight_file: str | Path | None,
        num_output_representations: int,
        requires_grad: bool = False,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        vocab_to_cache: Sequence[str] | None = None,
        keep_sentence_boundaries: bool = False,
        scalar_mix_parameters: Sequence[float] | None = None,
        module: nn.Module | None = None,
        *,
        stateful: bool = False,
    ) -> None:
        if module is None and options_file is not None and weight_file is not None:
            options_file, weight_file = local_files(options_file, weight_file)
        super().__init__(
            options_file,
            weight_file,
            num_output_representations,
            requires_grad,
            do_layer_norm,
            dropout,
            vocab_to_cache,
            keep_sentence_boundaries,
            scalar_mix_parameters,
            module,
            stateful=stateful,
        )


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
