"""The settings of a Swivel run: what is counted, and how vectors are fitted to the counts."""

from dataclasses import dataclass

from pytorch_elmo.errors import ConfigurationError

LARGEST_SUBMATRIX = 32_768  # a cell's number must fit into 32 bits
LARGEST_SEED = (1 << 63) - 1
LARGEST_WINDOW = 1000  # a pair of 90 million words and its distance must fit into 63 bits together


@dataclass(frozen=True, kw_only=True)
class CountingConfig:
    """Which tokens a text has, which of them are words, and which words stand beside each other.

    Attributes:
        tokenizer: one of `TOKENIZERS`.
        field: the column of tables that holds the text.
        remove_punctuation: drop every character of the Unicode category P, as TensorFlow Hub's text embeddings do.
        lowercase: count in lower case.
        keep_identifiers: keep words with an @ or five digits in a row, which may be addresses and numbers of people.
        min_count: occurrences that a word needs.
        max_size: words at most, the most frequent ones.
        window: tokens on each side that count as context, those outside the vocabulary too.
        submatrix_size: rows, and columns, of a submatrix at most.

    Raises:
        ConfigurationError: a number is out of its range.
    """

    tokenizer: str = "whitespace"
    field: str | None = None
    remove_punctuation: bool = False
    lowercase: bool = False
    keep_identifiers: bool = False
    min_count: int = 20
    max_size: int | None = None
    window: int = 10
    submatrix_size: int = 1024

    def __post_init__(self) -> None:
        for name in ("min_count", "window", "submatrix_size", "max_size"):
            _refuse_below_one(name, getattr(self, name))
        if self.submatrix_size > LARGEST_SUBMATRIX:
            raise ConfigurationError(
                f"submatrix_size is at most {LARGEST_SUBMATRIX}, got {self.submatrix_size}; give 1024 to 4096"
            )
        if self.window > LARGEST_WINDOW:
            raise ConfigurationError(f"window is at most {LARGEST_WINDOW}, got {self.window}; 5 to 20 is usual")


@dataclass(frozen=True, kw_only=True)
class SwivelConfig:
    """How vectors are fitted; the confidence's defaults are those of Shazeer et al. 2016.

    Attributes:
        dim: numbers of a vector.
        num_epochs: passes over all submatrices.
        learning_rate: Adagrad's.
        confidence_base: the weight of a pair's squared error is base + scale · count^exponent.
        confidence_scale: see above.
        confidence_exponent: see above.
        seed: of the first vectors and of the order of the submatrices.

    Raises:
        ConfigurationError: a number is out of its range.
    """

    dim: int = 100
    num_epochs: int = 20
    learning_rate: float = 0.1
    confidence_base: float = 0.1
    confidence_scale: float = 0.25
    confidence_exponent: float = 0.5
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("dim", "num_epochs"):
            _refuse_below_one(name, getattr(self, name))
        if not self.learning_rate > 0:
            raise ConfigurationError(f"learning_rate must be above 0, got {self.learning_rate}; give 0.1")
        for name in ("confidence_base", "confidence_scale", "confidence_exponent", "seed"):
            if not getattr(self, name) >= 0:
                raise ConfigurationError(f"{name} must be 0 or more, got {getattr(self, name)}; leave it out")
        if self.seed > LARGEST_SEED:
            raise ConfigurationError(f"seed is at most {LARGEST_SEED}, got {self.seed}; give a small number")


def _refuse_below_one(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise ConfigurationError(f"{name} must be 1 or more, got {value}; leave it out for the default")
