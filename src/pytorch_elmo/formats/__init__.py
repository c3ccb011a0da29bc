"""Foreign binary formats, read without the libraries that wrote them."""

from pytorch_elmo.formats.tensor_bundle import TensorBundle

__all__ = ["TensorBundle"]
