"""Lay out semantic roles in CoNLL-2012's columns for configs/srl.jsonnet and configs/srl_elmo.jsonnet.

    python scripts/prepare_srl.py SOURCE OUT

SOURCE is a folder or a tar file (.tar, .tar.gz, .tar.xz) that has files *gold_conll below folders called train, dev
(or development) and test: OntoNotes 5 as the shared task of 2012 laid it out, or data in its form. OUT gets train,
dev and test with the same files below, each checked row by row. With --only english, files below a folder of that
name alone; with --sentences N, about N sentences of each split, from the beginning of every file.
"""

import argparse
import sys
import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, TextError
from pytorch_elmo.files import whole_file

SPLITS = {"train": "train", "dev": "dev", "development": "dev", "test": "test"}  # name of a folder -> ours
ENDING = "gold_conll"
COLUMNS_BEFORE_ROLES = 11
COLUMNS_AROUND_ROLES = COLUMNS_BEFORE_ROLES + 1  # the last column is coreference


class Source(NamedTuple):
    """A file of the source: its path there, and its text."""

    path: PurePosixPath
    text: str


class Counts(NamedTuple):
    """What a split holds."""

    files: int = 0
    sentences: int = 0
    tokens: int = 0
    predicates: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*(one + another for one, another in zip(self, other, strict=True)))


def read_source(source: Path) -> Iterator[Source]:
    """The files of a folder, in the order of their paths, or of a tar file, in its order.

    Raises:
        TextError: there is no such source, it cannot be read, or a file is not UTF-8.
    """
    try:
        if source.is_dir():
            for path in sorted(source.rglob(f"*{ENDING}")):
                yield _decoded(PurePosixPath(path.relative_to(source).as_posix()), path.read_bytes())
        else:
            with tarfile.open(source) as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.name.endswith(ENDING) else None
                    if file is not None:
                        yield _decoded(PurePosixPath(member.name), file.read())
    except (OSError, EOFError, tarfile.TarError) as error:
        reason, *_ = str(error).split("\n")  # tarfile lists every format that it tried
        raise TextError(
            f"SOURCE must be a folder or a tar file with *{ENDING} files, got {source}: {reason}; name another"
        ) from error


def _decoded(path: PurePosixPath, content: bytes) -> Source:
    try:
        return Source(path, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: text must be UTF-8, got {error.reason}; convert it") from error


def place(path: PurePosixPath) -> PurePosixPath | None:
    """Where a file belongs in OUT: its split, and its path below the innermost folder of that name; else None."""
    folders = path.parts[:-1]
    for depth in reversed(range(len(folders))):
        if folders[depth] in SPLITS and ".." not in path.parts:
            return PurePosixPath(SPLITS[folders[depth]], *path.parts[depth + 1 :])
    return None


def checked(source: Source, limit: int | None) -> tuple[str, Counts]:
    """The documents of a file up to a number of sentences, and what they hold.

    Raises:
        TextError: a row has too few columns, or not as many as the first row of its sentence.
    """
    kept: list[str] = []
    counts = Counts(files=1)
    numbered = enumerate(source.text.splitlines(), 1)
    for kind, lines in groupby(numbered, key=lambda line: _kind(line[1])):
        if kind != "row":
            kept += [line for _, line in lines]
        elif limit is None or counts.sentences < limit:
            rows = list(lines)
            counts = counts.plus(_counts(rows, source.path))
            kept += [line for _, line in rows]
    return "\n".join(kept) + "\n", counts


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    return "mark" if line.startswith("#") else "row"


def _counts(rows: list[tuple[int, str]], path: PurePosixPath) -> Counts:
    expected = max(len(rows[0][1].split()), COLUMNS_AROUND_ROLES)
    for number, line in rows:
        if len(line.split()) != expected:
            raise TextError(
                f"{path}, line {number}: a row must have {expected} columns, as the first of its sentence and at "
                f"least {COLUMNS_AROUND_ROLES}, got {len(line.split())}; mend the file"
            )
    return Counts(sentences=1, tokens=len(rows), predicates=expected - COLUMNS_AROUND_ROLES)


def prepare(source: Path, out: Path, only: str | None, num_sentences: int | None) -> dict[str, Counts]:
    """Write the three splits; returns what each holds.

    Raises:
        ConfigurationError: OUT is there already, or `num_sentences` is below 1.
        TextError: no file belongs to a split, or one breaks a rule.
    """
    if out.exists():
        raise ConfigurationError(f"OUT must be new, got {out}, which exists; remove it or name another folder")
    if num_sentences is not None and num_sentences < 1:
        raise ConfigurationError(f"--sentences must be at least 1, got {num_sentences}; leave it out for all")
    files = [
        (where, file)
        for file in read_source(source)
        if (where := place(file.path)) is not None and (only is None or only in file.path.parts)
    ]
    if not files:
        raise TextError(
            f"SOURCE must have *{ENDING} files below train, dev or test{f' and {only}' if only else ''}, got none "
            f"in {source}; name the folder above them"
        )
    sizes = {split: sum(where.parts[0] == split for where, _ in files) for split in SPLITS.values()}
    totals: dict[str, Counts] = {}
    for where, file in files:
        split = where.parts[0]
        limit = None if num_sentences is None else -(-num_sentences // sizes[split])
        text, counts = checked(file, limit)
        write(out / where, text)
        totals[split] = totals.get(split, Counts()).plus(counts)
    return totals


def write(path: Path, text: str) -> None:
    """A file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Lay out semantic roles for configs/srl.jsonnet.")
    parser.add_argument("source", type=Path, help="a folder or a tar file with *gold_conll files")
    parser.add_argument("out", type=Path, help="a new folder; data/srl is where the configurations look")
    parser.add_argument("--only", metavar="FOLDER", help="leave out files that are not below a folder of this name")
    parser.add_argument("--sentences", metavar="N", type=int, help="about so many sentences of each split")
    arguments = parser.parse_args()
    try:
        totals = prepare(arguments.source, arguments.out, arguments.only, arguments.sentences)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_srl.py: {error}")
    for split, counts in totals.items():
        print(f"{split}: " + ", ".join(f"{count:,} {name}" for name, count in counts._asdict().items()))


if __name__ == "__main__":
    main()
