"""From the name of a model, or a folder, to its files on this machine; the network is asked once in a model's life.

Downloads are kept in a cache folder, one folder a model, `PYTORCH_ELMO_CACHE` or the platform's own. Beside the files
stands `sha256.json`, written last, with what each file was when it came; from then on they must stay that.

`PYTORCH_ELMO_MIRROR` names another server for the same files: the address of a folder (http, https or file) that
stands in for `https://allennlp.s3.amazonaws.com/models/elmo/`, with the same names below it.
"""

import difflib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytorch_elmo.errors import ConfigurationError, DownloadError
from pytorch_elmo.files import whole_file
from pytorch_elmo.pretrained.catalog import DEFAULT, MODELS, PUBLISHER, PublishedFile
from pytorch_elmo.pretrained.download import check_file, download
from pytorch_elmo.pretrained.model_files import (
    BILM_FILE,
    OPTIONS_FILE,
    WEIGHT_FILE,
    ModelFiles,
    files_in_folder,
)
from pytorch_elmo.progress import Progress, SilentProgress

CACHE_VARIABLE = "PYTORCH_ELMO_CACHE"
MIRROR_VARIABLE = "PYTORCH_ELMO_MIRROR"
_PACKAGED = Path(__file__).parent / DEFAULT
_PINS_FILE = "sha256.json"
_SHA256 = re.compile("[0-9a-f]{64}")

Files = dict[str, PublishedFile]  # by their names in the cache
Pins = dict[str, str]  # sha256 by the same names


def resolve(
    name_or_folder: str | Path,
    *,
    progress: Progress | None = None,
    sha256: str | None = None,
    trust_first_download: bool = False,
) -> ModelFiles:
    """The files of a model, fetched if they are not here yet.

    Args:
        name_or_folder: a name in `MODELS`, else a folder (`./small` or a `Path` for one with a model's name).
        progress: hears bytes fetched.
        sha256: what the weight file of a named model must have. Of its options file nothing need be known: it is
            recorded when it comes, and its shapes must fit the weights.
        trust_first_download: fetch a model of which no sha256 is known, record what came, and check it ever after.

    Raises:
        DownloadError: no such model, no model in the folder, or its files cannot be fetched or trusted.
        ConfigurationError: the sha256 is not one, or the model is not one that is fetched.
    """
    check_sha256(sha256)
    if isinstance(name_or_folder, str) and name_or_folder in MODELS and name_or_folder != DEFAULT:
        return _published_model(name_or_folder, progress or SilentProgress(), sha256, trust_first_download)
    if sha256 is not None:
        raise ConfigurationError(
            f"a sha256 is asked of a model that is fetched by its name, {str(name_or_folder)!r} is not; leave it out"
        )
    return _model_in_package() if name_or_folder == DEFAULT else _model_in_folder(name_or_folder)


def check_sha256(sha256: str | None) -> None:
    """See that a sha256, where there is one, is one.

    Raises:
        ConfigurationError: it is not.
    """
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise ConfigurationError(f"a sha256 is 64 digits of 0-9 and a-f, got {sha256!r}; print it with sha256sum")


