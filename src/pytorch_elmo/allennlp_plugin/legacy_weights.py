"""The weights in an archive, found under the names of 0.9 too."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

logger = logging.getLogger(__name__)

_MENDED = "_mended_for_old_weights"


def accept_old_names(module_class: type[nn.Module], moved: Mapping[str, str]) -> None:
    """Make a class find its parameters under the names that they had in 0.9, `moved` of them to what they are now.

    PyTorch's own place for it: a module looks at the state dict before its children do, and before names are counted
    as unexpected.
    """
    load = module_class._load_from_state_dict
    if hasattr(load, _MENDED):
        return

    def _load_from_state_dict(self: nn.Module, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for old, new in moved.items():
            for name in [name for name in state_dict if name.startswith(prefix + old)]:
                state_dict[prefix + new + name.removeprefix(prefix + old)] = state_dict.pop(name)
                logger.info("0.9 to 2.x: weights: %s is %s", name, prefix + new + name.removeprefix(prefix + old))
        load(self, state_dict, prefix, *rest)

    setattr(_load_from_state_dict, _MENDED, True)
    module_class._load_from_state_dict = _load_from_state_dict  # type: ignore[assignment, method-assign]


def select(
    weights: dict[str, Tensor], strip_prefix: str | None, ignore: list[str] | None, strict: bool
) -> dict[str, Tensor]:
    """Without the names that a pattern of `ignore` matches, and without a prefix: `read_state_dict`'s two wishes.

    Raises:
        ValueError: AllenNLP's errors: `ignore` is no list, a name is all prefix, or strictly, a wish met nothing.
    """
    if ignore is not None and not isinstance(ignore, list):
        raise ValueError("'ignore' parameter should be a list")
    patterns = dict.fromkeys(ignore or [], False)
    stripped, out = False, {}
    for name, values in weights.items():
        met = next((pattern for pattern in patterns if re.match(pattern, name)), None)
        if met is not None:
            patterns[met] = True
            logger.warning("ignoring %s from state dict", name)
            continue
        if strip_prefix and name.startswith(strip_prefix):
            stripped, name = True, name[len(strip_prefix) :]
            if not name:
                raise ValueError("'strip_prefix' resulted in an empty string for a key")
        out[name] = values
    if strict and strip_prefix is not None and not stripped:
        raise ValueError(f"'strip_prefix' of '{strip_prefix}' was never used")
    unused = [pattern for pattern, used in patterns.items() if not used]
    if strict and unused:
        raise ValueError(f"'ignore' pattern(s) {unused} were never used")
    return out
