"""A file with an address and a sha256 but no name in the catalogue: fetched once, kept, and checked ever after."""

from pathlib import Path

from pytorch_elmo.errors import DownloadError
from pytorch_elmo.pretrained.catalog import PublishedFile
from pytorch_elmo.pretrained.download import check_file, download
from pytorch_elmo.pretrained.fetch import CACHE_VARIABLE, cache_folder, check_sha256, only_process
from pytorch_elmo.progress import Progress, SilentProgress

_FOLDER = "files"


def fetch_checked(url: str, sha256: str | None, *, progress: Progress | None = None) -> Path:
    """Where a file is on this machine; the network is asked if it is not here yet.

    Args:
        url: its address.
        sha256: 64 hexadecimal digits, which name it in the cache folder too, whatever its address.
        progress: hears bytes fetched.

    Raises:
        DownloadError: no sha256 is given, or the file cannot be had, or has another one.
        ConfigurationError: the sha256 is not one.
    """
    if sha256 is None:
        raise DownloadError(
            f"a file from the network must be checked, {url} came without its sha256; give the one that its "
            "publisher names, or that sha256sum prints for a copy that you trust"
        )
    check_sha256(sha256)
    progress = progress or SilentProgress()
    target, known = cache_folder() / _FOLDER / sha256, PublishedFile(url=url, sha256=sha256)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with only_process(target.parent, progress):
            if not target.is_file():
                download(url, target, known, trusted_sha256=None, progress=progress)
        _check_cached(target, known)
    except OSError as error:
        raise DownloadError(
            f"{url} could not be kept in {target.parent}: {error.strerror or error}; set {CACHE_VARIABLE} to a "
            "folder with room"
        ) from error
    return target


def _check_cached(target: Path, known: PublishedFile) -> None:
    try:
        check_file(target, known, trusted_sha256=None, where=str(target))
    except DownloadError as error:
        raise DownloadError(f"{error}; remove it to fetch it anew") from error
