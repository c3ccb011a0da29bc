"""Write constituency trees a line for configs/constituency.jsonnet and configs/constituency_elmo.jsonnet.

    python scripts/prepare_trees.py SOURCE OUT

SOURCE is a folder with bracketed trees, in files called train, dev (devel) and test with any ending, as they are or
packed (.gz, .xz), or the folder wsj of the Penn Treebank, of which sections 02-21, 22 and 23 are train, dev and test
(Collins 1999). OUT gets train.txt, dev.txt and test.txt, each tree below TOP, without empty elements and function
tags.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nltk.tree import Tree  # comes with AllenNLP

from prepare_ner import find_splits
from prepare_srl import write
from pytorch_elmo.errors import PytorchElmoError, TextError
from pytorch_elmo.text.lines import InputFile, read_lines

SECTIONS = {"train": range(2, 22), "dev": range(22, 23), "test": range(23, 24)}
ROOT, EMPTY = "TOP", "-NONE-"
_WHOLE_LINE = sys.maxsize


class Counts(NamedTuple):
    """What a split holds."""

    trees: int
    tokens: int


def find_files(source: Path) -> dict[str, list[Path]]:
    """The files of each split.

    Raises:
        TextError: a split has no file.
    """
    if not (source / "02").is_dir():
        return {split: [path] for split, path in find_splits(source).items()}
    files = {
        split: [path for section in sections for path in sorted((source / f"{section:02}").glob("*.mrg"))]
        for split, sections in SECTIONS.items()
    }
    for split, paths in files.items():
        if not paths:
            numbers = SECTIONS[split]
            raise TextError(
                f"SOURCE must have files NN/*.mrg of the sections {numbers[0]} to {numbers[-1]} for {split}, "
                f"got none in {source}; name the folder wsj"
            )
    return files


def read_trees(path: Path) -> Iterator[Tree]:
    """The trees of a file.

    Raises:
        TextError: the file cannot be read, or its brackets do not fit.
    """
    lines: list[str] = []
    depth, begun = 0, 1
    for number, line in enumerate(read_lines(InputFile(path, str(path))), 1):
        if not lines and not line.strip():
            continue
        begun = begun if lines else number
        lines.append(line)
        depth += line.count("(") - line.count(")")
        if depth <= 0:
            yield _parsed("".join(lines), f"{path}, line {begun}")
            lines, depth = [], 0
    if lines:
        raise TextError(f"{path}, line {begun}: a tree must have as many ) as (, got {depth} too few; mend the file")


def _parsed(text: str, where: str) -> Tree:
    try:
        return Tree.fromstring(text)
    except ValueError as error:
        raise TextError(
            f"{where}: one tree must begin on a line, got {text[:60].rstrip()!r}; mend the file"
        ) from error


def regular(tree: Tree) -> Tree | None:
    """The tree below TOP with one child, without empty elements and function tags; None if it has no words.

    The reader takes TOP's first child alone: several get a node of their own, labelled X, the Treebank's unknown.
    """
    bare = _bare(tree)
    if bare is None:
        return None
    children = list(bare) if tree.label() in ("", "ROOT", "VROOT", ROOT) else [bare]
    return Tree(ROOT, children if len(children) == 1 else [Tree("X", children)])


def _bare(tree: Tree) -> Tree | None:
    if len(tree) == 1 and isinstance(tree[0], str):
        return None if tree.label() == EMPTY else tree
    children = [bare for child in tree if (bare := _bare(child)) is not None]
    return Tree(_plain(tree.label()), children) if children else None


def _plain(label: str) -> str:
    """A constituent's label without what follows -, = or |, as AllenNLP's reader cuts it too."""
    return label.split("=")[0].split("-")[0].split("|")[0]


def prepare(source: Path, out: Path) -> dict[str, Counts]:
    """Write the three splits; returns what each holds.

    Raises:
        TextError: a file is missing, cannot be read, or breaks a rule, or a split has no tree.
    """
    lines: dict[str, list[str]] = {}
    totals = {}
    for split, paths in find_files(source).items():
        trees = [bare for path in paths for tree in read_trees(path) if (bare := regular(tree)) is not None]
        if not trees:
            raise TextError(f"{split} must hold at least one tree, got none in {source}; name another folder")
        lines[split] = [tree.pformat(margin=_WHOLE_LINE) + "\n" for tree in trees]
        totals[split] = Counts(len(trees), sum(len(tree.leaves()) for tree in trees))
    for split, texts in lines.items():
        write(out / f"{split}.txt", "".join(texts))
    return totals


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Write trees for configs/constituency.jsonnet.")
    parser.add_argument("source", type=Path, help="a folder with the three splits, or the Penn Treebank's wsj")
    parser.add_argument("out", type=Path, help="a folder; data/constituency is where the configurations look")
    arguments = parser.parse_args()
    try:
        totals = prepare(arguments.source, arguments.out)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_trees.py: {error}")
    for split, counts in totals.items():
        print(f"{split}: {counts.trees:,} trees, {counts.tokens:,} tokens")


if __name__ == "__main__":
    main()
