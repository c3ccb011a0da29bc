r"""Vocabularies of one token a line, as TensorFlow's lookup tables read them.

A line ends at `\n` alone, and one `\r` before it is dropped; the last line needs no end. All else is the token's:
spaces, tabs, a byte order mark, other line separators. Bytes that are no UTF-8 become lone surrogates, which no
sentence has, so that such a token keeps its row and is never met.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file

_ERRORS = "surrogateescape"


def read_token_file(path: Path) -> list[str]:
    """The tokens in the order of their lines.

    Raises:
        TextError: the file cannot be read, it is empty, a line is blank, or a token stands twice.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TextError(f"cannot read the vocabulary {path}: {error.strerror}; name a file of tokens") from error
    if content and not content.endswith(b"\n"):
        content += b"\n"
    *tokens, _ = content.decode("utf-8", _ERRORS).replace("\r\n", "\n").split("\n")
    try:
        check_tokens(tokens)
    except TextError as error:
        raise TextError(f"{path}: {error}") from error
    return tokens


def write_token_file(path: Path, tokens: Sequence[str]) -> None:
    r"""Write what `read_token_file` reads as `tokens`; the file appears whole or not at all.

    Raises:
        TextError: a token is blank, stands twice, or holds `\n`.
    """
    check_tokens(tokens)
    lines = (token + ("\r\n" if token.endswith("\r") else "\n") for token in tokens)
    with whole_file(path) as partial:
        partial.write_bytes("".join(lines).encode("utf-8", _ERRORS))


def check_tokens(tokens: Sequence[str], *, distinct: Collection[str] | None = None) -> None:
    r"""See that a line each can be the vocabulary of a table.

    Args:
        tokens: of the lines.
        distinct: the tokens as a set or the keys of a dictionary, where these are at hand.

    Raises:
        TextError: there is none, or one is blank, stands twice, or holds `\n`; its line is named.
    """
    if not tokens:
        raise TextError("a vocabulary must have a token, it is empty; give one token a line")
    distinct = set(tokens) if distinct is None else distinct
    if "" in distinct:
        raise TextError(f"a token must not be blank, line {tokens.index('') + 1} is; remove the line")
    if len(distinct) == len(tokens) and "\n" not in "".join(tokens):
        return
    lines: dict[str, int] = {}
    for line, token in enumerate(tokens, start=1):
        if (first := lines.setdefault(token, line)) != line:
            raise TextError(f"a token must stand once, {token!r} is on the lines {first} and {line}; remove one")
        if "\n" in token:
            raise TextError(f"a token must be one line, {token!r} of line {line} is more; leave the line feed out")