def cache_folder() -> Path:
    """Where downloads are kept."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("pytorch-elmo"))


def is_cached(name: str) -> bool:
    """Whether a model of `MODELS` is on this machine; the one in the package always is."""
    return name == DEFAULT or (cache_folder() / name / _PINS_FILE).is_file()


def files_here(name: str) -> ModelFiles | None:
    """The files of a model of `MODELS`, not checked; None if it is not on this machine."""
    if name == DEFAULT:
        return _model_in_package()
    return _cached_model(name) if is_cached(name) else None


def bytes_begun(name: str) -> int:
    """How much has come of a model of `MODELS` whose download was cut off."""
    return sum(path.stat().st_size for path in (cache_folder() / name).glob("*.partial"))


def _cached_model(name: str) -> ModelFiles:
    folder = cache_folder() / name
    return ModelFiles(name=name, folder=folder, options=folder / OPTIONS_FILE, weights=folder / WEIGHT_FILE)


def _model_in_folder(name_or_folder: str | Path) -> ModelFiles:
    folder = Path(name_or_folder)
    if folder.is_dir():
        return files_in_folder(folder, name=str(name_or_folder))
    near = difflib.get_close_matches(str(name_or_folder), MODELS, n=2)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise DownloadError(f"no model or folder is called {str(name_or_folder)!r}; {hint}models are {', '.join(MODELS)}")


def _model_in_package() -> ModelFiles:
    if not (_PACKAGED / BILM_FILE).is_file():
        raise DownloadError(f"the package lacks its own model, {_PACKAGED / BILM_FILE}; install pytorch-elmo anew")
    return files_in_folder(_PACKAGED, name=DEFAULT)


def _published_model(name: str, progress: Progress, sha256: str | None, trust_first_download: bool) -> ModelFiles:
    entry, folder = MODELS[name], cache_folder() / name
    assert entry.options is not None
    assert entry.weights is not None
    files = {OPTIONS_FILE: entry.options, WEIGHT_FILE: entry.weights}
    if not is_cached(name):
        if not (entry.weights.is_known or trust_first_download or sha256):
            raise DownloadError(
                f"{name}: its sha256 is not known, so that a download cannot be checked; fetch it once with `elmo "
                f"models {name}` and --sha256 HEX, which its weight file must have, or --trust-first-download, which "
                f"records what comes and checks it ever after, or use the model in the package, {DEFAULT!r}"
            )
        with _ways_to_go_on(name, files):
            _fetch(name, folder, files, progress, sha256)
    _check_cached(name, folder, files, sha256)
    return _cached_model(name)


def _fetch(name: str, folder: Path, files: Files, progress: Progress, sha256: str | None) -> None:
    """Download a model, unless another process has done it by the time that it is our turn."""
    folder.mkdir(parents=True, exist_ok=True)
    with only_process(folder, progress):
        if is_cached(name):
            return
        for leftover in folder.glob(".*.partial"):  # of a process that was killed
            leftover.unlink()
        pins: Pins = {}
        for file_name, known in files.items():
            trusted = sha256 if file_name == WEIGHT_FILE else None
            target = folder / file_name
            pins[file_name] = download(_address(known), target, known, trusted_sha256=trusted, progress=progress)
            if not known.is_known:
                progress.note(f"{name}: {file_name} has sha256 {pins[file_name]}; it must keep it from now on")
        with whole_file(folder / _PINS_FILE) as partial:
            partial.write_text(json.dumps(pins, indent=2), encoding="utf-8")


def _address(file: PublishedFile) -> str:
    mirror = os.environ.get(MIRROR_VARIABLE)
    return f"{mirror.rstrip('/')}/{file.url.removeprefix(PUBLISHER)}" if mirror else file.url


@contextmanager
def only_process(folder: Path, progress: Progress) -> Iterator[None]:
    """Be the one process that changes `folder`; another one is waited for."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.note(f"another process fetches {folder.name}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _ways_to_go_on(name: str, files: Files) -> Iterator[None]:
    """End what went wrong with the ways that are left."""
    try:
        yield
    except DownloadError as error:
        addresses = " and ".join(file.url for file in files.values())
        raise DownloadError(
            f"{name} could not be fetched: {error}; (1) download {addresses} by hand and name their folder, or the "
            f"two with --options-file and --weight-file, (2) set {MIRROR_VARIABLE} to a copy of {PUBLISHER}, or "
            f"(3) use the model in the package, {DEFAULT!r}"
        ) from error
    except OSError as error:
        raise DownloadError(
            f"{name} could not be kept in {cache_folder()}: {error.strerror or error}; set {CACHE_VARIABLE} to a "
            f"folder with room, or use the model in the package, {DEFAULT!r}"
        ) from error


def _check_cached(name: str, folder: Path, files: Files, sha256: str | None) -> None:
    """Refuse files that are not what came, or not what is asked for now."""
    advice = f"remove {folder} to fetch {name} anew"
    try:
        pins = json.loads((folder / _PINS_FILE).read_text(encoding="utf-8"))
        for file_name, known in files.items():
            path = folder / file_name
            found = check_file(path, known, trusted_sha256=pins[file_name], where=str(path))
            if file_name == WEIGHT_FILE and sha256 is not None and found != sha256:
                raise DownloadError(f"{path}: the file must have sha256 {sha256}, it has {found}")
    except DownloadError as error:
        raise DownloadError(f"{error}; {advice}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DownloadError(f"{folder} is not as it was left ({error}); {advice}") from error
