"""A text embedding in this project's own format: a file of numbers and settings, and the vocabulary as text."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError, TextError, WeightsError
from pytorch_elmo.files import sha256_of
from pytorch_elmo.formats.tensor_file import read_tensor_file, write_tensor_file
from pytorch_elmo.static_embeddings.text_settings import TextSettings
from pytorch_elmo.text.token_file import read_token_file, write_token_file

FORMAT = "pytorch_elmo.text_embedding"
TENSOR_FILE, VOCABULARY_FILE = "text_embedding.safetensors", "vocabulary.txt"
_MATRIX = "embedding_matrix"
_DTYPES = (torch.float16, torch.float32, torch.float64)


class TextEmbeddingParts(NamedTuple):
    """What a text embedding is made of: matrix (len(vocabulary) + num_oov_buckets, dimension)."""

    vocabulary: list[str]
    matrix: Tensor
    settings: TextSettings


def write_text_embedding(
    folder: Path, vocabulary: Sequence[str], matrix: Tensor, settings: TextSettings, dtype: torch.dtype
) -> None:
    """Write both files, the vocabulary first, since the other one has its hash; arguments and errors as of `save`."""
    if dtype not in _DTYPES:
        raise ConfigurationError(f"dtype must be torch.float16, float32 or float64, got {dtype}; choose one")
    stored = matrix.cpu().to(dtype).contiguous()
    if not stored.isfinite().all():
        raise ConfigurationError(f"the numbers must fit in {dtype}, some become infinite; save them as float32")
    folder.mkdir(parents=True, exist_ok=True)
    write_token_file(folder / VOCABULARY_FILE, vocabulary)
    document = {"settings": settings.to_document(), "vocabulary_sha256": sha256_of(folder / VOCABULARY_FILE)}
    write_tensor_file(folder / TENSOR_FILE, FORMAT, {_MATRIX: stored}, document)


def read_text_embedding(folder: Path) -> TextEmbeddingParts:
    """What `write_text_embedding` wrote.

    Raises:
        WeightsError: a file is missing, damaged or of another version, or the two do not belong together.
    """
    path = folder / TENSOR_FILE
    tensors, document = read_tensor_file(path, FORMAT)
    if list(tensors) != [_MATRIX] or document.keys() != {"settings", "vocabulary_sha256"}:
        raise WeightsError(
            f"{path} must hold {_MATRIX}, settings and the vocabulary's sha256, got {sorted({*tensors, *document})}; "
            "fetch it anew"
        )
    try:
        settings = TextSettings.from_document(document["settings"])
        vocabulary = read_token_file(folder / VOCABULARY_FILE)
    except (ConfigurationError, TextError) as error:
        raise WeightsError(f"{folder} holds no text embedding: {error}; fetch it anew") from error
    if (found := sha256_of(folder / VOCABULARY_FILE)) != document["vocabulary_sha256"]:
        raise WeightsError(
            f"{folder / VOCABULARY_FILE} must be the vocabulary that {TENSOR_FILE} was saved with, its sha256 is "
            f"{found}; copy both files of one embedding"
        )
    matrix = tensors[_MATRIX]
    num_rows = len(vocabulary) + settings.num_oov_buckets
    if matrix.dtype not in _DTYPES or matrix.dim() != 2 or len(matrix) != num_rows or not matrix.shape[1]:
        raise WeightsError(
            f"{path}: {_MATRIX} is {matrix.dtype} {tuple(matrix.shape)}, which does not fit {len(vocabulary)} tokens "
            f"and {settings.num_oov_buckets} buckets; fetch it anew"
        )
    if not matrix.isfinite().all():
        raise WeightsError(f"{path}: {_MATRIX} holds NaN or infinity; the file is damaged, fetch it anew")
    return TextEmbeddingParts(vocabulary, matrix, settings)
