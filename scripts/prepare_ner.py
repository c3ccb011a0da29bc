"""Write named entities in CoNLL-2003's four columns for configs/ner.jsonnet and configs/ner_elmo.jsonnet.

    python scripts/prepare_ner.py SOURCE OUT

SOURCE is a folder with the three splits, one token a line and blank lines between sentences, under the names of
CoNLL-2003 (eng.train, eng.testa, eng.testb) or train, dev (devel) and test with any ending. The columns are between
tabs or blanks: the first is the token, the last its tag, the second of four its part of speech. OUT gets train.txt,
dev.txt and test.txt: token, part of speech, O, and the tag so that every mention begins with B.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from prepare_srl import write
from pytorch_elmo.errors import PytorchElmoError, TextError

# Split -> the names that it may have, without the ending.
NAMES = {"train": ("train", "eng.train"), "dev": ("dev", "devel", "eng.testa"), "test": ("test", "eng.testb")}
NEW_DOCUMENT = "-DOCSTART-"
_TAG = re.compile(r"O|[BI]-\S+")


class Row(NamedTuple):
    """A token, its part of speech, and its tag."""

    token: str
    part_of_speech: str
    tag: str


def find_splits(source: Path) -> dict[str, Path]:
    """The file of each split.

    Raises:
        TextError: a split has no file, or several.
    """
    found = {}
    for split, names in NAMES.items():
        paths = [
            path for path in sorted(source.glob("*")) if path.name in names or path.name.partition(".")[0] in names
        ]
        if len(paths) != 1:
            raise TextError(
                f"SOURCE must have one file for {split}, called {' or '.join(names)}, got "
                f"{', '.join(path.name for path in paths) or 'none'} in {source}; rename or remove files"
            )
        found[split] = paths[0]
    return found


def read_sentences(path: Path) -> Iterator[list[Row]]:
    """The sentences of a file; lines that begin a document are left out.

    Raises:
        TextError: the file is not UTF-8, or a line is not a token with a tag.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: text must be UTF-8, got {error.reason}; convert it") from error
    for between, numbered in groupby(enumerate(lines, 1), key=lambda line: _is_between(line[1])):
        if not between:
            yield regular([_row(line, path, number) for number, line in numbered])


def _is_between(line: str) -> bool:
    return not line.strip() or line.startswith(NEW_DOCUMENT)


def _row(line: str, path: Path, number: int) -> Row:
    columns = line.rstrip("\r").split("\t") if "\t" in line else line.split()
    if len(columns) < 2 or not columns[0].strip() or not _TAG.fullmatch(columns[-1]):
        raise TextError(
            f"{path}, line {number}: a line must be a token first and a tag last (O, B-type or I-type), "
            f"got {line[:40]!r}; mend it or leave a blank line"
        )
    part_of_speech = columns[1] if len(columns) == 4 else "-"
    return Row("_".join(columns[0].split()), part_of_speech, columns[-1])  # the reader splits at every blank


def regular(rows: list[Row]) -> list[Row]:
    """The same mentions, each beginning with B: an I that follows no mention of its type begins one."""
    mended = []
    inside = ""  # the type of the mention that the row before belongs to
    for row in rows:
        kind, _, name = row.tag.partition("-")
        starts = kind == "I" and name != inside
        mended.append(row._replace(tag=f"B-{name}") if starts else row)
        inside = name
    return mended


def prepare(source: Path, out: Path) -> dict[str, list[list[Row]]]:
    """Write the three splits; returns their sentences.

    Raises:
        TextError: a file is missing or breaks a rule, or holds no sentence.
    """
    splits = {split: list(read_sentences(path)) for split, path in find_splits(source).items()}
    for split, sentences in splits.items():
        if not sentences:
            raise TextError(f"{split} must hold at least one sentence, got none in {source}; name another folder")
    for split, sentences in splits.items():
        text = "\n".join(
            "".join(f"{row.token} {row.part_of_speech} O {row.tag}\n" for row in rows) for rows in sentences
        )
        write(out / f"{split}.txt", text)
    return splits


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Write named entities for configs/ner.jsonnet.")
    parser.add_argument("source", type=Path, help="a folder with the three splits")
    parser.add_argument("out", type=Path, help="a folder; data/ner is where the configurations look")
    arguments = parser.parse_args()
    try:
        splits = prepare(arguments.source, arguments.out)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_ner.py: {error}")
    for split, sentences in splits.items():
        rows = [row for sentence in sentences for row in sentence]
        mentions = sum(row.tag.startswith("B-") for row in rows)
        print(f"{split}: {len(sentences):,} sentences, {len(rows):,} tokens, {mentions:,} mentions")


if __name__ == "__main__":
    main()
