"""What counting alone predicts: perplexities of a unigram and a Kneser-Ney trigram beside those of a biLM.

    python scripts/ngram_baselines.py --vocabulary VOCABULARY --train FILE... --heldout FILE... [--json PATH]

Text is tokenised, one sentence a line. A token outside the vocabulary becomes `<UNK>`. Perplexities are over each
token and the boundary that ends the sentence, as `ngram_models` says.
"""

import argparse
import json
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ngram_models import UNKNOWN_ID, Direction, KneserNeyTrigram, Unigram
from pytorch_elmo.errors import PytorchElmoError, TextError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.text.vocabulary import SPECIALS, Vocabulary

Sentences = list["array[int]"]  # without boundaries; eight bytes an id


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a file that begins with `<S>`, `</S>` and `<UNK>`, as the models' ids do.

    Raises:
        TextError: the file begins with something else, or cannot be read.
    """
    vocabulary = Vocabulary.from_file(path)
    if tuple(vocabulary.tokens[:3]) != SPECIALS:
        raise TextError(
            f"{path}: a vocabulary must begin with {', '.join(SPECIALS)}, got {', '.join(vocabulary.tokens[:3])}; "
            "put them first"
        )
    return vocabulary


def read_sentences(path: Path, vocabulary: Vocabulary) -> Iterator["array[int]"]:
    """The ids of each line's tokens.

    Raises:
        TextError: the file is empty, or a line is blank, holds a boundary, or is not UTF-8.
    """
    if not path.stat().st_size:
        raise TextError(f"{path}: a text must hold at least one sentence, got an empty file; leave it out")
    with path.open("rb") as file, tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=path.name) as bar:
        for number, line in enumerate(file, 1):
            try:
                tokens = line.decode("utf-8").split()
            except UnicodeDecodeError as error:
                raise TextError(
                    f"{path}, line {number}: text must be UTF-8, got {error.reason}; convert it"
                ) from error
            sentence_ids = array("q", [vocabulary.id_of(token) for token in tokens])
            if not sentence_ids or min(sentence_ids) < UNKNOWN_ID:
                raise TextError(
                    f"{path}, line {number}: a line must hold a sentence without <S> and </S>, got "
                    f"{' '.join(tokens)!r}; remove blank lines and boundaries"
                )
            bar.update(len(line))
            yield sentence_ids


def describe(sentences: Sentences) -> dict[str, Any]:
    """The size of a text and its share of tokens outside the vocabulary (a literal `<UNK>` counts as one)."""
    num_tokens = sum(map(len, sentences))
    num_unknown = sum(sentence_ids.count(UNKNOWN_ID) for sentence_ids in sentences)
    return {"sentences": len(sentences), "tokens": num_tokens, "oov_rate": num_unknown / num_tokens}


def perplexity(model: KneserNeyTrigram | Unigram, sentences: Sentences) -> float:
    """The exponential of the mean of -log p over all predictions, each of a text's predictions weighing the same."""
    predictions = [model.log_probabilities(sentence_ids) for sentence_ids in tqdm(sentences, desc="scoring")]
    return float(np.exp(-np.concatenate(predictions).mean()))


def compare(vocabulary_path: Path, train: list[Path], heldout: list[Path]) -> dict[str, Any]:
    """Fit both models on all of `train` and measure each file of `heldout`; the result is made for JSON."""
    vocabulary = read_vocabulary(vocabulary_path)
    sentences = [sentence_ids for path in train for sentence_ids in read_sentences(path, vocabulary)]
    models: dict[str, KneserNeyTrigram | Unigram] = {"unigram": Unigram.fit(sentences, len(vocabulary))}
    discounts = {}
    for direction in tqdm(Direction, desc="counting trigrams"):
        trigram = KneserNeyTrigram.fit(sentences, len(vocabulary), direction)
        models[f"trigram_{direction.name.lower()}"] = trigram
        discounts[direction.name.lower()] = [order.discounts for order in trigram.orders]
    return {
        "vocabulary": {"tokens": len(vocabulary), "sha256": sha256_of(vocabulary_path)},
        "train": {"files": [path.name for path in train], **describe(sentences)},
        "discounts_of_orders_1_2_3": discounts,
        "heldout": [
            {"file": path.name, **describe(text)}
            | {"perplexity": {name: perplexity(model, text) for name, model in models.items()}}
            for path, text in ((path, list(read_sentences(path, vocabulary))) for path in heldout)
        ],
    }


def table(heldout: list[dict[str, Any]]) -> str:
    """One line a file: its size, OOV rate and the three perplexities."""
    lines = [f"{'file':24} {'tokens':>10} {'OOV':>7} {'unigram':>9} {'trigram':>9} {'backward':>9}"]
    for row in heldout:
        numbers = " ".join(f"{value:9.1f}" for value in row["perplexity"].values())
        lines.append(f"{row['file']:24} {row['tokens']:>10,} {row['oov_rate']:7.2%} {numbers}")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description="Perplexities of a unigram and a Kneser-Ney trigram.")
    parser.add_argument("--vocabulary", type=Path, required=True, help="one token a line; <S>, </S>, <UNK> first")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="tokenised text, one sentence a line")
    parser.add_argument("--heldout", type=Path, nargs="+", required=True, help="tokenised text, one sentence a line")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    try:
        results = compare(arguments.vocabulary, arguments.train, arguments.heldout)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"error: {error}")
    print(table(results["heldout"]))
    if arguments.json:
        with whole_file(arguments.json) as partial:
            partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
