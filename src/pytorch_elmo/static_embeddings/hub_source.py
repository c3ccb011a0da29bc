"""Where a SavedModel comes from: a folder, an archive of one, or the address of such an archive."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, WeightsError
from pytorch_elmo.formats.saved_model import GRAPHS_FILE
from pytorch_elmo.formats.tar_archive import unpack_archive
from pytorch_elmo.pretrained.catalog import PublishedFile
from pytorch_elmo.pretrained.checked_file import fetch_checked
from pytorch_elmo.pretrained.download import check_file
from pytorch_elmo.pretrained.fetch import check_sha256
from pytorch_elmo.progress import Progress


@contextmanager
def hub_folder(source: str | Path, *, sha256: str | None, progress: Progress | None) -> Iterator[Path]:
    """The folder of a model, for as long as the block lasts; arguments and errors as of `from_saved_model`."""
    if "://" in str(source):
        archive = fetch_checked(str(source), sha256, progress=progress)
    elif Path(source).is_dir():
        if sha256 is not None:
            raise ConfigurationError(f"a sha256 is that of an archive, {source} is a folder; leave it out")
        yield Path(source)
        return
    else:
        archive = _local_archive(Path(source), sha256)
    with tempfile.TemporaryDirectory() as folder:
        unpack_archive(archive, Path(folder))
        model = _model_in(Path(folder), source)
        try:
            yield model
        except PytorchElmoError as error:  # which names files that are about to go
            raise type(error)(str(error).replace(str(model), str(source))) from error


def _local_archive(archive: Path, sha256: str | None) -> Path:
    check_sha256(sha256)
    if not archive.is_file():
        raise WeightsError(
            f"a model must be a folder, a .tar.gz file or an address with ://, {archive} is none; name what is there"
        )
    check_file(archive, PublishedFile(url="", sha256=sha256), trusted_sha256=None, where=str(archive))
    return archive


def _model_in(folder: Path, source: str | Path) -> Path:
    """An archive holds the files of a model, or one folder with these."""
    found = [path.parent for path in (folder / GRAPHS_FILE, *folder.glob(f"*/{GRAPHS_FILE}")) if path.is_file()]
    if len(found) != 1:
        raise WeightsError(f"an archive must hold one {GRAPHS_FILE}, {source} holds {len(found)}; name another")
    return found[0]
