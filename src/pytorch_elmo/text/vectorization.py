"""Texts as rows of word ids, with a vocabulary learned from texts (Keras's `TextVectorization`)."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import ArgumentValueError, ConfigurationError, TextError
from pytorch_elmo.text.standardization import STANDARDIZERS, encoded
from pytorch_elmo.text.token_index import TokenIndex, spellings
from pytorch_elmo.text.word_splitter import WordSplitter

if TYPE_CHECKING:  # processes that read text have no need of PyTorch
    from torch import Tensor

OutputMode = Literal["int", "multi_hot", "count"]

PADDING = ""
UNKNOWN = "[UNK]"
_DROPPED = -1  # the id of '' where there is no id for padding
_TEXTS_AT_A_TIME = 4096  # whose words are in memory together


class TextVectorizer:
    """Standardise texts, split them into words, and look up the words' ids, as Keras's `TextVectorization` does.

    Words are compared as UTF-8 bytes. Only ASCII letters are lowered, only ASCII punctuation is deleted, and only
    ASCII white space separates words. In the mode `int`, id 0 is padding, 1 any unknown word, and the words follow
    from 2; in the other modes 0 is any unknown word, and the words follow from 1.

    Args:
        max_tokens: entries of the vocabulary at most, those for padding and unknown words counted; None: no bound.
        standardize: `lower_and_strip_punctuation`, `lower`, `strip_punctuation`, None, or a function from a text to a
            text, e.g. `strip_html_and_punctuation`.
        split: `whitespace`, `character`, None (a text is one word), or a function from a text to its words.
        ngrams: sequences of words that count as words too, joined by a space: of 1 to n words for a number n, of
            these lengths alone for a tuple.
        output_mode: `int` for ids in the order of the text, `multi_hot` for a 1 at each id that occurs, `count` for
            how often it occurs.
        output_sequence_length: words of a text that are kept; shorter texts are padded. None: the longest of a call.
        pad_to_max_tokens: whether `multi_hot` and `count` have `max_tokens` columns even where there are fewer words.
        vocabulary: as for `set_vocabulary`; None to `adapt` first.
        ragged: whether `int` gives a nested tensor of rows as long as their texts, without padding.

    Raises:
        ArgumentValueError: arguments that cannot be, or that contradict each other; also a `ValueError`.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[str], str] | None = "lower_and_strip_punctuation",
        split: str | Callable[[str], Iterable[str]] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: OutputMode = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Sequence[str] | str | Path | None = None,
        *,
        ragged: bool = False,
    ) -> None:
        self._max_tokens = max_tokens
        self._standardize, self._split = standardize, split
        self._ngrams = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        self._mode = output_mode
        self._length = output_sequence_length
        self._pad_to_max_tokens = pad_to_max_tokens
        self._ragged = ragged
        self._check()
        self._splitter = WordSplitter(standardize, split, self._ngrams)
        self._specials = [PADDING, UNKNOWN] if output_mode == "int" else [UNKNOWN]
        self._words: list[str] = []
        self._index = TokenIndex([])
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    def adapt(self, texts: Iterable[str]) -> None:
        """Learn the vocabulary from texts, which are read once and not held; one learned before is forgotten.

        The most frequent words come first, equally frequent ones in descending order of their bytes, as in Keras.

        Raises:
            TextError: the texts hold no word; or a text is not a string, or holds half of a surrogate pair.
            ConfigurationError: `max_tokens` leaves no room for a word.
        """
        room = None if self._max_tokens is None else self._max_tokens - len(self._specials)
        if room == 0:
            raise ConfigurationError(
                f"a vocabulary must have room for a word, max_tokens {self._max_tokens} is used up by padding and "
                "unknown words; raise it"
            )
        if isinstance(texts, str):
            raise TextError(
                f"a vocabulary is learned from many texts, got the string {texts[:40]!r}; put it in a list"
            )
        counts = self._count(texts)
        for special in (PADDING, UNKNOWN):
            counts.pop(special.encode(), None)
        if not counts:
            raise TextError("a vocabulary needs words, the texts have none; give other texts, or standardize less")
        ranked = sorted(sorted(counts, reverse=True), key=counts.__getitem__, reverse=True)
        self._set_words([word.decode() for word in ranked[:room]])

    def set_vocabulary(self, vocabulary: Sequence[str] | str | Path) -> None:
        """Take words in the order of their ids.

        Args:
            vocabulary: the words, with or without the entries for padding and unknown words before them; or the path
                of a UTF-8 file with a word a line.

        Raises:
            ArgumentValueError: the file cannot be read; or there are no words, more than `max_tokens` or a word
                twice, or '' is not the first entry.
        """
        words = _read_words(Path(vocabulary)) if isinstance(vocabulary, str | Path) else list(vocabulary)
        if words[: len(self._specials)] == self._specials:
            words = words[len(self._specials) :]
        if not words:
            raise ArgumentValueError("a vocabulary must have words, got an empty one; leave it out to adapt instead")
        if repeated := [word for word, count in Counter(words).items() if count > 1]:
            raise ArgumentValueError(f"a vocabulary must hold a word once, got {repeated[:3]} repeated; remove those")
        if PADDING in words:
            raise ArgumentValueError(
                f"'' is padding, got it as word {words.index(PADDING)} of the vocabulary; remove it, or put "
                f"{self._specials} first"
            )
        size = len(words) + len(self._specials)
        if self._max_tokens is not None and size > self._max_tokens:
            raise ArgumentValueError(
                f"a vocabulary must have at most max_tokens {self._max_tokens} entries, got {size}; raise max_tokens"
            )
        self._set_words([encoded(word).decode() for word in words])

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words in the order of their ids.

        Args:
            include_special_tokens: whether '' (in the mode `int`) and '[UNK]' come first, so that a word's place is
                its id.
        """
        return [*self._specials, *self._words] if include_special_tokens else list(self._words)

    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return len(self._specials) + len(self._words)

    def __call__(self, texts: str | Iterable[str]) -> "Tensor":
        """Vectorise texts.

        Args:
            texts: the texts, or a single one.

        Returns:
            In the mode `int`, (batch_size, sequence_length) int64, or (batch_size,) where texts are not split. In the
            other modes (batch_size, vocabulary_size) float32. All on the CPU; without the first axis for a single
            text. With `ragged` a nested (jagged) int64 tensor, whose `unbind` gives a row for each text.

        Raises:
            TextError: a text is not a string, or holds half of a surrogate pair.
            ConfigurationError: there is no vocabulary yet.
        """
        import torch

        if not self._words:
            raise ConfigurationError("texts need a vocabulary to be looked up in, there is none; call adapt first")
        ids, lengths = self._look_up([texts] if isinstance(texts, str) else texts)
        if self._ragged and not isinstance(texts, str):
            offsets = torch.from_numpy(np.concatenate([[0], lengths.cumsum()]))
            return torch.nested.nested_tensor_from_jagged(torch.from_numpy(ids), offsets)
        if self._mode != "int":
            vectors = torch.from_numpy(self._bags(ids, lengths))
        elif self._split is None:
            vectors = torch.from_numpy(ids)
        else:
            vectors = torch.from_numpy(self._padded(ids, lengths))
        return vectors[0] if isinstance(texts, str) else vectors

    def _look_up(self, texts: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids of all texts, one after the other, and how many each text has."""
        all_ids, all_lengths = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]  # there may be no text
        remaining = iter(texts)
        while part := list(islice(remaining, _TEXTS_AT_A_TIME)):
            tokens, are_words, lengths = self._splitter(part, self._length)
            rows = self._index.find(tokens if are_words.all() else tokens.filter(are_words))
            all_ids.append(self._ids[rows])
            all_lengths.append(lengths)
        return np.concatenate(all_ids), np.concatenate(all_lengths)

    def _count(self, texts: Iterable[str]) -> Counter[bytes]:
        """How often each word occurs; '' is counted as it comes."""
        counts: Counter[bytes] = Counter()
        remaining = iter(texts)
        while part := list(islice(remaining, _TEXTS_AT_A_TIME)):
            words, numbers = self._splitter(part).tokens.value_counts().flatten()
            counts.update(dict(zip(spellings(words), numbers.to_pylist(), strict=True)))
        return counts

    def _padded(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        length = int(lengths.max(initial=0)) if self._length is None else self._length
        padded = np.zeros((len(lengths), length), np.int64)
        padded[np.arange(length) < lengths[:, None]] = ids
        return padded

    def _bags(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """(batch_size, columns): how often each id occurs in a text, or whether it does."""
        columns = self._max_tokens if self._pad_to_max_tokens and self._max_tokens else self.vocabulary_size()
        bags = np.zeros((len(lengths), columns), np.float32)
        kept = ids != _DROPPED
        places = np.repeat(np.arange(len(lengths)), lengths)[kept], ids[kept]
        if self._mode == "count":
            np.add.at(bags, places, 1)
        else:
            bags[places] = 1
        return bags

    def _set_words(self, words: list[str]) -> None:
        self._words = words
        self._index = TokenIndex([PADDING, *words])
        padding = 0 if self._mode == "int" else _DROPPED
        unknown = len(self._specials) - 1  # comes last, where the index's -1 finds it
        self._ids = np.array([padding, *range(len(self._specials), self.vocabulary_size()), unknown])

    def _check(self) -> None:
        """Hold each argument to its rule, then those that go together."""
        standardize, split, length, bound = self._standardize, self._split, self._length, self._max_tokens
        modes, by_name = get_args(OutputMode), ", ".join(STANDARDIZERS)
        known_standardize = standardize is None or callable(standardize) or standardize in list(STANDARDIZERS)
        known_split = split in (None, "whitespace", "character") or callable(split)
        one_row_of_words = self._mode == "int" and split is not None and not self._ragged
        _hold(bound is None or _is_whole(bound, 2), "max_tokens must be greater than 1 and whole", bound)
        _hold(known_standardize, f"standardize must be None, a function, or one of {by_name}", standardize)
        _hold(known_split, "split must be None, a function, whitespace or character", split)
        _hold(
            self._ngrams is None or (len(self._ngrams) > 0 and all(_is_whole(length, 1) for length in self._ngrams)),
            "ngrams must be None, a number from 1, or a tuple of such numbers",
            self._ngrams,
        )
        _hold(self._mode in modes, f"output_mode must be one of {', '.join(modes)}", self._mode)
        _hold(length is None or _is_whole(length, 1), "output_sequence_length must be None or whole, from 1", length)
        _hold(
            length is None or one_row_of_words,
            "output_sequence_length must be None unless texts are split, output_mode is 'int' and ragged False",
            length,
        )
        _hold(self._mode == "int" or not self._ragged, "output_mode must be 'int' for ragged", self._mode)
        _hold(split is not None or not self._ragged, "split must not be None for ragged", split)
        _hold(split is not None or self._ngrams is None, "ngrams must be None where split is", self._ngrams)
        _hold(bound is not None or not self._pad_to_max_tokens, "max_tokens must be set for pad_to_max_tokens", bound)


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least


def _hold(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise ArgumentValueError(f"{rule}, got {value!r}; change it")


def _read_words(path: Path) -> list[str]:
    """The lines of a file; they end at line feeds, before which one carriage return is left out."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ArgumentValueError(
            f"cannot read the vocabulary {path}: {error.strerror}; name a file with a word a line"
        ) from error
    except UnicodeDecodeError as error:
        raise ArgumentValueError(f"the vocabulary {path} is not UTF-8 at byte {error.start}; convert it") from error
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
