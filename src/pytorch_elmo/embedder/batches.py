"""Which sentences are run together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.text.characters import refuse_string

DEFAULT_BATCH_TOKENS = 16_384


@dataclass(frozen=True, kw_only=True)
class BatchRule:
    """A batch ends when it holds `batch_size` sentences or, where that is None, at `batch_tokens` tokens.

    The batches of a text follow from the text alone, so a job that goes on finds the same ones.
    """

    batch_tokens: int = DEFAULT_BATCH_TOKENS
    batch_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse sizes below one."""
        for name in ("batch_tokens", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigurationError(f"{name} is at least 1, got {value}")

    @property
    def chunk_tokens(self) -> int:
        """The longest sentence that is run in one piece."""
        return self.batch_tokens

    @property
    def description(self) -> str:
        """The rule in words, for manifests."""
        return f"{self.batch_tokens} tokens" if self.batch_size is None else f"{self.batch_size} sentences"

    def ends(self, num_sentences: int, num_tokens: int) -> bool:
        """Whether a batch of this size is full."""
        return num_tokens >= self.batch_tokens if self.batch_size is None else num_sentences >= self.batch_size

    def batches(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[list[str]]]:
        """Consecutive sentences, lazily.

        Raises:
            TextError: as `check_sentence`.
        """
        batch: list[list[str]] = []
        num_tokens = 0
        for sentence in sentences:
            check_sentence(sentence)
            batch.append(list(sentence))
            num_tokens += len(sentence)
            if self.ends(len(batch), num_tokens):
                yield batch
                batch, num_tokens = [], 0
        if batch:
            yield batch


def check_sentence(sentence: Sequence[str]) -> None:
    """Refuse what is no list of tokens.

    Raises:
        TextError: the sentence is a string, or a token is not one.
    """
    refuse_string(sentence)
    for token in sentence:
        if not isinstance(token, str):
            raise TextError(
                f"a token is a string, got {str(token)[:40]!r} of type {type(token).__name__}; "
                "a sentence is a list of strings, a batch a list of sentences"
            )
