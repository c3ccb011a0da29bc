"""How a text embedding makes tokens of a sentence and one vector of its tokens."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from pytorch_elmo.errors import ConfigurationError

Combiner = Literal["sqrtn", "mean", "sum"]


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """What a text embedding is besides its vocabulary and its numbers.

    Attributes:
        num_oov_buckets: rows for tokens that are not in the vocabulary, chosen by Fingerprint64; with none, such
            tokens count for nothing.
        combiner: the vectors' sum, divided by the square root of their number, by their number, or not at all.
        remove_punctuation: delete the characters of Unicode's category P first; symbols, `<`, `$` and `+`, stay.
        split: at each space (U+0020), and there alone; otherwise a sentence is one token.
        keep_empty_tokens: `""` between two spaces, at a sentence's ends and of an empty one is a token as any other,
            as in TF2; otherwise only a sentence without other tokens has it, once, as in TF1.

    Raises:
        ConfigurationError: a value that cannot be.
    """

    num_oov_buckets: int = 1
    combiner: Combiner = "sqrtn"
    remove_punctuation: bool = False
    split: bool = True
    keep_empty_tokens: bool = True

    def __post_init__(self) -> None:
        count = self.num_oov_buckets
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ConfigurationError(f"num_oov_buckets must be a whole number from 0, got {count!r}; 1 is usual")
        if self.combiner not in get_args(Combiner):
            raise ConfigurationError(
                f"combiner must be {', '.join(get_args(Combiner))}, got {self.combiner!r}; the hub's is sqrtn"
            )
        for name in ("remove_punctuation", "split", "keep_empty_tokens"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationError(f"{name} must be True or False, got {getattr(self, name)!r}; choose one")

    @classmethod
    def from_document(cls, document: Any) -> "TextSettings":
        """What `to_document` made.

        Raises:
            ConfigurationError: a key is missing or unknown, or a value cannot be.
        """
        names = {field.name for field in fields(cls)}
        found = set(document) if isinstance(document, dict) else set()
        if found != names:
            raise ConfigurationError(f"settings must be {', '.join(sorted(names))}, got {sorted(found)}")
        return cls(**document)

    def to_document(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
