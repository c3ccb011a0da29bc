"""Registers this project's classes and commands with AllenNLP."""

import logging
from importlib import import_module

_logger = logging.getLogger(__name__)

# In this order; each registers itself as it is imported. The embedder and the indexer take AllenNLP's names.
MODULES = (
    "token_indexer",
    "token_embedder",
    "layer_file",
    "dataset_readers",
    "predictors",
    "translate_command",
    "elmo_command",
    "embed_command",
)

_done = False


def register() -> None:
    """Import the plug-in's modules, once.

    AllenNLP's own classes are imported first by the modules that replace them, so that the later registration wins.
    """
    global _done
    if _done:
        return
    _done = True  # before the imports: they may load archives
    for name in MODULES:
        import_module(f"pytorch_elmo.allennlp_plugin.{name}")
    _logger.info("elmo_token_embedder, elmo_characters and elmo_layer_file are pytorch_elmo's")
