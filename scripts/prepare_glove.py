"""Place GloVe's word vectors where the configurations in configs/ look for them.

    python scripts/prepare_glove.py glove.6B.zip data/glove
    python scripts/prepare_glove.py glove.6B.zip data/glove --only 100d
    python scripts/prepare_glove.py my_vectors.txt data/glove/glove.6B.100d.txt.gz
    python scripts/prepare_glove.py swivel-100 data/glove/glove.6B.100d.txt.gz

SOURCE is a published zip file (glove.6B.zip, glove.840B.300d.zip) or one file of vectors, as it is or packed (.gz,
.xz), or a text embedding, in a folder or by name: swivel-100 stands in where GloVe's vectors cannot be had. OUT gets
a file NAME.txt.gz for each, or is the one file's new name. Every line must hold as many numbers as the first.
"""

import argparse
import gzip
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, TextError
from pytorch_elmo.files import whole_file
from pytorch_elmo.pretrained.text_embeddings import text_embedding_folder
from pytorch_elmo.static_embeddings import TextEmbedding
from pytorch_elmo.static_embeddings.vector_file import glove_lines
from pytorch_elmo.text.lines import InputFile, read_lines

ENDING = ".txt.gz"
_COMPRESSION = 6  # 1 writes files larger by a tenth, 9 takes four times as long


class Member(NamedTuple):
    """A file of vectors: its name without folders and without the ending of a packed file, and its lines."""

    name: str
    lines: Iterable[str]


class Size(NamedTuple):
    """How many words a file has, and how many numbers each."""

    words: int
    dimension: int


def read_members(source: Path, only: str) -> Iterator[Member]:
    """The files of vectors whose names have `only` in them, each to be read before the next is asked for.

    Raises:
        TextError: the source cannot be read.
        WeightsError: it is a folder without a text embedding.
    """
    if (folder := text_embedding_folder(str(source))).is_dir():
        if only in folder.name:
            embedding = TextEmbedding.load(folder)
            of_words = embedding.embedding_matrix[: len(embedding.vocabulary)]  # the buckets have no word
            yield Member(folder.name, glove_lines(embedding.vocabulary, of_words.tolist()))
        return
    if source.suffix != ".zip":
        file = InputFile(source, str(source))
        name = source.name.removesuffix(file.compression)
        if only in name:
            yield Member(name, read_lines(file, newline="\n"))
        return
    with _zip_errors(source), zipfile.ZipFile(source) as archive:
        for path in map(PurePosixPath, archive.namelist()):
            if path.suffix == ".txt" and only in path.name:
                yield Member(path.name, _unpacked(archive, str(path), source))


def _unpacked(archive: zipfile.ZipFile, name: str, source: Path) -> Iterator[str]:
    with _zip_errors(source), archive.open(name) as packed:
        for line in packed:
            yield line.decode("utf-8")


@contextmanager
def _zip_errors(source: Path) -> Iterator[None]:
    """Turn what is raised on a zip file that is missing or damaged into one line.

    Raises:
        TextError: it cannot be read.
    """
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise TextError(f"cannot unpack {source}: {error}; fetch it again") from error


def checked(member: Member) -> Iterator[str]:
    """The lines of a file, with what a line must be.

    Raises:
        TextError: a line has fewer numbers than the first.
    """
    dimension = 0
    for number, line in enumerate(member.lines, 1):
        fields = line.rstrip("\r\n").split(" ")
        dimension = dimension or len(fields) - 1
        numbers = fields[-dimension:]
        if dimension < 2 or len(fields) <= dimension or not all(map(_is_number, numbers)):
            raise TextError(
                f"{member.name}, line {number}: a line must be a word and {max(dimension, 2)} numbers between single "
                f"spaces, got {line[:40].rstrip()!r} with {len(fields) - 1}; fetch the file again"
            )
        yield line


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def prepare(source: Path, out: Path, only: str) -> Iterator[tuple[Path, Size]]:
    """Write the files one after the other; yields each with its size.

    Raises:
        ConfigurationError: several files are to become one.
        TextError: no name has `only` in it, or a file cannot be read or breaks a rule.
    """
    written = 0
    for member in read_members(source, only):
        is_one_file = out.name.endswith(ENDING)
        if is_one_file and written:
            raise ConfigurationError(
                f"OUT must be a folder for several files, got {out}; name one, or one file by --only"
            )
        target = out if is_one_file else out / f"{member.name.removesuffix('.txt')}{ENDING}"
        yield target, _write(member, target)
        written += 1
    if not written:
        raise TextError(f"SOURCE must have a file of vectors with {only!r} in its name, got none in {source}")


def _write(member: Member, target: Path) -> Size:
    target.parent.mkdir(parents=True, exist_ok=True)
    words, line = 0, ""
    with whole_file(target) as partial, gzip.open(partial, "wt", _COMPRESSION, "utf-8", newline="\n") as file:
        for words, line in enumerate(checked(member), 1):  # noqa: B007 -- the last number is the number of words
            file.write(line)
        if not words:
            raise TextError(f"{member.name} must hold a word, got none; fetch the file again")
    return Size(words, len(line.split(" ")) - 1)


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Place GloVe's word vectors for the configurations.")
    parser.add_argument("source", type=Path, help="the published zip file, a file of vectors, or swivel-100")
    parser.add_argument("out", type=Path, help="a folder; data/glove is where the configurations look")
    parser.add_argument("--only", metavar="TEXT", default="", help="files alone whose name has this in it: 100d")
    arguments = parser.parse_args()
    try:
        for path, size in prepare(arguments.source, arguments.out, arguments.only):
            print(f"{path}: {size.words:,} words of {size.dimension} numbers")
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_glove.py: {error}")


if __name__ == "__main__":
    main()
