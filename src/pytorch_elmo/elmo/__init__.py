"""Representations: mixing the layers of a biLM, and what stands beside them."""

from pytorch_elmo.elmo.elmo import Elmo
from pytorch_elmo.elmo.mix_of_means import MixOfMeans
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.elmo.sentence_layer import ElmoSentenceLayer
from pytorch_elmo.elmo.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.elmo.token_representations import TokenRepresentations

__all__ = ["Elmo", "ElmoSentenceLayer", "ElmoTokenEmbedder", "MixOfMeans", "ScalarMix", "TokenRepresentations"]
