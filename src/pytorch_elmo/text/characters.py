"""Words as fixed rows of character ids (Peters et al. 2018, section 3.4; ids as in bilm-tf and AllenNLP).

An id is a UTF-8 byte plus one. Five ids above the bytes mark boundaries and padding; 0 is left for positions
where no token stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import TextError

if TYPE_CHECKING:  # processes that read text have no need of PyTorch
    from torch import Tensor

PADDING_ID = 0
CHARACTERS_PER_TOKEN = 50
MAX_BYTES_PER_TOKEN = CHARACTERS_PER_TOKEN - 2
BEGIN_OF_SENTENCE_ID = 257
END_OF_SENTENCE_ID = 258
BEGIN_OF_WORD_ID = 259
END_OF_WORD_ID = 260
CHARACTER_PADDING_ID = 261
CHARACTER_VOCABULARY_SIZE = 262

BEGIN_OF_SENTENCE = "<S>"
END_OF_SENTENCE = "</S>"
_SENTENCE_BOUNDARIES = {BEGIN_OF_SENTENCE: BEGIN_OF_SENTENCE_ID, END_OF_SENTENCE: END_OF_SENTENCE_ID}


def character_row(content: Sequence[int]) -> list[int]:
    """One token's ids: begin of word, `content`, end of word, padding up to `CHARACTERS_PER_TOKEN`."""
    row = [BEGIN_OF_WORD_ID, *content, END_OF_WORD_ID]
    return row + [CHARACTER_PADDING_ID] * (CHARACTERS_PER_TOKEN - len(row))


def token_to_ids(token: str, *, tokens_to_add: Mapping[str, int] | None = None) -> list[int]:
    """The `CHARACTERS_PER_TOKEN` character ids of one token.

    The token's UTF-8 form is cut to 48 bytes, even inside a character; lone surrogates are dropped. `<S>` and
    `</S>` become the sentence boundaries. `tokens_to_add` maps further tokens to one raw id each (before the
    shift by one), and is looked up first, as AllenNLP's indexer does.
    """
    if tokens_to_add and token in tokens_to_add:
        return character_row([tokens_to_add[token] + 1])
    if token in _SENTENCE_BOUNDARIES:
        return character_row([_SENTENCE_BOUNDARIES[token]])
    encoded = token.encode("utf-8", "ignore")[:MAX_BYTES_PER_TOKEN]
    return character_row([byte + 1 for byte in encoded])


def is_cut(token: str) -> bool:
    """Whether the token is longer than the 48 bytes that the model sees."""
    return len(token) > MAX_BYTES_PER_TOKEN // 4 and len(token.encode("utf-8", "ignore")) > MAX_BYTES_PER_TOKEN


def words_to_ids(words: Iterable[str]) -> NDArray[np.int64]:
    """Character ids of single words, (num_words, num_characters) int64."""
    rows = [token_to_ids(word) for word in words]
    return np.array(rows, dtype=np.int64).reshape(len(rows), CHARACTERS_PER_TOKEN)


def refuse_string(sentence: object) -> None:
    """Refuse a string where a list of tokens is meant, which would be read as one token a letter.

    Raises:
        TextError: `sentence` is a string.
    """
    if isinstance(sentence, str):
        raise TextError(
            f"a sentence is a list of tokens, got the string {sentence[:40]!r}; split it first, e.g. sentence.split()"
        )


def batch_to_ids(batch: Sequence[Sequence[str]]) -> "Tensor":
    """Character ids of a batch of tokenised sentences, without sentence boundaries.

    Args:
        batch: sentences as lists of tokens; sentences may be empty, and so may the batch.

    Returns:
        (batch_size, num_tokens, num_characters) int64 on the CPU, padded on the right with 0. AllenNLP's shape
        for a batch of empty sentences, (batch_size, 0), is not followed: the last axis is always there.

    Raises:
        TextError: a sentence is a string, or a token is not a string.
    """
    import torch

    refuse_string(batch)
    num_tokens = max((len(sentence) for sentence in batch), default=0)
    character_ids = np.zeros((len(batch), num_tokens, CHARACTERS_PER_TOKEN), dtype=np.int64)
    for row, sentence in enumerate(batch):
        refuse_string(sentence)
        for position, token in enumerate(sentence):
            if not isinstance(token, str):
                raise TextError(f"a token is a string, got {token!r} in sentence {row}; convert it with str()")
            character_ids[row, position] = token_to_ids(token)
    return torch.from_numpy(character_ids)
