"""Gather coreference in CoNLL-2012's columns for configs/coref.jsonnet and configs/coref_elmo.jsonnet.

    python scripts/prepare_coref.py SOURCE OUT

SOURCE is what prepare_srl.py takes: a folder or a tar file that has files *gold_conll below folders called train, dev
(or development) and test, OntoNotes 5 or data in its form such as LitBank. OUT gets train.gold_conll, dev.gold_conll
and test.gold_conll, for the reader wants one file a split; the mentions of every sentence are checked. With --only
english, files below a folder of that name alone.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from prepare_srl import SPLITS, Source, checked, place, read_source, write
from pytorch_elmo.errors import PytorchElmoError, TextError

BEGIN, END = "#begin document", "#end document"
NO_MENTION = "-"
_MARK = re.compile(r"(?P<opens>\()?(?P<chain>\d+)(?P<closes>\))?")


class Counts(NamedTuple):
    """What a split holds; chains of one mention are entities too."""

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    mentions: int = 0
    entities: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*(one + another for one, another in zip(self, other, strict=True)))


def counted(source: Source) -> Counts:
    """What a file holds, each of its documents between the lines that begin and end it.

    Raises:
        TextError: a row is cut, a mention has no other end in its sentence, or a document has no end.
    """
    _, rows = checked(source, None)
    totals = Counts(sentences=rows.sentences, tokens=rows.tokens)
    chains: Counter[str] = Counter()  # of the document
    open_mentions: list[str] = []
    is_inside = False
    for number, line in enumerate([*source.text.splitlines(), ""], 1):
        where = f"{source.path}, line {number}"
        if line.startswith((BEGIN, END)):
            if line.startswith(BEGIN) == is_inside:
                raise TextError(f"{where}: {BEGIN} and {END} must take turns, got {line[:40]!r}; mend the file")
            is_inside = not is_inside
            if not is_inside:
                totals = totals.plus(Counts(documents=1, mentions=chains.total(), entities=len(chains)))
                chains.clear()
        elif line.strip() and not line.startswith("#"):
            if not is_inside:
                raise TextError(f"{where}: a row must follow {BEGIN}, got {line[:40]!r}; mend the file")
            chains.update(_mentions(line.split()[-1], open_mentions, where))
        elif open_mentions:
            raise TextError(
                f"{where}: a mention must end in its sentence, got ({open_mentions[0]} open; mend the file"
            )
    if is_inside:
        raise TextError(f"{source.path} must end with {END}, got a document without it; fetch the file again")
    return totals


def _mentions(marks: str, open_mentions: list[str], where: str) -> list[str]:
    """The chains of the mentions that end at a token; those still open are kept in `open_mentions`."""
    ended = []
    for mark in marks.split("|") if marks != NO_MENTION else []:
        found = _MARK.fullmatch(mark)
        if not found or not (found["opens"] or found["closes"]):
            raise TextError(f"{where}: a mention must be (7, 7) or (7), got {marks[:40]!r}; mend the file")
        if found["opens"]:
            open_mentions.append(found["chain"])
        if found["closes"]:
            if found["chain"] not in open_mentions:
                raise TextError(f"{where}: a mention must begin in its sentence, got {mark!r} alone; mend the file")
            open_mentions.remove(found["chain"])
            ended.append(found["chain"])
    return ended


def prepare(source: Path, out: Path, only: str | None) -> dict[str, Counts]:
    """Write the splits that there are; returns what each holds.

    Raises:
        TextError: no file belongs to a split, or one breaks a rule.
    """
    texts: dict[str, list[str]] = {}
    totals: dict[str, Counts] = {}
    for file in read_source(source):
        where = place(file.path)
        if where is not None and (only is None or only in file.path.parts):
            split = where.parts[0]
            totals[split] = totals.get(split, Counts()).plus(counted(file))
            texts.setdefault(split, []).append(file.text.rstrip("\n") + "\n")
    if not texts:
        raise TextError(
            f"SOURCE must have *gold_conll files below {', '.join(SPLITS)}{f' and {only}' if only else ''}, got none "
            f"in {source}; name the folder above them"
        )
    for split, documents in texts.items():
        write(out / f"{split}.gold_conll", "".join(documents))
    return {split: totals[split] for split in dict.fromkeys(SPLITS.values()) if split in totals}


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Gather coreference for configs/coref.jsonnet.")
    parser.add_argument("source", type=Path, help="a folder or a tar file with *gold_conll files")
    parser.add_argument("out", type=Path, help="a folder; data/coref is where the configurations look")
    parser.add_argument("--only", metavar="FOLDER", help="leave out files that are not below a folder of this name")
    arguments = parser.parse_args()
    try:
        totals = prepare(arguments.source, arguments.out, arguments.only)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_coref.py: {error}")
    for split, counts in totals.items():
        print(f"{split}: " + ", ".join(f"{count:,} {name}" for name, count in counts._asdict().items()))


if __name__ == "__main__":
    main()
