"""What a configuration needs for external variables that have defaults: all variables at once.

jsonnet fails at a variable that is not set, and a configuration cannot ask whether one is. So each gets the variable
`CONFIG_VARIABLES`, the text of a JSON object of all others; `configs/common/variables.libsonnet` reads it.
"""

import functools
import json
from types import ModuleType
from typing import Any

from pytorch_elmo.allennlp_plugin.import_hooks import Mend

CONFIG_VARIABLES = "CONFIG_VARIABLES"


def mend_params(params: ModuleType) -> None:
    """AllenNLP evaluates every configuration by this name of `allennlp.common.params`, with the environment."""
    evaluate_file = params.evaluate_file
    if hasattr(evaluate_file, "__wrapped__"):
        return

    @functools.wraps(evaluate_file)
    def with_all_variables(filename: str, **options: Any) -> Any:
        variables = options.get("ext_vars") or {}
        every = {CONFIG_VARIABLES: json.dumps(variables), **variables}  # one that is set by hand stays
        return evaluate_file(filename, **{**options, "ext_vars": every})

    params.evaluate_file = with_all_variables  # type: ignore[attr-defined]


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Mend, ...]] = {"allennlp.common.params": (mend_params,)}
