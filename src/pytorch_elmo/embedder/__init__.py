"""Jobs that turn sentences into vectors."""

from pytorch_elmo.embedder.embedder import ElmoEmbedder

__all__ = ["ElmoEmbedder"]
