"""Contextual ELMo features in PyTorch.

Public names are loaded on first use, so that `import pytorch_elmo` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pytorch_elmo.elmo import Elmo, ElmoSentenceLayer, ScalarMix, TokenRepresentations
    from pytorch_elmo.embedder import ElmoEmbedder
    from pytorch_elmo.static_embeddings import TextEmbedding, WordVectors, warm_start, warmstart_embedding_matrix
    from pytorch_elmo.storage import LayerFileReader
    from pytorch_elmo.text import TextVectorizer, batch_to_ids, strip_html_and_punctuation

__all__ = [
    "Elmo",
    "ElmoEmbedder",
    "ElmoSentenceLayer",
    "LayerFileReader",
    "ScalarMix",
    "TextEmbedding",
    "TextVectorizer",
    "TokenRepresentations",
    "WordVectors",
    "batch_to_ids",
    "strip_html_and_punctuation",
    "warm_start",
    "warmstart_embedding_matrix",
]

_HOME = {
    "Elmo": "elmo",
    "ElmoEmbedder": "embedder",
    "ElmoSentenceLayer": "elmo",
    "LayerFileReader": "storage",
    "ScalarMix": "elmo",
    "TextEmbedding": "static_embeddings",
    "TextVectorizer": "text",
    "TokenRepresentations": "elmo",
    "WordVectors": "static_embeddings",
    "batch_to_ids": "text",
    "strip_html_and_punctuation": "text",
    "warm_start": "static_embeddings",
    "warmstart_embedding_matrix": "static_embeddings",
}


def __getattr__(name: str) -> object:
    """Import a public name from its room when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted({*globals(), *__all__})
