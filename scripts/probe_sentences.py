"""What ELMo knows of a sentence that word vectors do not, where nothing but a linear classifier is trained.

    python scripts/probe_sentences.py TRAIN DEV [--model default] [--vectors swivel-100]

TRAIN and DEV are the Stanford Sentiment Treebank's trees, or `.jsonl` with a `label` and a `text` of tokens between
blanks: what scripts/reproduce_table.py leaves in WORK/TASK/data. A sentence is the mean of its tokens' vectors: word
vectors (of the tokens in lower case), each layer of ELMo, all layers side by side, and these beside the word vectors.
Numbers are standardised over TRAIN. The classifier is multinomial logistic regression, its weight decay the one that
is best on every tenth sentence of TRAIN, which it does not learn from. Prints its accuracy on DEV.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from probes.data import half_width
from probes.linear import Part, accuracy
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import PytorchElmoError, TextError
from pytorch_elmo.static_embeddings import TextEmbedding, WordVectors

HELD_OUT = 10  # one sentence in so many
_LEAF = re.compile(r"\((\d) ([^()]+)\)")


def read(path: Path) -> tuple[list[list[str]], list[str]]:
    """The tokens and the label of each sentence.

    Raises:
        TextError: the file has none, or a line is neither a tree nor an object with both.
    """
    sentences, labels = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").strip().split("\n"), 1):
        try:
            if path.suffix == ".jsonl":
                row = json.loads(line)
                tokens, label = row["text"].split(), str(row["label"])
            else:
                tokens, label = [word for _, word in _LEAF.findall(line)], line[1]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            tokens, label = [], ""
        if not tokens:
            raise TextError(f"{path}, line {number}: a line must have tokens and a label, got {line[:40]!r}; mend it")
        sentences.append(tokens)
        labels.append(label)
    return sentences, labels


def means(sentences: list[list[str]], words: WordVectors, elmo: ElmoEmbedder) -> dict[str, Tensor]:
    """By what a sentence is made of, (num_sentences, dim) float32."""
    lowered = ([token.lower() for token in tokens] for tokens in sentences)
    static = torch.stack([words(words.words_to_ids([tokens]))[0].mean(dim=0).detach() for tokens in lowered])
    vectors = tqdm(elmo.embed_sentences(sentences), total=len(sentences), desc="embedding", unit=" sentence")
    layers = torch.stack([torch.from_numpy(layer).mean(dim=1) for layer in vectors]).unbind(dim=1)
    names = ("token layer", *(f"LSTM {number}" for number in range(1, len(layers))))
    return {
        "word vectors": static,
        **dict(zip(names, layers, strict=True)),
        "all layers": torch.cat(layers, dim=1),
        "word vectors and all layers": torch.cat([static, *layers], dim=1),
    }


def probe(train: Path, dev: Path, words: WordVectors, elmo: ElmoEmbedder) -> str:
    """The accuracy on DEV of a classifier of each kind of vectors, as a table in Markdown.

    Raises:
        TextError: a file cannot be used, or DEV has a label that TRAIN has not.
    """
    (train_sentences, train_labels), (dev_sentences, dev_labels) = read(train), read(dev)
    numbers = {label: number for number, label in enumerate(sorted(set(train_labels)))}
    if unknown := sorted(set(dev_labels) - numbers.keys()):
        raise TextError(f"{train} must hold every label of {dev}, it has no {', '.join(unknown)}; mend a part")
    targets, dev_targets = (torch.tensor([numbers[label] for label in some]) for some in (train_labels, dev_labels))
    train_vectors, dev_vectors = means(train_sentences, words, elmo), means(dev_sentences, words, elmo)
    is_held_out = torch.arange(len(targets)) % HELD_OUT == 0
    lines = ["| mean of | accuracy |", "| --- | ---: |"]
    for name, vectors in train_vectors.items():
        learned, chosen = (Part(vectors[some], targets[some]) for some in (~is_held_out, is_held_out))
        share = accuracy(learned, chosen, Part(dev_vectors[name], dev_targets))
        lines.append(f"| {name} | {share:.1%} ± {half_width(share, len(dev_targets)):.1%} |")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, print the table."""
    description, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("--model", default="default", help="a model's name or folder (default: %(default)s)")
    parser.add_argument("--vectors", default="swivel-100", help="a text embedding (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        table = TextEmbedding.load(arguments.vectors)
        words = WordVectors(table.vocabulary, table.embedding_matrix[: len(table.vocabulary)])
        print(probe(arguments.train, arguments.dev, words, ElmoEmbedder.from_pretrained(arguments.model)))
    except (PytorchElmoError, OSError, UnicodeDecodeError) as error:
        sys.exit(f"probe_sentences.py: {error}")


if __name__ == "__main__":
    main()
