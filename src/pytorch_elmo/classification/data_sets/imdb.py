"""The Large Movie Review Dataset (Maas et al. 2011) from its folder or archive."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pytorch_elmo.classification.data_sets.labelled import make_dataset
from pytorch_elmo.errors import TextError
from pytorch_elmo.text.archives import is_archive, read_members
from pytorch_elmo.text.lines import InputFile, read_errors

if TYPE_CHECKING:
    from datasets import Dataset

IMDB_CLASSES = ("neg", "pos")
IMDB_PARTS = ("train", "test")
REVIEWS_PER_FOLDER = 12_500
_NAME = re.compile(r"\d+_(?P<stars>\d+)\.txt")


class _Review(NamedTuple):
    """`file` is `pos/0_9.txt`."""

    file: str
    text: str
    stars: int


def read_imdb(
    source: str | Path, *, reviews_per_folder: int | None = REVIEWS_PER_FOLDER
) -> tuple["Dataset", "Dataset"]:
    """The two labelled parts; `train/unsup` is passed over.

    Args:
        source: the folder `aclImdb`, or the published tar file, compressed in any way; nothing is unpacked to the
            disk.
        reviews_per_folder: what each of the four folders must hold; None: at least one review.

    Returns:
        Train and test, each with the columns `text` (as it is, with `<br />`), `label` (neg 0, pos 1), `stars` (1 to
        10) and `file` (`pos/0_9.txt`), in the order of Keras' `text_dataset_from_directory` before it shuffles:
        `neg` before `pos`, names as strings.

    Raises:
        TextError: the source cannot be read, is not UTF-8 or not complete, or a member's path leads out of it.
    """
    file = InputFile(Path(source), str(source))
    reviews: dict[str, dict[str, _Review]] = {part: {} for part in IMDB_PARTS}
    for path, name, content in _archive_files(file) if is_archive(file) else _folder_files(file):
        part, folder, review = path.parts[-3:] if len(path.parts) > 2 else ("", "", "")
        match = _NAME.fullmatch(review)
        if match and part in IMDB_PARTS and folder in IMDB_CLASSES:
            key = f"{folder}/{review}"
            reviews[part][key] = _Review(key, _decoded(content, name), int(match["stars"]))
    _check_counts(file.name, reviews, reviews_per_folder)
    train, test = (_dataset([part[key] for key in sorted(part)]) for part in reviews.values())
    return train, test


def _dataset(reviews: list[_Review]) -> "Dataset":
    rows = ((review.text, IMDB_CLASSES.index(review.file.partition("/")[0])) for review in reviews)
    files = [review.file for review in reviews]
    return make_dataset(rows, IMDB_CLASSES, stars=[review.stars for review in reviews], file=files)


def _folder_files(file: InputFile) -> Iterator[tuple[PurePosixPath, str, bytes]]:
    for part in IMDB_PARTS:
        for folder in IMDB_CLASSES:
            for path in sorted((file.path / part / folder).glob("*.txt")):
                with read_errors(str(path)):
                    yield PurePosixPath(part, folder, path.name), str(path), path.read_bytes()


def _archive_files(file: InputFile) -> Iterator[tuple[PurePosixPath, str, bytes]]:
    for member in read_members(file):
        path = PurePosixPath(member.name.removeprefix(f"{file.name}, member "))
        if path.is_absolute() or ".." in path.parts:
            raise TextError(f"{file.name}: member {path} leads out of the archive; fetch the published one")
        if path.suffix == ".txt" and member.stream is not None:
            yield path, member.name, member.stream.read()


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(f"{name}: not UTF-8 at byte {error.start + 1}; convert the file to UTF-8") from error


def _check_counts(name: str, reviews: dict[str, dict[str, _Review]], expected: int | None) -> None:
    counts = {
        f"{part}/{folder}": sum(file.startswith(f"{folder}/") for file in reviews[part])
        for part in IMDB_PARTS
        for folder in IMDB_CLASSES
    }
    if any(count != expected if expected is not None else not count for count in counts.values()):
        needed = "at least one review" if expected is None else f"{expected:,} reviews"
        found = ", ".join(f"{folder} {count:,}" for folder, count in counts.items())
        raise TextError(f"{name}: {needed} NUMBER_STARS.txt are needed in each folder, got {found}; unpack it again")
