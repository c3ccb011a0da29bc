"""From the lines of a text to the tokens that are counted, and to the words that get vectors."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file
from pytorch_elmo.static_training.config import CountingConfig
from pytorch_elmo.text.punctuation import punctuation_table
from pytorch_elmo.text.word_counts import WordCount, WordCounter

_IDENTIFIER = re.compile(r"@|\d{5}")


def counted_tokens(sentences: Iterable[list[str] | None], config: CountingConfig) -> Iterator[list[str]]:
    """The sentences with punctuation and case as they are counted; those without a token left are skipped.

    Args:
        sentences: lists of tokens; None, the end of a document, is skipped.
        config: says what is done to them.
    """
    table = punctuation_table() if config.remove_punctuation else None
    for sentence in sentences:
        if sentence is None:
            continue
        if table is None and not config.lowercase:
            yield sentence
            continue
        text = " ".join(sentence)
        text = text if table is None else text.translate(table)
        if tokens := (text.lower() if config.lowercase else text).split():
            yield tokens


def choose_words(sentences: Iterable[list[str]], folder: Path, config: CountingConfig) -> list[WordCount]:
    """The words that get vectors with their occurrences, the most frequent first, equal ones in alphabetical order.

    Args:
        sentences: as `counted_tokens` gives them.
        folder: where words that are too many for memory are kept meanwhile.
        config: says which words are frequent enough, and how many are taken.

    Raises:
        TextError: there are none.
    """
    with WordCounter(folder) as counter:
        counter.count(sentences)
        ranked = counter.ranked(min_count=config.min_count)
        kept = (one for one in ranked if config.keep_identifiers or not _IDENTIFIER.search(one[0]))
        words = list(islice(kept, config.max_size))
    if not words:
        raise TextError(
            f"word vectors need words, the text has none that stands {config.min_count} time(s) or more; "
            "give more text, or a lower --min-count"
        )
    return words


def write_words(words: Iterable[WordCount], path: Path) -> None:
    """Write `word count` a line; the file appears whole or not at all."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{word} {count}\n" for word, count in words)


def read_words(path: Path) -> list[WordCount]:
    """Read what `write_words` wrote.

    Raises:
        TextError: the file cannot be read or holds something else.
    """
    try:
        lines = path.read_text("utf-8").split("\n")[:-1]
        return [(word, int(count)) for word, count in (line.split(" ") for line in lines)]
    except (OSError, ValueError) as error:
        raise TextError(f"{path} must hold a word and its count a line, got: {error}; count anew") from error
