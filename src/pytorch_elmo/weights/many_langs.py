"""ELMoForManyLangs: recognised, and refused with the names of what our biLM has no place for."""

from pathlib import Path

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.torch_file import read_tensors

_EMBEDDER, _ENCODER = "token_embedder.pkl", "encoder.pkl"
_WORDS, _CHARACTERS = "word_emb_layer.embedding.weight", "char_emb_layer.embedding.weight"


def is_many_langs(folder: Path) -> bool:
    """Whether a folder holds a model of ELMoForManyLangs."""
    return all((folder / name).is_file() for name in (_EMBEDDER, _ENCODER))


def refusal_of_many_langs(folder: Path) -> WeightsError:
    """Why a model of ELMoForManyLangs cannot become one of ours (elmo-spec 8.1).

    Its LSTM layers are ELMo's, but they read what only its own character encoder makes: from Unicode characters
    instead of bytes, and from a vector for each known word.

    Raises:
        WeightsError: its files cannot be read.
    """
    embedder, encoder = read_tensors(folder / _EMBEDDER), read_tensors(folder / _ENCODER)
    reasons = []
    if (words := embedder.get(_WORDS)) is not None:
        reasons.append(f"{_WORDS} {tuple(words.shape)}, vectors of words beside the characters")
    if (characters := embedder.get(_CHARACTERS)) is not None:
        reasons.append(f"{_CHARACTERS} {tuple(characters.shape)}, Unicode characters where ours are UTF-8 bytes")
    return WeightsError(
        f"{folder} is a model of ELMoForManyLangs, and a biLM here has no place for {'; nor for '.join(reasons)}; "
        f"the {len(encoder)} parameters of its LSTM layers alone would fit, so nothing was converted; go on with "
        "elmoformanylangs"
    )
