"""What to write in the dataset reader where an embedder of this project lacks its indexer."""

import functools
import importlib
import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from torch import Tensor


def lines_to_add(name: str, embedder: Any) -> str:
    """The part of a configuration that gives the embedder called `name` what it needs."""
    return f'"token_indexers": {{ "{name}": {json.dumps(embedder.indexer_to_add())} }}'


def mend_basic_text_field_embedder(module: ModuleType) -> None:
    """AllenNLP says which names do not match, but not what to add where; its check comes before our embedders."""
    owner: Any = module.BasicTextFieldEmbedder
    forward: Callable[..., Tensor] = owner.forward

    @functools.wraps(forward)
    def explained(self: Any, text_field_input: Mapping[str, Any], *arguments: Any, **named: Any) -> Tensor:
        for name, embedder in self._token_embedders.items():
            if name not in text_field_input and hasattr(embedder, "indexer_to_add"):
                given = ", ".join(text_field_input) or "nothing"
                raise importlib.import_module("allennlp.common.checks").ConfigurationError(
                    f"the embedder {name!r} needs the indexer {embedder.indexer_to_add()['type']}, but the text "
                    f"field has only {given}; add to the dataset_reader: {lines_to_add(name, embedder)}"
                )
        return forward(self, text_field_input, *arguments, **named)

    owner.forward = explained


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {
    "allennlp.modules.text_field_embedders.basic_text_field_embedder": (mend_basic_text_field_embedder,)
}
