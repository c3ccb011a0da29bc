"""The text embeddings that come with the package, by name."""

from pathlib import Path

TEXT_EMBEDDINGS = ("swivel-20", "swivel-100", "swivel-science-128")


def text_embedding_folder(name_or_folder: str | Path) -> Path:
    """The folder of a text embedding.

    Args:
        name_or_folder: one of `TEXT_EMBEDDINGS`, else a folder (`./swivel-20`, or a `Path`, for one of such a name).
    """
    if isinstance(name_or_folder, str) and name_or_folder in TEXT_EMBEDDINGS:
        return Path(__file__).parent / name_or_folder
    return Path(name_or_folder)
