"""A sentence in, one vector out: the text embeddings of TensorFlow's hub (Swivel, NNLM) as a module."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.pretrained.text_embeddings import text_embedding_folder
from pytorch_elmo.progress import Progress
from pytorch_elmo.static_embeddings.hub_source import hub_folder
from pytorch_elmo.static_embeddings.hub_text import read_hub_text
from pytorch_elmo.static_embeddings.text_embedding_file import read_text_embedding, write_text_embedding
from pytorch_elmo.static_embeddings.text_settings import Combiner, TextSettings
from pytorch_elmo.static_embeddings.token_rows import TokenRows

_INITIAL_RANGE = 0.05  # of Keras's Embedding


class TextEmbedding(nn.Module):
    """One vector a sentence: its tokens' vectors added up and, as a rule, divided by the root of their number.

    Tokens are what stands between spaces, as they are spelt. Those that are not in the vocabulary share the rows of
    some buckets (Fingerprint64 of their bytes). Equal to the text embeddings that TensorFlow's hub published: for
    TF2 as it stands, for TF1 with `keep_empty_tokens=False`.

    `embedding_matrix` (len(vocabulary) + num_oov_buckets, dimension) has the vocabulary's rows, then the buckets'.
    Its gradient is dense, as Keras's Adam needs it. `state_dict` holds it without the vocabulary; `save` holds both.

    Args:
        vocabulary: tokens, each once, none blank.
        weights_or_dimension: the matrix, copied, float32 or float64 (float16 becomes float32); or the dimension, to
            start from uniform numbers within ±0.05, as Keras does.
        num_oov_buckets: rows for other tokens; with none, such tokens count for nothing.
        combiner: `sqrtn`, `mean` or `sum`.
        remove_punctuation: delete the characters of Unicode's category P first.
        split: at spaces; otherwise a sentence is one token.
        keep_empty_tokens: whether `""` beside a space is a token, as in TF2; otherwise only an empty sentence has it.
        trainable: whether the matrix learns.

    Raises:
        TextError: a token is blank, stands twice or is no string; or the vocabulary is a string.
        ConfigurationError: the matrix does not fit the vocabulary and the buckets, or a setting cannot be.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        weights_or_dimension: Tensor | int,
        *,
        num_oov_buckets: int = 1,
        combiner: Combiner = "sqrtn",
        remove_punctuation: bool = False,
        split: bool = True,
        keep_empty_tokens: bool = True,
        trainable: bool = True,
    ) -> None:
        super().__init__()
        self.settings = TextSettings(
            num_oov_buckets=num_oov_buckets,
            combiner=combiner,
            remove_punctuation=remove_punctuation,
            split=split,
            keep_empty_tokens=keep_empty_tokens,
        )
        if isinstance(vocabulary, str):
            raise TextError(f"a vocabulary is a list of tokens, got the string {vocabulary[:40]!r}; put it in a list")
        self.vocabulary = list(vocabulary)
        self._token_rows = TokenRows(self.vocabulary, self.settings)
        matrix = _matrix(weights_or_dimension, len(self.vocabulary), num_oov_buckets)
        self.embedding_matrix = nn.Parameter(matrix, requires_grad=trainable)

    @classmethod
    def from_saved_model(
        cls,
        source: str | Path,
        *,
        sha256: str | None = None,
        trainable: bool = True,
        progress: Progress | None = None,
    ) -> "TextEmbedding":
        """Read a TF2 SavedModel or a module of TF1's hub; TensorFlow is not needed.

        Args:
            source: a folder, an archive of one (`.tar.gz`), or the address of an archive, which is fetched once.
            sha256: of the archive, 64 hexadecimal digits; needed for an address.
            trainable: as for the class.
            progress: hears bytes fetched.

        Raises:
            WeightsError: the model is damaged, or holds what is not known; of steps that make tokens, each by name.
            TextError: the vocabulary has blank or repeated lines.
            DownloadError: an address without a sha256, or a file that has another one or cannot be had.
            ConfigurationError: the sha256 is not one, or stands beside a folder.
        """
        with hub_folder(source, sha256=sha256, progress=progress) as folder:
            return cls._of(*read_hub_text(folder), trainable)

    @classmethod
    def load(cls, folder: str | Path, *, trainable: bool = True) -> "TextEmbedding":
        """Read what `save` wrote, or an embedding of the package; half precision becomes float32.

        Args:
            folder: of the files, or one of the names `swivel-20`, `swivel-100`, `swivel-science-128`.
            trainable: as for the class.

        Raises:
            WeightsError: a file is missing, damaged or of another version, or the two do not belong together.
        """
        return cls._of(*read_text_embedding(text_embedding_folder(folder)), trainable)

    def save(self, folder: str | Path, *, dtype: torch.dtype | None = None) -> None:
        """Write `text_embedding.safetensors` and `vocabulary.txt` into a folder, which is made if need be.

        Args:
            folder: what it held under these names is replaced.
            dtype: of the stored numbers; None keeps the matrix's, torch.float16 halves the file and rounds them.

        Raises:
            ConfigurationError: another dtype than float16, float32 and float64, or numbers too large for it.
            OSError: the files cannot be written.
        """
        matrix = self.embedding_matrix.detach()
        write_text_embedding(Path(folder), self.vocabulary, matrix, self.settings, dtype or matrix.dtype)

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return self.embedding_matrix.shape[1]

    def __len__(self) -> int:
        """Rows of the matrix."""
        return self.embedding_matrix.shape[0]

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """Embed a batch; a sentence's vector does not depend on the others.

        Args:
            sentences: strings.

        Returns:
            (batch_size, dimension), of the matrix's dtype and device.

        Raises:
            TypeError: something else than a sequence of strings.
            TextError: a string holds a lone surrogate.
        """
        return self.embed(self.sentences_to_ids(sentences))

    def sentences_to_ids(self, sentences: Sequence[str]) -> "TokenIds":
        """The rows of a batch's tokens, to be kept where sentences are embedded often; errors as `forward`."""
        ids, offsets = self._token_rows.find(sentences)
        return TokenIds(torch.from_numpy(ids), torch.from_numpy(offsets))

    def embed(self, tokens: "TokenIds") -> Tensor:
        """Embed what `sentences_to_ids` gave; (batch_size, dimension)."""
        device, combiner = self.embedding_matrix.device, self.settings.combiner
        ids, offsets = tokens.ids.to(device), tokens.offsets.to(device)
        mode = "mean" if combiner == "mean" else "sum"
        vectors = F.embedding_bag(ids, self.embedding_matrix, offsets, mode=mode)
        if combiner != "sqrtn":
            return vectors
        counts = torch.diff(offsets, append=offsets.new_tensor([len(ids)]))
        return vectors / counts.clamp(min=1).to(vectors.dtype).sqrt().unsqueeze(1)  # no token: zeros

    def extra_repr(self) -> str:
        """Sizes and settings."""
        parts = [f"{len(self.vocabulary):,} tokens", f"dimension {self.dimension}"]
        parts += [f"{name}={value!r}" for name, value in self.settings.to_document().items()]
        parts.append("trainable" if self.embedding_matrix.requires_grad else "frozen")
        return ", ".join(parts)

    @classmethod
    def _of(cls, vocabulary: list[str], matrix: Tensor, settings: TextSettings, trainable: bool) -> "TextEmbedding":
        return cls(vocabulary, matrix, trainable=trainable, **settings.to_document())


