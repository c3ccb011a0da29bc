"""The files of one model in a folder."""

from dataclasses import dataclass
from pathlib import Path

from pytorch_elmo.errors import DownloadError

BILM_FILE = "bilm.safetensors"
SOFTMAX_FILE = "softmax.safetensors"
OPTIONS_FILE = "options.json"
WEIGHT_FILE = "weights.hdf5"
VOCABULARY_FILE = "vocabulary.txt"


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """Where a model is: either `bilm`, or `options` and `weights`.

    Attributes:
        name: of the model, or the folder as it was given.
        folder: that holds the files.
        bilm: parameters and options in this package's own format.
        options, weights: AllenNLP's two files.
        softmax: output layer and vocabulary in this package's own format, if there.
        softmax_weights: output layer alone, in the authors' HDF5, if one is there.
    """

    name: str
    folder: Path
    bilm: Path | None = None
    options: Path | None = None
    weights: Path | None = None
    softmax: Path | None = None
    softmax_weights: Path | None = None

    @property
    def vocabulary(self) -> Path | None:
        """The words of `softmax_weights`, if they are beside it."""
        beside = self.folder / VOCABULARY_FILE
        return beside if self.softmax_weights is not None and beside.is_file() else None


def files_in_folder(folder: Path, *, name: str | None = None) -> ModelFiles:
    """The model in a folder.

    `bilm.safetensors` goes first; else one options file (`options.json` or `*options.json`) and one weight file
    (`weights.hdf5`, `*weights*.hdf5` or `model.hdf5`). A softmax is `softmax.safetensors` or `*softmax*.hdf5`.

    Raises:
        DownloadError: neither is there, or more than one of a kind.
    """
    name = name or str(folder)
    own_softmax, softmax_weights = folder / SOFTMAX_FILE, sorted(folder.glob("*softmax*.hdf5"))
    softmax = {
        "softmax": own_softmax if own_softmax.is_file() else None,
        "softmax_weights": softmax_weights[0] if len(softmax_weights) == 1 else None,
    }
    if (bilm := folder / BILM_FILE).is_file():
        return ModelFiles(name=name, folder=folder, bilm=bilm, **softmax)
    options = sorted(folder.glob(f"*{OPTIONS_FILE}"))
    weights = sorted({*folder.glob("*weights*.hdf5"), *folder.glob("model.hdf5")} - {*folder.glob("*softmax*")})
    if len(options) != 1 or len(weights) != 1:
        raise DownloadError(
            f"{folder} must hold {BILM_FILE}, or one options.json and one weights.hdf5; "
            f"found {_names(options, 'options file')} and {_names(weights, 'weight file')}; "
            "name the two with --options-file and --weight-file"
        )
    return ModelFiles(name=name, folder=folder, options=options[0], weights=weights[0], **softmax)


def _names(paths: list[Path], kind: str) -> str:
    return ", ".join(path.name for path in paths) or f"no {kind}"
