"""Jobs that turn sentences into vectors."""

from pytorch_elmo.embedder.embedder import ElmoEmbedder
from pytorch_elmo.embedder.layer_means import embed_layer_means

__all__ = ["ElmoEmbedder", "embed_layer_means"]
