"""Put word vectors of `elmo swivel` into the package, in half precision, and fill in their card.

    python scripts/package_swivel.py RUN NAME

RUN is the output folder of a finished `elmo swivel`; NAME a folder of src/pytorch_elmo/pretrained that holds the
card, README.md. What stands between its marks is written anew: `files`, `texts`, `training`, and `neighbours`, of the
words that are there already, one a row.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from package_default_model import replace_between
from pytorch_elmo.errors import PytorchElmoError, TextError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.static_embeddings import TextEmbedding
from pytorch_elmo.static_embeddings.text_embedding_file import TENSOR_FILE, VOCABULARY_FILE
from pytorch_elmo.static_training.job import DESCRIPTION, WORDS
from pytorch_elmo.static_training.outputs import TEXT_EMBEDDING
from pytorch_elmo.static_training.words import read_words

PACKAGE = Path(__file__).parents[1] / "src" / "pytorch_elmo" / "pretrained"
NUM_NEIGHBOURS = 6


def files_table(folder: Path) -> str:
    """Names, sizes and hashes of what ships."""
    lines = ["| file | bytes | sha256 |", "| --- | ---: | --- |"]
    for path in (folder / TENSOR_FILE, folder / VOCABULARY_FILE):
        lines.append(f"| `{path.name}` | {path.stat().st_size:,} | `{sha256_of(path)}` |")
    return "\n".join(lines)


def texts_table(document: dict[str, Any]) -> str:
    """Names, sizes and hashes of the files that were counted."""
    lines = ["| text | bytes | sha256 |", "| --- | ---: | --- |"]
    for text in document["counting"]["texts"]:
        lines.append(f"| `{text['name']}` | {text['bytes']:,} | `{' '.join(text['sha256'])}` |")
    return "\n".join(lines)


def training(document: dict[str, Any], rarest: int) -> str:
    """Sizes, settings, and how the loss fell."""
    counting, losses = document["counting"], document["losses"]
    share = counting["num_tokens_in_vocabulary"] / counting["num_tokens"]
    settings = {**counting["config"], **document["training"]}
    told = ", ".join(f"{name} {value}" for name, value in settings.items() if value not in (None, False))
    epochs = sorted({1, 2, len(losses) // 2 + 1, len(losses) - 1, len(losses)} & {*range(1, len(losses) + 1)})
    return "\n".join(
        [
            f"- {counting['num_tokens']:,} tokens, {share:.1%} of them among the {document['num_words']:,} words; "
            f"the rarest word stands {rarest} times; {document['num_pairs']:,} pairs were seen",
            f"- settings: {told}",
            "- mean loss of a pair: " + ", ".join(f"{losses[epoch - 1]:.5f} in epoch {epoch}" for epoch in epochs),
        ]
    )


def neighbours(embedding: TextEmbedding, words: list[str]) -> str:
    """The nearest words by cosine, a row for each word."""
    table = F.normalize(embedding.embedding_matrix.detach()[: len(embedding.vocabulary)])
    lines = ["| word | nearest by cosine |", "| --- | --- |"]
    if missing := [word for word in words if word not in embedding.vocabulary]:
        raise TextError(f"the card's words must have vectors, {', '.join(missing)} have none; put others there")
    for word in words:
        place = embedding.vocabulary.index(word)
        nearest = (table @ table[place]).topk(NUM_NEIGHBOURS + 1).indices.tolist()
        lines.append(f"| {word} | {', '.join(embedding.vocabulary[other] for other in nearest if other != place)} |")
    return "\n".join(lines)


def words_of_card(card: str) -> list[str]:
    """The first cells of the rows between the marks `neighbours`."""
    part = card.partition("<!-- neighbours -->")[2].partition("<!-- /neighbours -->")[0]
    return re.findall(r"^\| (\S+) \|", part, flags=re.MULTILINE)[2:]


def main() -> None:
    description, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="output folder of elmo swivel")
    parser.add_argument("name", help="folder of src/pytorch_elmo/pretrained")
    arguments = parser.parse_args()
    folder = PACKAGE / arguments.name
    try:
        package(arguments.run, folder)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"package_swivel.py: {error}")
    print((folder / "README.md").read_text("utf-8"))


def package(run: Path, folder: Path) -> None:
    """Store the model in `folder`, read it back, and fill in the card there."""
    document = json.loads((run / DESCRIPTION).read_text("utf-8"))
    TextEmbedding.load(run / TEXT_EMBEDDING).save(folder, dtype=torch.float16)
    embedding = TextEmbedding.load(folder)
    card = (folder / "README.md").read_text("utf-8")
    for name, content in (
        ("files", files_table(folder)),
        ("texts", texts_table(document)),
        ("training", training(document, read_words(run / WORDS)[-1][1])),
        ("neighbours", neighbours(embedding, words_of_card(card))),
    ):
        card = replace_between(card, name, content)
    with whole_file(folder / "README.md") as partial:
        partial.write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
