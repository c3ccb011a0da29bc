"""Tables of static vectors: one vector a word, whatever stands around it, and one a sentence, from its words."""

from pytorch_elmo.static_embeddings.text_embedding import TextEmbedding
from pytorch_elmo.static_embeddings.word_vectors import WordVectors

__all__ = ["TextEmbedding", "WordVectors"]
