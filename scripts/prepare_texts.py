"""Split the texts of SNLI or SciCite into tokens for configs/snli*.jsonnet and configs/scicite*.jsonnet.

    python scripts/prepare_texts.py snli snli_1.0_train.jsonl data/snli/train.jsonl
    python scripts/prepare_texts.py scicite scicite/train.jsonl data/scicite/train.jsonl

SOURCE is one of the official files, JSON lines, as it is or packed (.gz, .xz). OUT gets one line for each example
with a label: its texts, tokens between single spaces (Moses rules for English), and the label. Pairs of SNLI whose
annotators did not agree (the label -) are left out.
"""

import argparse
import functools
import gzip
import json
import lzma
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, TextError
from pytorch_elmo.files import whole_file
from pytorch_elmo.text.tokenizers import moses_tokenizer

EXAMPLES_A_TASK = 200  # large enough that sending them between processes costs nothing
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
_tokenizer = functools.cache(moses_tokenizer)  # one a process
Example = dict[str, str]


class Kind(NamedTuple):
    """What a data set calls its texts and its label, and what the reader calls them.

    texts: name of the reader -> names in the source, of which an example has one.
    label: name of both.
    """

    texts: dict[str, tuple[str, ...]]
    label: str


KINDS = {
    "snli": Kind({"sentence1": ("sentence1",), "sentence2": ("sentence2",)}, "gold_label"),
    "scicite": Kind({"text": ("string", "text")}, "label"),
}
NO_LABEL = "-"


def read_examples(source: Path, kind: Kind) -> Iterator[Example]:
    """The examples of a file that have a label, their texts as they are.

    Raises:
        TextError: the file cannot be read, or a line is not an example of this kind.
    """
    opener: Callable[..., TextIO] = _OPENERS.get(source.suffix, open)
    try:
        with opener(source, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                example = _example(line, kind, f"{source}, line {number}")
                if example[kind.label] != NO_LABEL:
                    yield example
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise TextError(f"cannot read {source}: {error}; fetch it again or convert it to UTF-8") from error


def _example(line: str, kind: Kind, where: str) -> Example:
    try:
        given = json.loads(line)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise TextError(f"{where}: a line must be a JSON object, got {line[:40]!r}; mend the file")
    names = {reader: [name for name in names if name in given] for reader, names in kind.texts.items()}
    example = {reader: given[found[0]] for reader, found in names.items() if found}
    example[kind.label] = given.get(kind.label)
    if example.keys() != {*kind.texts, kind.label} or not all(isinstance(value, str) for value in example.values()):
        wanted = [" or ".join(names) for names in (*kind.texts.values(), (kind.label,))]
        raise TextError(
            f"{where}: an example must have {', '.join(wanted)} as text, got {line[:60]!r}; mend the file"
        )
    return example


def tokenized(example: Example, label: str) -> Example:
    """The same with its texts split into tokens."""
    return {name: text if name == label else " ".join(_tokenizer()(text)) for name, text in example.items()}


def write_examples(examples: Iterable[Example], label: str, out: Path, processes: int) -> Counter[str]:
    """Write examples with their texts split into tokens, in order; returns how many have each label.

    Raises:
        ConfigurationError: `processes` is below 1.
        TextError: there is no example.
    """
    if processes < 1:
        raise ConfigurationError(f"--processes must be at least 1, got {processes}; leave it out for 1")
    counts = Counter[str]()
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out) as partial, partial.open("w", encoding="utf-8") as file, _mapping(processes) as mapping:
        for example in mapping(functools.partial(tokenized, label=label), examples):
            counts[example[label]] += 1
            file.write(json.dumps(example, ensure_ascii=False) + "\n")
        if not counts:
            raise TextError(f"there must be an example for {out}, got none; name another source")
    return counts


@contextmanager
def _mapping(processes: int) -> Iterator[Callable[..., Iterator[Example]]]:
    """`map` in this process, or in order over several."""
    if processes == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process that runs threads may hang
    with context.Pool(processes) as pool:
        yield functools.partial(pool.imap, chunksize=EXAMPLES_A_TASK)


def described(counts: Counter[str]) -> str:
    """How many examples there are of each label."""
    each = ", ".join(f"{label} {count:,}" for label, count in sorted(counts.items()))
    return f"{counts.total():,} examples: {each}"


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Split the texts of SNLI or SciCite into tokens.")
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("source", type=Path, help="JSON lines, as they are or .gz or .xz")
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--processes", type=int, default=1, help="at least 1 (default: %(default)s)")
    arguments = parser.parse_args()
    kind = KINDS[arguments.kind]
    try:
        examples = read_examples(arguments.source, kind)
        counts = write_examples(examples, kind.label, arguments.out, arguments.processes)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_texts.py: {error}")
    print(f"{arguments.out}: {described(counts)}")


if __name__ == "__main__":
    main()
