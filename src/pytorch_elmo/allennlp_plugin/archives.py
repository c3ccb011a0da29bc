"""Archives of AllenNLP 0.9 and 2.x in AllenNLP's own functions: unpacked with care and read as tensors alone."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from pytorch_elmo.allennlp_plugin.import_hooks import Mend
from pytorch_elmo.allennlp_plugin.legacy_archived_files import check_elmo_files
from pytorch_elmo.allennlp_plugin.legacy_loading import mend_now
from pytorch_elmo.allennlp_plugin.legacy_weights import accept_old_names, select
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.formats.allennlp_archive import unpack
from pytorch_elmo.formats.torch_file import read_tensors

logger = logging.getLogger(__name__)

_MOVED_IN_MODELS = {
    "coref": {"_mention_pruner._scorer.0.": "_mention_feedforward.", "_mention_pruner._scorer.1.": "_mention_scorer."}
}


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
        _check_for_gpu(cuda_device)
        check_elmo_files(config.as_dict(quiet=True), "the archive")
        _mend_models(module.Model)
        return load_model(config, weights_path, serialization_dir, cuda_device)

    mended: Any = module
    mended.extracted_archive = extracted_archive
    mended._load_model = _load_model
    mended._check_version_compatibility = lambda *_: None  # `unpack` has looked; "2.9" is not newer than "2.10"


def _check_for_gpu(cuda_device: int) -> None:
    if cuda_device >= torch.cuda.device_count():
        raise ConfigurationError(
            f"cuda_device must be the number of a GPU that torch finds, or -1 for the CPU, got {cuda_device} and "
            f"{torch.cuda.device_count()} GPUs; give --cuda-device -1"
        )


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
