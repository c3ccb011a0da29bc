"""Turn the Large Movie Review Dataset into the files of configs/imdb.jsonnet and configs/imdb_elmo.jsonnet.

    python scripts/prepare_imdb.py aclImdb_v1.tar.gz data/imdb --processes 2

SOURCE is the published tar file (packed in any way) or the folder aclImdb from it. OUT gets train.jsonl, dev.jsonl
and test.jsonl, a review a line with the keys text and label: tokens between single spaces (Moses rules for English),
and pos or neg. The set has no development part: every tenth review of the training part, by its number, is dev.jsonl.
"""

import argparse
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from prepare_texts import Example, described, write_examples
from pytorch_elmo.errors import PytorchElmoError, TextError

ONE_IN = 10  # reviews of the training part that are held out
_NAME = re.compile(r"(?P<number>\d+)_\d+\.txt")
Review = tuple[int, Example]


def read_reviews(source: Path) -> dict[str, list[Review]]:
    """The reviews of the two parts, by number and then label, without their line breaks' marks.

    Raises:
        TextError: there is no such source, it cannot be read, or a part has no review.
    """
    parts: dict[str, list[Review]] = {"train": [], "test": []}
    try:
        for path, content in _files(source):
            match = _NAME.fullmatch(path.name)
            if match and len(path.parts) > 2 and path.parts[-3] in parts and path.parts[-2] in ("pos", "neg"):
                text = content.decode("utf-8").replace("<br />", " ")
                parts[path.parts[-3]].append((int(match["number"]), {"text": text, "label": path.parts[-2]}))
    except (OSError, EOFError, tarfile.TarError, UnicodeDecodeError) as error:
        raise TextError(f"SOURCE must be the folder aclImdb or its tar file, got {source}: {error}") from error
    for part, reviews in parts.items():
        if not reviews:
            raise TextError(
                f"SOURCE must have reviews {part}/pos/NUMBER_RATING.txt, got none in {source}; name aclImdb"
            )
        reviews.sort(key=lambda review: (review[0], review[1]["label"]))
    return parts


def _files(source: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    if source.is_dir():
        for path in source.glob("*/*/*.txt"):
            yield PurePosixPath("aclImdb", path.relative_to(source).as_posix()), path.read_bytes()
        return
    with tarfile.open(source) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield PurePosixPath(member.name), file.read()


def split(parts: dict[str, list[Review]]) -> dict[str, list[Example]]:
    """The three files' reviews: every tenth number of the training part is held out."""
    return {
        "train": [example for number, example in parts["train"] if number % ONE_IN],
        "dev": [example for number, example in parts["train"] if number % ONE_IN == 0],
        "test": [example for _, example in parts["test"]],
    }


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Turn the Large Movie Review Dataset into jsonl files.")
    parser.add_argument("source", type=Path, help="the tar file, or the folder aclImdb")
    parser.add_argument("out", type=Path, help="a folder; data/imdb is where the configurations look")
    parser.add_argument("--processes", type=int, default=1, help="at least 1 (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        for name, examples in split(read_reviews(arguments.source)).items():
            counts = write_examples(examples, "label", arguments.out / f"{name}.jsonl", arguments.processes)
            print(f"{name}: {described(counts)}")
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_imdb.py: {error}")


if __name__ == "__main__":
    main()
