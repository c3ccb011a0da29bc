"""Representations: mixing the layers of a biLM, and what stands beside them."""

from pytorch_elmo.elmo.elmo import Elmo
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.elmo.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.elmo.token_representations import TokenRepresentations

__all__ = ["Elmo", "ElmoTokenEmbedder", "ScalarMix", "TokenRepresentations"]
