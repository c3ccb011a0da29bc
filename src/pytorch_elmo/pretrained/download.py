"""One file from the network to its place, whole and checked, or not at all; what was cut off is gone on with."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from pytorch_elmo.errors import DownloadError
from pytorch_elmo.files import sha256_of
from pytorch_elmo.pretrained.catalog import PublishedFile
from pytorch_elmo.pretrained.partial import Origin, PartialFile
from pytorch_elmo.progress import Progress

TIMEOUT = 20.0  # seconds for one of the server's addresses to answer, and then without a byte
PAUSES = (1.0, 4.0, 15.0)  # seconds before asking again, as long as nothing more comes
_BLOCK = 1 << 20
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE, _TOO_MANY_REQUESTS = 206, 416, 429
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class _NetworkError(Exception):
    """What went wrong between here and the server; `is_passing` if it may be over in a moment."""

    def __init__(self, reason: str, *, is_passing: bool) -> None:
        super().__init__(reason)
        self.is_passing = is_passing


def download(url: str, target: Path, known: PublishedFile, *, trusted_sha256: str | None, progress: Progress) -> str:
    """Fetch `url` to `target`; a server that is busy or breaks off is asked again, `PAUSES` apart.

    What had come is kept, if the server names the file's version and length, and the next attempt asks for the rest
    alone (RFC 9110, section 14), in this call or in a later process. The whole is checked in any case.

    Args:
        url: where `known` is to be had, its own address or a mirror's.
        target: the file appears there only if it passes `check_file`; one process at a time.
        known: what the file must be.
        trusted_sha256: a further sha256 that it must have, None for none.
        progress: hears bytes.

    Returns:
        The file's sha256.

    Raises:
        DownloadError: the server cannot be reached, refuses, or gives something else.
        OSError: the file cannot be written.
    """
    partial = PartialFile(target)
    _receive_patiently(url, partial, progress)
    try:
        sha256 = check_file(partial.path, known, trusted_sha256=trusted_sha256, where=url)
    except DownloadError:
        partial.remove()
        raise
    partial.finish()
    return sha256


def check_file(path: Path, known: PublishedFile, *, trusted_sha256: str | None, where: str) -> str:
    """The sha256 of a file that is what it must be.

    Args:
        path: the file.
        known: its size, sha256 and content, each checked where it is known.
        trusted_sha256: a further sha256 that it must have, None for none.
        where: how the message names the file.

    Raises:
        DownloadError: it is something else.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if known.size is not None and size != known.size:
        raise DownloadError(f"{where}: the file must have {known.size} bytes, it has {size}")
    sha256 = sha256_of(path)
    for expected in (known.sha256, trusted_sha256):
        if expected is not None and sha256 != expected:
            raise DownloadError(f"{where}: the file must have sha256 {expected}, it has {sha256}")
    if known.content is not None and _json_in(path) != known.content:
        raise DownloadError(f"{where}: the file must hold the options of the model, it holds something else")
    return sha256


def _json_in(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except ValueError:  # not JSON, hence not the content either
        return None


def _receive_patiently(url: str, partial: PartialFile, progress: Progress) -> None:
    pauses, furthest = iter(PAUSES), partial.size
    while True:
        try:
            return _receive(url, partial, progress)
        except _NetworkError as error:
            if partial.origin(url) is None:
                partial.remove()  # nobody could go on with it
            if partial.size > furthest:
                pauses, furthest = iter(PAUSES), partial.size
            pause = next(pauses, None)
            if pause is None or not error.is_passing:
                kept = f"; its first {partial.size} bytes are kept for the next attempt" if partial.size else ""
                raise DownloadError(f"{url}: {error}{kept}") from error
            progress.note(f"{url}: {error}; trying again in {pause:g} s")
            time.sleep(pause)


def _receive(url: str, partial: PartialFile, progress: Progress) -> None:
    """Bring `partial` to its end."""
    here = partial.origin(url)
    if here is not None and here.size == partial.size:
        return
    with _network_errors():
        response, done = _ask(url, partial)
    with response:
        if here is not None and done:
            total: int | None = here.size
            progress.note(f"{url}: going on after {done} of {total} bytes")
        else:
            total, version = _length(response.headers), _version(response.headers)
            partial.begin(Origin(url=url, size=total, version=version) if total and version else None)
        progress.start(total=total, unit="B", done=done, label=f"fetching {url.rpartition('/')[2]}")
        try:
            with partial.path.open("ab") as out:
                while block := _read(response):
                    out.write(block)
                    done += len(block)
                    progress.advance(len(block))
        finally:
            progress.finish()
    if total is not None and done != total:
        raise _NetworkError(f"the server broke off after {done} of {total} bytes", is_passing=True)


def _ask(url: str, partial: PartialFile) -> tuple[Any, int]:
    """The server's answer, and after how many bytes of the file it begins: those in `partial`, or none."""
    here, done = partial.origin(url), partial.size
    rest = {} if here is None else {"Range": f"bytes={done}-", "If-Range": here.version}
    try:
        response = urlopen(Request(url, headers=rest), timeout=TIMEOUT)
    except HTTPError as error:
        if here is None or error.code != _RANGE_NOT_SATISFIABLE:
            raise
        error.close()
    else:
        if here is None or response.status != _PARTIAL_CONTENT:
            return response, 0
        if _goes_on(response.headers, here, done):
            return response, done
        response.close()
    partial.remove()  # the server has another file now, or other parts of it than the one asked for
    return _ask(url, partial)


def _goes_on(headers: Message, here: Origin, done: int) -> bool:
    """Whether an answer is the rest of the file whose first `done` bytes are here."""
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if found is None or _version(headers) not in (None, here.version):
        return False
    first, last, size = map(int, found.groups())
    return (first, last, size) == (done, here.size - 1, here.size)


def _version(headers: Message) -> str | None:
    tag = headers.get("ETag", "W/")
    return headers.get("Last-Modified") if tag.startswith("W/") else tag  # weak ones do not promise equal bytes


def _length(headers: Message) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _read(response: Any) -> bytes:
    with _network_errors():
        block: bytes = response.read1(
            _BLOCK
        )  # what is there; waiting for more would lose it when the server breaks off
        return block


@contextmanager
def _network_errors() -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        error.close()
        is_passing = error.code >= 500 or error.code == _TOO_MANY_REQUESTS
        raise _NetworkError(f"the server answers {error.code} {error.reason}", is_passing=is_passing) from error
    except URLError as error:
        if isinstance(error.reason, TimeoutError):  # once is enough: a server may have many addresses
            raise _NetworkError(f"no connection within {TIMEOUT:g} s an address", is_passing=False) from error
        raise _NetworkError(str(error.reason), is_passing=isinstance(error.reason, ConnectionResetError)) from error
    except (OSError, HTTPException) as error:
        raise _NetworkError(str(error) or type(error).__name__, is_passing=True) from error
    except ValueError as error:  # not an address
        raise _NetworkError(str(error), is_passing=False) from error
