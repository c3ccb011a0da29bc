"""Tiny data for every task in the format that its reader reads, made up and always the same."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

SUBJECTS = ("the sailor", "a storm", "Anna", "the old pilot", "rain")
VERBS = ("sees", "moves", "hears", "finds")
OBJECTS = ("the harbour", "a ship", "Bergen", "the night", "wet sails")
NUM_SENTENCES = 24


def clauses() -> Iterator[tuple[list[str], str, list[str]]]:
    """Subject, verb and object of some sentences."""
    chance = random.Random(11)
    for _ in range(NUM_SENTENCES):
        yield chance.choice(SUBJECTS).split(), chance.choice(VERBS), chance.choice(OBJECTS).split()


def sentences() -> Iterator[str]:
    for subject, verb, goal in clauses():
        yield " ".join([*subject, verb, *goal, "."])


def _brackets(label: str, words: list[str]) -> list[str]:
    """The column of a span over all of `words`, and nothing else."""
    column = ["*"] * len(words)
    column[0] = f"({label}*"
    column[-1] += ")"
    return column


def conll_2012() -> str:
    """Roles, trees and coreference in CoNLL-2012's columns, four sentences a document."""
    lines: list[str] = []
    for number, (subject, verb, goal) in enumerate(clauses()):
        if number % 4 == 0:
            lines += ["#end document"] if number else []
            lines += [f"#begin document (tiny/{number:04}); part 000"]
        words = [*subject, verb, *goal]
        roles = [*_brackets("ARG0", subject), "(V*)", *_brackets("ARG1", goal)]
        trees = [*_brackets("NP", subject), "(VP*", *_brackets("NP", goal)]
        trees[0], trees[-1] = f"(TOP(S{trees[0]}", f"{trees[-1]})))"
        chains = ["-"] * len(words)
        chains[0] = "(1)" if len(subject) == 1 else "(1"
        chains[len(subject) - 1] = "(1)" if len(subject) == 1 else "1)"
        for place, word in enumerate(words):
            is_verb = place == len(subject)
            frame = [verb[:-1], f"{verb[:-1]}.01"] if is_verb else ["-", "-"]
            tag = "VBZ" if is_verb else "NN"
            row = [f"tiny/{number // 4}", "0", str(place), word, tag, trees[place], *frame, "-", "-", "*"]
            lines.append(" ".join([*row, roles[place], chains[place]]))
        lines.append("")
    return "\n".join([*lines, "#end document", ""])


def conll_2003() -> str:
    lines: list[str] = []
    for subject, verb, goal in clauses():
        tags = ["B-PER", *["I-PER"] * (len(subject) - 1), "O", "B-LOC", *["I-LOC"] * (len(goal) - 1)]
        lines += [f"{word} NN O {tag}" for word, tag in zip([*subject, verb, *goal], tags, strict=True)] + [""]
    return "\n".join(lines)


def sentiment_trees() -> str:
    """Labels 0 to 4 all occur, as the model is told that there are five."""
    lines = []
    for number, sentence in enumerate(sentences()):
        words = sentence.split()
        tree = f"(2 {words[0]})"
        for word in words[1:]:
            tree = f"({number % 5} {tree} (2 {word}))"
        lines.append(tree)
    return "\n".join(lines) + "\n"


def trees() -> str:
    lines = []
    for subject, verb, goal in clauses():
        phrases = ["".join(f" (NN {word})" for word in words) for words in (subject, goal)]
        lines.append(f"(TOP (S (NP{phrases[0]}) (VP (VBZ {verb}) (NP{phrases[1]}))))")
    return "\n".join(lines) + "\n"


def pairs() -> str:
    labels = ("entailment", "neutral", "contradiction")
    texts = list(sentences())
    return "".join(
        json.dumps({"gold_label": labels[i % 3], "sentence1": text, "sentence2": texts[i - 1]}) + "\n"
        for i, text in enumerate(texts)
    )


def labelled_texts() -> str:
    labels = ("background", "method", "result")
    return "".join(json.dumps({"text": text, "label": labels[i % 3]}) + "\n" for i, text in enumerate(sentences()))


def questions() -> str:
    paragraphs = []
    for number, (subject, verb, goal) in enumerate(clauses()):
        context = " ".join([*subject, verb, *goal, "."])
        answer = {"text": " ".join(goal), "answer_start": context.index(" ".join(goal))}
        question = {"id": f"q{number}", "question": f"What does {' '.join(subject)} see ?", "answers": [answer]}
        paragraphs.append({"context": context, "qas": [question]})
    return json.dumps({"version": "1.1", "data": [{"title": "tiny", "paragraphs": paragraphs}]})


# Task -> the data, and whether its reader wants a folder. All of the name's configurations read it.
TASKS: dict[str, Callable[[], str]] = {
    "constituency": trees,
    "coref": conll_2012,
    "imdb": labelled_texts,
    "ner": conll_2003,
    "scicite": labelled_texts,
    "snli": pairs,
    "squad": questions,
    "srl": conll_2012,
    "sst5": sentiment_trees,
}


def write(task: str, folder: Path) -> Path:
    """Lay out the data of a task; what TRAIN_DATA_PATH is to name."""
    path = folder / "tiny" / f"{task}.gold_conll"
    path.parent.mkdir(exist_ok=True)
    path.write_text(TASKS[task](), encoding="utf-8")
    return path.parent if task == "srl" else path


def write_vectors(path: Path, dimension: int) -> Path:
    """Word vectors of all the words but one."""
    chance = random.Random(5)
    words = sorted({word.lower() for text in sentences() for word in text.split()} - {"rain"})
    lines = [" ".join([word, *(f"{chance.uniform(-1, 1):.3f}" for _ in range(dimension))]) for word in words]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