class TokenIds(NamedTuple):
    """A batch's tokens as rows of the matrix.

    Attributes:
        ids: (num_tokens,) int64, of all sentences, end to end.
        offsets: (batch_size,) int64, where each sentence begins.
    """

    ids: Tensor
    offsets: Tensor


def _matrix(weights_or_dimension: Tensor | int, num_tokens: int, num_oov_buckets: int) -> Tensor:
    num_rows = num_tokens + num_oov_buckets
    if not isinstance(weights_or_dimension, Tensor):
        dimension = weights_or_dimension
        if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 1:
            raise ConfigurationError(
                f"weights_or_dimension must be a matrix or a whole number from 1, got {dimension!r}; give a Tensor, "
                "or how many numbers a vector has"
            )
        return torch.empty(num_rows, dimension).uniform_(-_INITIAL_RANGE, _INITIAL_RANGE)
    given = weights_or_dimension.detach()
    matrix = given.to(torch.float32 if given.dtype == torch.float16 else given.dtype, copy=True)
    if matrix.dtype not in (torch.float32, torch.float64):
        raise ConfigurationError(f"the matrix must be float32 or float64, got {matrix.dtype}; convert it")
    if matrix.dim() != 2 or len(matrix) != num_rows or not matrix.shape[1]:
        raise ConfigurationError(
            f"the matrix must have a row for each of {num_tokens} tokens and {num_oov_buckets} buckets, "
            f"({num_rows}, dimension), got {tuple(matrix.shape)}; give the vocabulary and num_oov_buckets that it has"
        )
    if not torch.stack(matrix.aminmax()).isfinite().all():  # NaN is both; no second matrix is made
        raise ConfigurationError("the matrix must be finite numbers, got NaN or infinity; clean it first")
    return matrix
