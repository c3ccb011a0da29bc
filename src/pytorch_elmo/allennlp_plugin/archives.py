"""Archives of AllenNLP 0.9 and 2.x: unpacked with care, whole, of a known version, and read as tensors alone."""

import json
import logging
import lzma
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from os import PathLike
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from torch import Tensor

from pytorch_elmo.allennlp_plugin.import_hooks import Mend
from pytorch_elmo.allennlp_plugin.legacy_archived_files import check_elmo_files
from pytorch_elmo.allennlp_plugin.legacy_loading import mend_now
from pytorch_elmo.allennlp_plugin.legacy_weights import accept_old_names, read_tensors, select
from pytorch_elmo.errors import ConfigurationError, WeightsError

logger = logging.getLogger(__name__)

_NEEDED = ("config.json", "weights.th", "vocabulary")
_META = "meta.json"
_NEWEST_MAJOR = 2
_BLOCK = 1 << 20
_MOVED_IN_MODELS = {
    "coref": {"_mention_pruner._scorer.0.": "_mention_feedforward.", "_mention_pruner._scorer.1.": "_mention_scorer."}
}
_CUT_OFF = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, BadGzipFile)


def unpack(archive_file: str | PathLike[str], folder: Path) -> None:
    """Write an archive's files into `folder`: contents alone, no modes, owners or links.

    Raises:
        WeightsError: a member that leaves the folder, a link, a device, an archive that is cut off or lacks a part.
        ConfigurationError: written by a version of AllenNLP that is not known.
    """
    try:
        with tarfile.open(archive_file, "r:*") as archive:
            for member in archive:
                _unpack_member(archive, member, folder)
            _read_to_the_end(archive)
    except _CUT_OFF as error:
        reason = str(error).partition("\n")[0].rstrip(":") or type(error).__name__
        raise WeightsError(
            f"an archive must be a whole .tar.gz file, {archive_file} is cut off or none: {reason}; get it again"
        ) from error
    missing = [name for name in _NEEDED if not (folder / name).exists()]
    if missing:
        raise WeightsError(
            f"an archive must have {', '.join(_NEEDED)}, {archive_file} lacks {', '.join(missing)}; get it again"
        )
    check_version(folder, archive_file)


def _read_to_the_end(archive: tarfile.TarFile) -> None:
    """The check sum of a `.gz` file is its end, which the last member does not need."""
    while archive.fileobj is not None and archive.fileobj.read(_BLOCK):
        pass


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or "\0" in member.name:
        raise WeightsError(f"an archive's members must stay in its folder, {member.name!r} does not; do not trust it")
    if not (member.isfile() or member.isdir()):
        raise WeightsError(
            f"an archive must hold files and folders only, {member.name!r} is a link or a device; do not trust it"
        )
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member)
    assert content is not None  # it is a file
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def check_version(folder: Path, archive_file: object) -> None:
    """0.9 wrote no version; 1.x and 2.x can be read.

    Raises:
        ConfigurationError: any other.
    """
    path = folder / _META
    if not path.exists():
        return
    try:
        version = json.loads(path.read_text("utf-8"))["version"]
    except (ValueError, KeyError, TypeError):
        version = None
    found = re.match(r"(\d+)\.\d+", version) if isinstance(version, str) else None
    if found is None or int(found[1]) > _NEWEST_MAJOR:
        raise ConfigurationError(
            f"an archive must come from AllenNLP 0.9, 1.x or 2.x, {archive_file} says version {version!r}; "
            "export the model again with one of these"
        )


@contextmanager
def extracted_archive(resolved_archive_file: str | PathLike[str], cleanup: bool = True) -> Iterator[str]:
    """AllenNLP's function of the same name over `unpack`: a new folder, removed at the end unless `cleanup` is false.

    After an error it is removed in any case.
    """
    folder = tempfile.mkdtemp()
    logger.info("extracting archive file %s to temp dir %s", resolved_archive_file, folder)
    try:
        unpack(resolved_archive_file, Path(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        yield folder
    finally:
        if cleanup:
            shutil.rmtree(folder, ignore_errors=True)


def mend_archival(module: ModuleType) -> None:
    """`load_archive` unpacks by `tarfile.extractall`, compares versions as strings, and names no missing file."""
    if module.extracted_archive is extracted_archive:
        return
    load_model: Callable[..., Any] = module._load_model

    def _load_model(config: Any, weights_path: Any, serialization_dir: Any, cuda_device: int) -> Any:
        check_elmo_files(config.as_dict(quiet=True), "the archive")
        _mend_models(module.Model)
        return load_model(config, weights_path, serialization_dir, cuda_device)

    mended: Any = module
    mended.extracted_archive = extracted_archive
    mended._load_model = _load_model
    mended._check_version_compatibility = lambda *_: None  # `unpack` has looked; "2.9" is not newer than "2.10"


def _mend_models(model: Any) -> None:
    """Models whose parameters have other names since 0.9, as far as they are registered."""
    for name in _MOVED_IN_MODELS.keys() & set(model.list_available()):
        accept_old_names(model.by_name(name), _MOVED_IN_MODELS[name])


def mend_util(module: ModuleType) -> None:
    """`read_state_dict` leaves it to PyTorch's version whether the file is unpickled."""
    mended: Any = module

    def read_state_dict(
        path: str | PathLike[str],
        strip_prefix: str | None = None,
        ignore: list[str] | None = None,
        strict: bool = True,
        cuda_device: int = -1,
    ) -> dict[str, Tensor]:
        return select(read_tensors(path, module.device_mapping(cuda_device)), strip_prefix, ignore, strict)

    mended.read_state_dict = read_state_dict


def mend_augmented_lstm(module: ModuleType) -> None:
    """Since 1.0 the LSTM of `alternating_lstm` and its like keeps its parameters in a cell."""
    moved = {name: f"cell.{name}" for name in ("input_linearity.", "state_linearity.")}
    accept_old_names(module.AugmentedLstm, moved)


def mend_matrix_attention(module: ModuleType) -> None:
    """0.9 wrapped a similarity function, which held the parameters."""
    accept_old_names(module.MatrixAttention, {"_similarity_function.": ""})


def mend_attention(module: ModuleType) -> None:
    """The same for the attention of one vector."""
    accept_old_names(module.Attention, {"_similarity_function.": ""})


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Mend, ...]] = {
    "allennlp.nn.util": (mend_util,),
    "allennlp.models.archival": (mend_archival,),
    "allennlp.modules.attention.attention": (mend_attention,),
    "allennlp.modules.augmented_lstm": (mend_augmented_lstm,),
    "allennlp.modules.matrix_attention.matrix_attention": (mend_matrix_attention,),
}


def install() -> None:
    """Make AllenNLP load archives by this module's functions."""
    mend_now(MENDS)
