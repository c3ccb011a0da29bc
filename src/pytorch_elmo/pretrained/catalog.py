"""The models that have a name, where their files were published, and what is known of each file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT = "default"
PUBLISHER = "https://allennlp.s3.amazonaws.com/models/elmo/"  # what a mirror stands in for

_UNRESTRICTED = "none named; the publisher imposes no restrictions (github.com/allenai/allennlp/issues/1462)"
_NOT_STATED = "not stated by its contributors"


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file to download, and what it must be.

    Attributes:
        url: its published address.
        size: bytes, where known.
        sha256: of its bytes, 64 hexadecimal digits, where known.
        content: what the JSON in it says, where that is known and the bytes are not.
    """

    url: str
    size: int | None = None
    sha256: str | None = None
    content: Mapping[str, Any] | None = None

    @property
    def is_known(self) -> bool:
        """Whether a download can be checked."""
        return self.sha256 is not None or self.content is not None


@dataclass(frozen=True, kw_only=True)
class CatalogEntry:
    """A named model.

    Attributes:
        description: what it was trained on.
        licence: of the parameters.
        cell_size, projection_size: of its LSTM layers, where known; a vector has 2 · projection_size numbers.
        num_parameters: of the biLM, where known.
        options, weights: AllenNLP's two files; None for the model in the package.
    """

    description: str
    licence: str
    cell_size: int | None = None
    projection_size: int | None = None
    num_parameters: int | None = None
    options: PublishedFile | None = None
    weights: PublishedFile | None = None


def _options_of(cell_size: int, projection_size: int, num_highway_layers: int) -> dict[str, Any]:
    """The options file of a model that AllenNLP published."""
    return {
        "lstm": {
            "use_skip_connections": True,
            "projection_dim": projection_size,
            "cell_clip": 3,
            "proj_clip": 3,
            "dim": cell_size,
            "n_layers": 2,
        },
        "char_cnn": {
            "activation": "relu",
            "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
            "n_highway": num_highway_layers,
            "embedding": {"dim": 16},
            "n_characters": 262,
            "max_characters_per_token": 50,
        },
    }


def _files(stem: str) -> tuple[str, str]:
    return f"{PUBLISHER}{stem}/elmo_{stem}_options.json", f"{PUBLISHER}{stem}/elmo_{stem}_weights.hdf5"


_SMALL_OPTIONS, _SMALL_WEIGHTS = _files("2x1024_128_2048cnn_1xhighway")
_MEDIUM_OPTIONS, _MEDIUM_WEIGHTS = _files("2x2048_256_2048cnn_1xhighway")
_ORIGINAL_OPTIONS, _ORIGINAL_WEIGHTS = _files("2x4096_512_2048cnn_2xhighway")
_LARGE_OPTIONS, _LARGE_WEIGHTS = _files("2x4096_512_2048cnn_2xhighway_5.5B")
_PUBMED = f"{PUBLISHER}contributed/pubmed/elmo_2x4096_512_2048cnn_2xhighway_"

MODELS: dict[str, CatalogEntry] = {
    DEFAULT: CatalogEntry(
        description="English; comes with the package and needs no download",
        licence="in the folder of the model, beside its files",
    ),
    "small": CatalogEntry(
        description="English, 1 Billion Word Benchmark (Peters et al. 2018)",
        licence=_UNRESTRICTED,
        cell_size=1024,
        projection_size=128,
        num_parameters=13_593_296,
        options=PublishedFile(
            url=_SMALL_OPTIONS,
            size=336,
            sha256="a4c98640bf8a0aa37d5f4c8135dcb72d615eb065c47582e1c317a2241812d664",
        ),
        weights=PublishedFile(
            url=_SMALL_WEIGHTS,
            size=54_402_456,
            sha256="747ba97abce8a5f446558369e10bb0f7931437a46867476fdd156f5d7f576229",
        ),
    ),
    "medium": CatalogEntry(
        description="English, 1 Billion Word Benchmark (Peters et al. 2018)",
        licence=_UNRESTRICTED,
        cell_size=2048,
        projection_size=256,
        num_parameters=28_027_728,
        options=PublishedFile(url=_MEDIUM_OPTIONS),
        weights=PublishedFile(url=_MEDIUM_WEIGHTS),
    ),
    "original": CatalogEntry(
        description="English, 1 Billion Word Benchmark; the model of the paper (Peters et al. 2018)",
        licence=_UNRESTRICTED,
        cell_size=4096,
        projection_size=512,
        num_parameters=93_600_848,
        options=PublishedFile(url=_ORIGINAL_OPTIONS, content=_options_of(4096, 512, 2)),
        weights=PublishedFile(
            url=_ORIGINAL_WEIGHTS,
            size=374_434_792,
            sha256="a6b92b9ccbb13fe489faacd2221c795d4bebe84b75f8aded9d85ea464fa5c994",
        ),
    ),
    "original-5.5b": CatalogEntry(
        description="English, 5.5 billion tokens of Wikipedia and news crawl; the authors' advice",
        licence=_UNRESTRICTED,
        cell_size=4096,
        projection_size=512,
        num_parameters=93_600_848,
        options=PublishedFile(url=_LARGE_OPTIONS),
        weights=PublishedFile(url=_LARGE_WEIGHTS),
    ),
    "pt-wikipedia": CatalogEntry(
        description="Portuguese, Wikipedia",
        licence=_NOT_STATED,
        options=PublishedFile(url=f"{PUBLISHER}contributed/pt/wikipedia/options.json"),
        weights=PublishedFile(url=f"{PUBLISHER}contributed/pt/wikipedia/elmo_pt_weights.hdf5"),
    ),
    "pt-brwac": CatalogEntry(
        description="Portuguese, the brWaC web corpus",
        licence=_NOT_STATED,
        options=PublishedFile(url=f"{PUBLISHER}contributed/pt/brwac/options.json"),
        weights=PublishedFile(url=f"{PUBLISHER}contributed/pt/brwac/elmo_pt_weights_dgx1.hdf5"),
    ),
    "pubmed": CatalogEntry(
        description="English, PubMed",
        licence=_NOT_STATED,
        cell_size=4096,
        projection_size=512,
        num_parameters=93_600_848,
        options=PublishedFile(url=f"{_PUBMED}options.json"),
        weights=PublishedFile(url=f"{_PUBMED}weights_PubMed_only.hdf5"),
    ),
}
