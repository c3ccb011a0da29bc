"""Check a file of SQuAD 1.1 and place it for configs/squad.jsonnet and configs/squad_elmo.jsonnet.

    python scripts/prepare_squad.py train-v1.1.json data/squad/train-v1.1.json

SOURCE is an official file, as it is or packed (.gz, .xz), or one in its form; OUT gets it unpacked. An answer that
does not stand where the file says is moved to the nearest place of its paragraph where it does; how many is printed.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from prepare_srl import write
from pytorch_elmo.errors import PytorchElmoError, TextError
from pytorch_elmo.text.lines import InputFile, read_lines

Json = dict[str, Any]


class Counts(NamedTuple):
    """What a file holds."""

    articles: int
    paragraphs: int
    questions: int
    answers: int
    answers_moved: int


def read_articles(source: Path) -> list[Json]:
    """The articles of a file.

    Raises:
        TextError: the file cannot be read or is not SQuAD's.
    """
    try:
        content = json.loads("".join(read_lines(InputFile(source, str(source)))))
        articles = content["data"]
        if not articles or not all(article["paragraphs"] for article in articles):
            raise KeyError("paragraphs")
    except (ValueError, KeyError, TypeError) as error:
        raise TextError(
            f'SOURCE must be JSON with "data" and "paragraphs" as SQuAD, got {source}: {error}'
        ) from error
    return list(articles)


def mend(articles: list[Json]) -> Counts:
    """Move answers to their places in the articles themselves; returns what there is.

    Raises:
        TextError: a paragraph, a question or an answer lacks a part, or an answer is not in its paragraph.
    """
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    answers = moved = 0
    try:
        for context, question, answer in _answers(paragraphs):
            answers += 1
            start = _place(context, answer, question)
            moved += start != answer["answer_start"]
            answer["answer_start"] = start
        questions = sum(len(paragraph["qas"]) for paragraph in paragraphs)
    except (KeyError, TypeError) as error:
        raise TextError(
            f"an article must have context, qas, question, answers as SQuAD 1.1, got none: {error}"
        ) from error
    return Counts(len(articles), len(paragraphs), questions, answers, moved)


def _answers(paragraphs: list[Json]) -> Iterator[tuple[str, Json, Json]]:
    for paragraph in paragraphs:
        for question in paragraph["qas"]:
            if question.get("is_impossible") or not question["answers"]:
                raise TextError(
                    f"every question must have an answer, got none for {question['question'][:60]!r}; "
                    "name a file of SQuAD 1.1, not 2.0"
                )
            for answer in question["answers"]:
                yield paragraph["context"], question, answer


def _place(context: str, answer: Json, question: Json) -> int:
    """The place of an answer's text in the paragraph that is nearest to the place given."""
    text, given = answer["text"], int(answer["answer_start"])
    before, after = context.rfind(text, 0, max(given, 0) + len(text)), context.find(text, max(given, 0))
    places = [place for place in (before, after) if place >= 0]
    if not text or not places:
        raise TextError(
            f"an answer must stand in its paragraph, got {text[:40]!r} for {question['question'][:40]!r}; mend it"
        )
    return min(places, key=lambda place: abs(place - given))


def main() -> None:
    """Read the arguments, prepare, and print what there is."""
    parser = argparse.ArgumentParser(description="Check a file of SQuAD 1.1 and place it.")
    parser.add_argument("source", type=Path, help="a file of SQuAD 1.1, as it is or .gz or .xz")
    parser.add_argument("out", type=Path, help="the file to write; the configurations look in data/squad")
    arguments = parser.parse_args()
    try:
        articles = read_articles(arguments.source)
        counts = mend(articles)
        write(arguments.out, json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False))
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"prepare_squad.py: {error}")
    each = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts._asdict().items())
    print(f"{arguments.out}: {each}")


if __name__ == "__main__":
    main()
