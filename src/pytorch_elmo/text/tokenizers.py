"""From a line of text to tokens, and from raw prose to tokenised sentences."""

from collections.abc import Callable, Iterator

from pytorch_elmo.errors import ConfigurationError

Tokenizer = Callable[[str], list[str]]
TOKENIZERS = ("whitespace", "moses")


def whitespace_tokenizer(line: str) -> list[str]:
    """Split at white space, as `allennlp elmo` does (every character that `str.split` takes for a blank)."""
    return line.split()


def moses_tokenizer() -> Tokenizer:
    """The Moses rules for English, unescaped and cased: how the authors' training text was tokenised."""
    from sacremoses import MosesTokenizer

    moses = MosesTokenizer("en")
    # Its own build a set of thousands of characters at every call; these give the same answers.
    alphabetic = frozenset(moses.IsAlpha)
    moses.islower = frozenset(moses.IsLower).issuperset
    moses.isanyalpha = lambda text: not alphabetic.isdisjoint(text)

    def tokenize(line: str) -> list[str]:
        tokens: list[str] = moses.tokenize(line, escape=False)
        return tokens

    return tokenize


def make_tokenizer(name: str) -> Tokenizer:
    """The tokenizer called `name`, one of `TOKENIZERS`.

    Raises:
        ConfigurationError: no tokenizer has this name.
    """
    if name == "whitespace":
        return whitespace_tokenizer
    if name == "moses":
        return moses_tokenizer()
    raise ConfigurationError(f"tokenizer must be one of {', '.join(TOKENIZERS)}, got {name!r}")


def split_sentences(paragraph: str) -> Iterator[str]:
    """The sentences of one paragraph of English prose, stripped, without empty ones."""
    from sentencex import segment

    for sentence in segment("en", paragraph):
        if stripped := sentence.strip():
            yield stripped


def sentences_of_prose(paragraph: str, tokenizer: Tokenizer) -> Iterator[list[str]]:
    """Tokenised sentences of one paragraph of raw text; a sentence without any token is left out."""
    for sentence in split_sentences(paragraph):
        if tokens := tokenizer(sentence):
            yield tokens
