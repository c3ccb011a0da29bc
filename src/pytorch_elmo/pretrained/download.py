"""One file from the network to its place, whole and checked, or not at all."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pytorch_elmo.errors import DownloadError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.pretrained.catalog import PublishedFile
from pytorch_elmo.progress import Progress

TIMEOUT = 30.0  # seconds without a byte
PAUSES = (1.0, 4.0, 15.0)  # seconds before the second, third and fourth attempt
_BLOCK = 1 << 20
_TOO_MANY_REQUESTS = 429


class _NetworkError(Exception):
    """What went wrong between here and the server; `is_passing` if it may be over in a moment."""

    def __init__(self, reason: str, *, is_passing: bool) -> None:
        super().__init__(reason)
        self.is_passing = is_passing


def download(url: str, target: Path, known: PublishedFile, *, trusted_sha256: str | None, progress: Progress) -> str:
    """Fetch `url` to `target`; a server that is busy or breaks off is asked again, `PAUSES` apart.

    Args:
        url: where `known` is to be had, its own address or a mirror's.
        target: the file appears there only if it passes `check_file`.
        known: what the file must be.
        trusted_sha256: a further sha256 that it must have, None for none.
        progress: hears bytes.

    Returns:
        The file's sha256.

    Raises:
        DownloadError: the server cannot be reached, refuses, or gives something else.
        OSError: the file cannot be written.
    """
    pauses = iter(PAUSES)
    while True:
        try:
            with whole_file(target) as partial:
                _receive(url, partial, progress)
                return check_file(partial, known, trusted_sha256=trusted_sha256, where=url)
        except _NetworkError as error:
            pause = next(pauses, None)
            if pause is None or not error.is_passing:
                raise DownloadError(f"{url}: {error}") from error
            progress.note(f"{url}: {error}; trying again in {pause:g} s")
            time.sleep(pause)


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


def _receive(url: str, path: Path, progress: Progress) -> None:
    with _network_errors(), urlopen(url, timeout=TIMEOUT) as response, path.open("wb") as out:
        length = response.headers.get("Content-Length")
        total = None if length is None else int(length)
        progress.start(total=total, unit="B", label=f"fetching {url.rpartition('/')[2]}")
        num_bytes = 0
        try:
            while block := response.read(_BLOCK):
                out.write(block)
                num_bytes += len(block)
                progress.advance(len(block))
        finally:
            progress.finish()
        if total is not None and num_bytes != total:
            raise ConnectionError(f"the server broke off after {num_bytes} of {total} bytes")


@contextmanager
def _network_errors() -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        error.close()
        is_passing = error.code >= 500 or error.code == _TOO_MANY_REQUESTS
        raise _NetworkError(f"the server answers {error.code} {error.reason}", is_passing=is_passing) from error
    except URLError as error:
        is_passing = isinstance(error.reason, TimeoutError | ConnectionResetError)
        raise _NetworkError(str(error.reason), is_passing=is_passing) from error
    except (TimeoutError, ConnectionError, SSLError, HTTPException) as error:
        raise _NetworkError(str(error) or type(error).__name__, is_passing=True) from error
    except ValueError as error:  # not an address
        raise _NetworkError(str(error), is_passing=False) from error
