"""Lower case and punctuation as Keras's text layers treat them: over UTF-8 bytes, so that ASCII alone changes."""

import string
from collections.abc import Callable

from pytorch_elmo.errors import TextError

_PUNCTUATION = string.punctuation.encode()  # the 32 characters of Keras's regular expression too
_LOWER = bytes(range(256)).lower()
_LINE_BREAK = b"<br />"


def encoded(text: object) -> bytes:
    """A text or word as UTF-8.

    Raises:
        TextError: it is not a string, or holds half of a surrogate pair.
    """
    if not isinstance(text, str):
        raise TextError(f"a text or word is a string, got {text!r:.40}; give strings, e.g. with str() or .decode()")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TextError(
            f"a text must be Unicode, got half of a surrogate pair at character {error.start} of {text[:40]!a}; "
            "read it as UTF-8"
        ) from error


def strip_html_and_punctuation(text: str) -> str:
    """Lower case, `<br />` becomes a space, ASCII punctuation is deleted.

    The standardisation of TensorFlow's warm-start tutorial. Only ASCII letters are lowered; `<br/>` and `<br  />` are
    not line breaks and become `br`.

    Raises:
        TextError: the text is not a string, or holds half of a surrogate pair.
    """
    stripped = encoded(text).lower().replace(_LINE_BREAK, b" ").translate(None, _PUNCTUATION)
    return stripped.decode()


def _lower_and_strip_punctuation(text: bytes) -> bytes:
    return text.translate(_LOWER, _PUNCTUATION)


def _strip_punctuation(text: bytes) -> bytes:
    return text.translate(None, _PUNCTUATION)


STANDARDIZERS: dict[str, Callable[[bytes], bytes]] = {
    "lower_and_strip_punctuation": _lower_and_strip_punctuation,
    "lower": bytes.lower,
    "strip_punctuation": _strip_punctuation,
}
