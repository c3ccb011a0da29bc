"""The two files of a model as AllenNLP's users name them: by a path, or by the address of their publisher."""

from pathlib import Path

from pytorch_elmo.errors import DownloadError
from pytorch_elmo.pretrained.addresses import present_address
from pytorch_elmo.pretrained.catalog import MODELS
from pytorch_elmo.pretrained.fetch import resolve
from pytorch_elmo.progress import Progress

ORIGINAL = "original"  # the model that AllenNLP's classes take where none is named
ORIGINAL_OPTIONS = MODELS[ORIGINAL].options.url  # type: ignore[union-attr]
ORIGINAL_WEIGHTS = MODELS[ORIGINAL].weights.url  # type: ignore[union-attr]


def local_files(
    options_file: str | Path, weight_file: str | Path, *, progress: Progress | None = None
) -> tuple[Path, Path]:
    """Where an options file and a weight file are on this machine.

    The addresses of a published model stand for its name, so that its files come from this package's cache, by the
    mirror if one is set, and are checked. Other addresses, and files inside archives (`archive.tar.gz!file`), go
    through AllenNLP's `cached_path`.

    Args:
        options_file: a path or an address.
        weight_file: a path or an address.
        progress: hears bytes of a published model fetched.

    Raises:
        DownloadError: a file cannot be fetched or checked.
    """
    name = published_name(options_file, weight_file)
    if name is None:
        return _local_file(options_file), _local_file(weight_file)
    files = resolve(name, progress=progress)
    assert files.options is not None
    assert files.weights is not None
    return files.options, files.weights


def published_name(options_file: str | Path, weight_file: str | Path) -> str | None:
    """The name of the model that was published at these two addresses; None if they are not one model's."""
    asked = (present_address(options_file), present_address(weight_file))
    for name, entry in MODELS.items():
        if entry.options and entry.weights and asked == (entry.options.url, entry.weights.url):
            return name
    return None


def _local_file(file: str | Path) -> Path:
    """The path itself, for its reader to find fault with, unless it is something to fetch or to unpack."""
    path = Path(file).expanduser()
    if path.exists() or not ("://" in str(file) or "!" in str(file)):
        return path
    from allennlp.common.file_utils import cached_path

    try:
        return Path(cached_path(str(file), extract_archive="!" in str(file)))
    except (OSError, ValueError, ImportError) as error:  # requests' errors are OSErrors
        reason = str(error).partition("\n")[0]
        raise DownloadError(
            f"{file} could not be fetched: {reason}; download it by hand and name the copy, or name another file"
        ) from error
