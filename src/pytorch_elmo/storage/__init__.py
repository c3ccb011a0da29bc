"""Layer files: sentences' vectors on disk, written so that nothing is lost, read from any process."""

from pytorch_elmo.storage.beginning import refuse_existing_output
from pytorch_elmo.storage.job_files import partial_state
from pytorch_elmo.storage.manifest import Manifest
from pytorch_elmo.storage.reader import LayerFileReader
from pytorch_elmo.storage.verify import verify_layer_file
from pytorch_elmo.storage.writer import LayerFileWriter

__all__ = [
    "LayerFileReader",
    "LayerFileWriter",
    "Manifest",
    "partial_state",
    "refuse_existing_output",
    "verify_layer_file",
]
