"""The words that the language model predicts (bilm-tf's vocabulary file)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import exp, log
from pathlib import Path

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file
from pytorch_elmo.text.characters import BEGIN_OF_SENTENCE, END_OF_SENTENCE

UNKNOWN = "<UNK>"
SPECIALS = (BEGIN_OF_SENTENCE, END_OF_SENTENCE, UNKNOWN)
_IGNORED = "!!!MAXTERMID"
_MOST_NAMED = 3
_MUCH_DEEPER = 1.1


class Vocabulary:
    """Tokens and their ids, in descending order of frequency, so that an id is a rank.

    A token that stands twice keeps both rows and means the later one, as in bilm-tf.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        if missing := [token for token in SPECIALS if token not in tokens]:
            raise TextError(f"a vocabulary holds <S>, </S> and <UNK>, this one misses {', '.join(missing)}; add them")
        self.tokens = list(tokens)
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        self.begin_id, self.end_id, self.unknown_id = (self._ids[token] for token in SPECIALS)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def id_of(self, token: str) -> int:
        """The token's id, that of `<UNK>` where it is not in the vocabulary."""
        return self._ids.get(token, self.unknown_id)

    @classmethod
    def from_counts(cls, counts: Counter[str], *, max_size: int | None = None, min_count: int = 1) -> "Vocabulary":
        """The specials, then the most frequent tokens; equal counts in alphabetical order.

        Args:
            counts: occurrences of each token; the specials' own are ignored.
            max_size: entries at most, the three specials counted.
            min_count: occurrences that a token needs.
        """
        frequent = [token for token, count in counts.items() if count >= min_count and token not in SPECIALS]
        frequent.sort(key=lambda token: (-counts[token], token))
        kept = frequent if max_size is None else frequent[: max(max_size - len(SPECIALS), 0)]
        return cls([*SPECIALS, *kept])

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Vocabulary":
        """One token a line; lines are stripped, empty ones and `!!!MAXTERMID` skipped.

        Raises:
            TextError: `<S>`, `</S>` or `<UNK>` is missing.
        """
        stripped = (line.strip() for line in lines)
        return cls([token for token in stripped if token and token != _IGNORED])

    @classmethod
    def from_file(cls, path: Path) -> "Vocabulary":
        """Read a vocabulary file.

        Raises:
            TextError: the file cannot be read, is not UTF-8, or misses a special token.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise TextError(f"cannot read the vocabulary {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise TextError(f"the vocabulary {path} is not UTF-8 at byte {error.start}; convert it") from error
        try:
            return cls.from_lines(text.split("\n"))
        except TextError as error:
            raise TextError(f"{path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write one token a line; the file appears whole or not at all."""
        with whole_file(path) as partial:
            partial.write_text("".join(f"{token}\n" for token in self.tokens), encoding="utf-8")


def vocabulary_warnings(vocabulary: Vocabulary, counts: Mapping[str, int]) -> list[str]:
    """What is odd about a vocabulary for a text, a line each: tokens that stand twice, ids that are no ranks.

    Args:
        vocabulary: as it was read.
        counts: how often each token stands in the text.
    """
    warnings = []
    if repeated := [token for token, count in Counter(vocabulary.tokens).items() if count > 1]:
        warnings.append(
            f"the vocabulary holds {len(repeated)} token(s) more than once, {_some(repeated)}; the last one of each "
            "counts, the others are never predicted"
        )
    if (depth := _depth(vocabulary, counts)) > _MUCH_DEEPER:
        warnings.append(
            f"the vocabulary is not in descending frequency of this text, where a token stands {depth:.1f} times as "
            "deep as its rank; the sampled softmax takes ids for ranks and learns worse: sort the vocabulary, or "
            "make one with elmo vocabulary"
        )
    return warnings


def _depth(vocabulary: Vocabulary, counts: Mapping[str, int]) -> float:
    """Geometric mean over the text's tokens of id over rank: what the ids cost a log-uniform sampler (elmo-spec 7.5).

    Only tokens of the text are ranked, among themselves, so that a vocabulary may hold many others.
    """
    known = [token for token in dict.fromkeys(vocabulary.tokens) if token not in SPECIALS and counts.get(token, 0)]
    in_order = [counts[token] for token in sorted(known, key=vocabulary.id_of)]
    at_best = sorted(in_order, reverse=True)
    surplus = sum(
        (given - best) * log(rank) for rank, (given, best) in enumerate(zip(in_order, at_best, strict=True), start=2)
    )
    return exp(surplus / max(sum(in_order), 1))


def _some(tokens: Sequence[str]) -> str:
    more = ", …" if len(tokens) > _MOST_NAMED else ""
    return ", ".join(map(repr, tokens[:_MOST_NAMED])) + more
