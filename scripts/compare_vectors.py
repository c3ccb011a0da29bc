"""How much a linear classifier learns from averages of two tables' word vectors, on the words that both have.

    python scripts/compare_vectors.py FIRST SECOND --task NAME TRAIN DEV TEST [--task ...] [--tokenizer moses]

FIRST and SECOND are files of word vectors in GloVe's format, or folders of text embeddings. TRAIN, DEV and TEST are
`.jsonl` with `label` and `string` or `text`, or text with a label and a sentence a line. A sentence is the mean
vector of its tokens that both tables have, in lower case; each number is standardised over TRAIN. The classifier is
multinomial logistic regression, its weight decay the one that is best on DEV. Prints, for each task, the share of
tokens known and the accuracy of both tables on TEST, with half of its 95 % interval, beside the most frequent label.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from probes.linear import Part, accuracy
from pytorch_elmo.errors import PytorchElmoError, TextError
from pytorch_elmo.static_embeddings import TextEmbedding, WordVectors
from pytorch_elmo.text.lines import InputFile, read_lines
from pytorch_elmo.text.tokenizers import TOKENIZERS, make_tokenizer


class Sentence(NamedTuple):
    """Tokens in lower case, and a label."""

    tokens: list[str]
    label: str


def read_vectors(path: Path) -> WordVectors:
    """A table of vectors from a file or a folder."""
    if not path.is_dir():
        return WordVectors.from_file(path)
    embedding = TextEmbedding.load(path)
    return WordVectors(embedding.vocabulary, embedding.embedding_matrix[: len(embedding.vocabulary)])


def read_sentences(path: Path, tokenizer: str) -> list[Sentence]:
    """The labelled sentences of a file.

    Raises:
        TextError: the file cannot be read, has no line, or a line has no label or no text.
    """
    tokenize = make_tokenizer(tokenizer)
    sentences = [Sentence(tokenize(text), label) for label, text in _labelled(path)]
    if not sentences:
        raise TextError(f"{path} must hold sentences, it is empty; name another part")
    return sentences


def _labelled(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(InputFile(path, str(path))), 1):
        try:
            if path.suffix == ".jsonl":
                row = json.loads(line)
                label, text = str(row["label"]), row["string"] if "string" in row else row["text"]
            else:
                label, text = line.split(" ", 1)
            yield label, text.lower()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TextError(
                f"{path}, line {number}: a line must hold a label and a sentence, got {line[:40]!r}; mend it"
            ) from error


def average(sentences: Sequence[Sentence], table: WordVectors, shared: frozenset[str]) -> Tensor:
    """The mean vector of each sentence's shared words; zeros where there is none. (num_sentences, dim)."""
    words = [[token for token in sentence.tokens if token in shared] for sentence in sentences]
    ids = table.words_to_ids(words)
    counts = torch.tensor([max(len(sentence), 1) for sentence in words])
    return torch.stack([table(row.unsqueeze(0)).sum(dim=1)[0] for row in ids]).detach() / counts[:, None]


def compare(paths: Sequence[Path], tables: Sequence[WordVectors], tokenizer: str) -> str:
    """A line of the table for one task."""
    parts = [read_sentences(path, tokenizer) for path in paths]
    shared = frozenset(tables[0].words) & frozenset(tables[1].words)
    numbers = {label: number for number, label in enumerate(sorted({one.label for one in parts[0]}))}
    if unknown := {one.label for part in parts for one in part} - numbers.keys():
        raise TextError(f"{paths[0]} must hold every label, {', '.join(sorted(unknown))} are not in it; mend a part")
    labels = [torch.tensor([numbers[one.label] for one in part]) for part in parts]
    known = [token in shared for one in parts[2] for token in one.tokens]
    frequent = Counter(labels[0].tolist()).most_common(1)[0][0]
    majority = (labels[2] == frequent).double().mean().item()
    scores = [
        accuracy(*(Part(average(part, table, shared), target) for part, target in zip(parts, labels, strict=True)))
        for table in tables
    ]
    cells = [f"{sum(known) / max(len(known), 1):.1%}", f"{majority:.1%}"]
    cells += [f"{score:.1%} ± {1.96 * (score * (1 - score) / len(parts[2])) ** 0.5:.1%}" for score in scores]
    return " | ".join(cells)


def main() -> None:
    description, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", type=Path, help="word vectors")
    parser.add_argument("second", type=Path, help="word vectors")
    parser.add_argument("--task", nargs=4, action="append", required=True, metavar=("NAME", "TRAIN", "DEV", "TEST"))
    parser.add_argument("--tokenizer", choices=TOKENIZERS, default="whitespace")
    arguments = parser.parse_args()
    try:
        tables = [read_vectors(arguments.first), read_vectors(arguments.second)]
        num_shared = len({*tables[0].words} & {*tables[1].words})
        print(f"{num_shared:,} words are in both", end="\n\n")
        print(f"| task | tokens known | most frequent label | {arguments.first} | {arguments.second} |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name, *paths in arguments.task:
            print(f"| {name} | {compare([Path(path) for path in paths], tables, arguments.tokenizer)} |", flush=True)
    except PytorchElmoError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
