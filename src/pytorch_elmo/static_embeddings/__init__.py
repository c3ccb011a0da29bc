"""Tables of static vectors: one vector a word, whatever stands around it."""

from pytorch_elmo.static_embeddings.word_vectors import WordVectors

__all__ = ["WordVectors"]
