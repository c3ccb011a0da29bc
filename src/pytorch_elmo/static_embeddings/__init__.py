"""Tables of static vectors: one vector a word, whatever stands around it, and one a sentence, from its words."""

from pytorch_elmo.static_embeddings.text_embedding import TextEmbedding
from pytorch_elmo.static_embeddings.warm_start_matrix import warmstart_embedding_matrix
from pytorch_elmo.static_embeddings.warm_start_module import warm_start
from pytorch_elmo.static_embeddings.word_vectors import WordVectors

__all__ = ["TextEmbedding", "WordVectors", "warm_start", "warmstart_embedding_matrix"]
