"""Named models: what there is, and how each comes onto this machine once and checked."""

from pytorch_elmo.pretrained.catalog import DEFAULT, MODELS, CatalogEntry, PublishedFile
from pytorch_elmo.pretrained.fetch import bytes_begun, cache_folder, files_here, is_cached, resolve
from pytorch_elmo.pretrained.model_files import ModelFiles

__all__ = [
    "DEFAULT",
    "MODELS",
    "CatalogEntry",
    "ModelFiles",
    "PublishedFile",
    "bytes_begun",
    "cache_folder",
    "files_here",
    "is_cached",
    "resolve",
]
