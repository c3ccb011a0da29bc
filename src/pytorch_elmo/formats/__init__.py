"""Foreign binary formats, read without the libraries that wrote them."""

from pytorch_elmo.formats.saved_model import SavedModel, read_saved_model
from pytorch_elmo.formats.tensor_bundle import TensorBundle

__all__ = ["SavedModel", "TensorBundle", "read_saved_model"]
