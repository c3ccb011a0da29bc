"""Contextual ELMo features in PyTorch.

Public names are loaded on first use, so that `import pytorch_elmo` stays light.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "Elmo": "pytorch_elmo.elmo",
    "ElmoEmbedder": "pytorch_elmo.embedder",
    "LayerFileReader": "pytorch_elmo.storage",
    "ScalarMix": "pytorch_elmo.elmo",
    "TokenRepresentations": "pytorch_elmo.elmo",
    "WordVectors": "pytorch_elmo.static_embeddings",
    "batch_to_ids": "pytorch_elmo.text",
}
__all__ = [
    "Elmo",
    "ElmoEmbedder",
    "LayerFileReader",
    "ScalarMix",
    "TokenRepresentations",
    "WordVectors",
    "batch_to_ids",
]


def __getattr__(name: str) -> object:
    """Import a public name from its room when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*globals(), *__all__])
