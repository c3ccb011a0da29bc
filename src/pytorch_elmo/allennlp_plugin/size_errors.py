"""Sizes that do not fit: of the vectors and the encoder they go into, and of word vectors in a file."""

import functools
import importlib
import os
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from types import ModuleType
from typing import Any

_NUM_LINES_LOOKED_AT = 100


def mend_checks(checks: ModuleType) -> None:
    """Models compare sizes by this function as they are built; it names both numbers, but not what to write where."""
    check: Callable[..., None] = checks.check_dimensions_match
    error_class: Any = checks.ConfigurationError

    @functools.wraps(check)
    def with_advice(dimension_1: int, dimension_2: int, dim_1_name: str, dim_2_name: str) -> None:
        try:
            check(dimension_1, dimension_2, dim_1_name, dim_2_name)
        except error_class as error:
            parts = sys._getframe(1).f_locals  # a model's constructor, whose arguments are named as a config's keys
            advice = _advice(
                parts, {dimension_1: dimension_2, dimension_2: dimension_1}, f"{dim_1_name} {dim_2_name}"
            )
            raise error_class(f"{error}{advice}") from None

    checks.check_dimensions_match = with_advice  # type: ignore[attr-defined]


def _advice(parts: dict[str, Any], other: dict[int, int], names: str) -> str:
    """How the size of the vectors comes about, and the line to change.

    Args:
        parts: the parts of a model by their keys in a configuration.
        other: from each of the two sizes to the other.
        names: of the two, in lower case.
    """
    embedders: dict[str, Any] = {}
    line = "make them equal in the section model"
    for key, part in parts.items():
        if hasattr(part, "_token_embedders") and ("embed" in names or "representation" in names):
            embedders |= part._token_embedders
        elif _is_named(key, names) and hasattr(part, "get_input_dim") and part.get_input_dim() in other:
            line = f'write "{_key(part)}": {other[part.get_input_dim()]} in the section model.{key}'
    sizes = " + ".join(f"{name} {each.get_output_dim()}" for name, each in embedders.items())
    return f"{f' ({sizes})' if sizes else ''}; {line}{_line_of_the_environment(embedders)}"


def _is_named(key: str, names: str) -> bool:
    """`phrase_layer` in `phrase layer input dim`, `pre_encode_feedforward` in `Pre-encoder feedforward input dim`."""
    words = names.replace("-", " ").split()
    return all(any(word.startswith(part) for word in words) for part in key.strip("_").split("_"))


def _line_of_the_environment(embedders: dict[str, Any]) -> str:
    """For this project's configurations, which compute the size of the input from the variable ELMO_DIM."""
    for embedder in embedders.values():
        if type(embedder).__name__ == "ElmoTokenEmbedder" and "ELMO_DIM" in os.environ:
            return f", or where ELMO_DIM={os.environ['ELMO_DIM']} gives it, set ELMO_DIM={embedder.output_dim}"
    return ""


def _key(part: Any) -> str:
    """What a configuration calls the input size of a part."""
    if hasattr(part, "_module"):  # around a recurrent layer of torch or of AllenNLP
        return "input_size"
    return "embedding_dim" if hasattr(part, "_embedding_dim") else "input_dim"


def mend_encoder(class_name: str) -> Callable[[ModuleType], None]:
    """For the models that compare nothing: a part that compares the size of what it is given with its own."""

    def mend(module: ModuleType) -> None:
        encoder: Any = getattr(module, class_name)
        forward = encoder.forward

        @functools.wraps(forward)
        def compared(self: Any, *args: Any, **kwargs: Any) -> Any:
            vectors = args[0] if args else next(iter(kwargs.values()))
            if vectors.shape[-1] != self.get_input_dim():
                checks = importlib.import_module("allennlp.common.checks")
                raise checks.ConfigurationError(
                    f"the vectors that go into a {type(self).__name__} must be of its {_key(self)}, they have "
                    f'{vectors.shape[-1]} numbers and it takes {self.get_input_dim()}; write "{_key(self)}": '
                    f"{vectors.shape[-1]} in its section of the model"
                )
            return forward(self, *args, **kwargs)

        encoder.forward = compared

    return mend


def mend_embedding(embedding: ModuleType) -> None:
    """Of a file with vectors of another size, AllenNLP warned of every line, and named no number at the end."""
    read: Callable[..., Any] = embedding._read_embeddings_from_text_file

    @functools.wraps(read)
    def compared(file_uri: str, embedding_dim: int, *args: Any, **kwargs: Any) -> Any:
        with embedding.EmbeddingsTextFile(file_uri) as file:
            found = Counter(len(line.rstrip().split(" ")) - 1 for line in islice(file, _NUM_LINES_LOOKED_AT))
        if embedding_dim not in found:
            ((size, _),) = found.most_common(1) or [(0, 0)]
            checks = importlib.import_module("allennlp.common.checks")
            raise checks.ConfigurationError(
                f"word vectors must have embedding_dim numbers, {file_uri} has {size} and embedding_dim is "
                f'{embedding_dim}; write "embedding_dim": {size} (WORD_VECTORS_DIM={size} with this project\'s '
                "configurations), or name another file"
            )
        return read(file_uri, embedding_dim, *args, **kwargs)

    embedding._read_embeddings_from_text_file = compared  # type: ignore[attr-defined]


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {
    "allennlp.common.checks": (mend_checks,),
    "allennlp.modules.feedforward": (mend_encoder("FeedForward"),),
    "allennlp.modules.seq2seq_encoders.pytorch_seq2seq_wrapper": (mend_encoder("PytorchSeq2SeqWrapper"),),
    "allennlp.modules.seq2vec_encoders.boe_encoder": (mend_encoder("BagOfEmbeddingsEncoder"),),
    "allennlp.modules.seq2vec_encoders.cnn_encoder": (mend_encoder("CnnEncoder"),),
    "allennlp.modules.seq2vec_encoders.pytorch_seq2vec_wrapper": (mend_encoder("PytorchSeq2VecWrapper"),),
    "allennlp.modules.token_embedders.embedding": (mend_embedding,),
}
