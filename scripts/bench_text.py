"""How fast sentences become vectors, and texts ids, here and in TensorFlow: Swivel embeddings and TextVectorization.

    python scripts/bench_text.py [FOLDER] [--peer-python PYTHON] [--rounds 3] [--texts 25000] [--json FILE]

FOLDER holds a text a file, FOLDER/*/*.txt in UTF-8, as aclImdb/train does; without it the texts are made up. PYTHON
is the interpreter of an environment that has TensorFlow and NumPy; without it, or where it has none, only our own
speed is measured. Both embed by one table of the texts' 20,000 most frequent tokens, 20 numbers each, and a bucket,
in batches of 512, PyTorch in one thread (a second one adds little, and waits where processors are busy), TensorFlow
in as many as it takes. TensorFlow exports it as its hub does; opening that SavedModel and embedding a first sentence
is measured on both sides in processes that have imported what they need. What is shown is the fastest of the rounds
in seconds, how many times ours TensorFlow's are (goals: embed 3, open 10, adapt 1, transform 1), and the largest
difference between the vectors. `bench_vectorizer.py` is the part on ids.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path

import click
import numpy as np
import torch

from bench_vectorizer import Figures, fastest, figures_from, has_tensorflow, read_texts, report
from bench_vectorizer import compare as compare_vectorizers
from pytorch_elmo.static_embeddings import TextEmbedding
from pytorch_elmo.text.token_file import write_token_file

NUM_WORDS, DIMENSION, BATCH_SIZE = 20_000, 20, 512
FIRST_SENTENCE = "cat is on the mat"
PEER = f"""
import json, pathlib, sys, time
import numpy as np
import tensorflow as tf

folder, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
texts = json.loads((folder / "texts.json").read_text("utf-8"))

class Embedding(tf.Module):
    def __init__(self, tokens, matrix):
        index = tf.lookup.TextFileIndex
        reader = tf.lookup.TextFileInitializer(tokens, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
        self.table = tf.lookup.StaticVocabularyTable(reader, num_oov_buckets=1)
        self.embeddings = tf.Variable(matrix)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, sentences):
        tokens = tf.strings.split(sentences, " ").to_sparse()
        ids = tf.SparseTensor(tokens.indices, self.table.lookup(tokens.values), tokens.dense_shape)
        return tf.nn.safe_embedding_lookup_sparse(self.embeddings, ids, combiner="sqrtn")

def fastest(action):
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return min(seconds)

def embed():
    batches = [model(tf.constant(texts[first:first + {BATCH_SIZE}])) for first in range(0, len(texts), {BATCH_SIZE})]
    return np.concatenate([batch.numpy() for batch in batches])

saved = str(folder / "model")
tf.saved_model.save(Embedding(str(folder / "tokens.txt"), np.load(folder / "matrix.npy")), saved)
figures = {{"open": fastest(lambda: tf.saved_model.load(saved)(tf.constant(["{FIRST_SENTENCE}"])).numpy())}}
model = tf.saved_model.load(saved)
figures["embed"] = fastest(embed)
np.save(folder / "vectors.npy", embed())
print(json.dumps(figures))
"""


def embedding_for(texts: list[str]) -> TextEmbedding:
    """A table of the most frequent tokens, of random numbers."""
    counts = Counter(token for text in texts for token in text.split(" ") if token and "\n" not in token)
    torch.manual_seed(0)
    return TextEmbedding([token for token, _ in counts.most_common(NUM_WORDS)], DIMENSION, trainable=False)


def embed(embedding: TextEmbedding, texts: list[str]) -> torch.Tensor:
    """Vectors of all texts, batch by batch."""
    return torch.cat([embedding(texts[first : first + BATCH_SIZE]) for first in range(0, len(texts), BATCH_SIZE)])


def open_and_embed(folder: Path) -> None:
    """A SavedModel's first vector."""
    TextEmbedding.from_saved_model(folder)([FIRST_SENTENCE])


def run_peer(python: str, embedding: TextEmbedding, texts: list[str], folder: Path, rounds: int) -> Figures | None:
    """TensorFlow's seconds; its SavedModel and its vectors are left in `folder`. None where it is not there."""
    if not has_tensorflow(python):
        return None
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    write_token_file(folder / "tokens.txt", embedding.vocabulary)
    np.save(folder / "matrix.npy", embedding.embedding_matrix.numpy())
    return figures_from(python, PEER, str(folder), str(rounds))


def compare(texts: list[str], peer_python: str | None, rounds: int) -> Figures:
    """Our seconds; where there is a peer its own, how many times ours these are, and how far the vectors differ."""
    embedding = embedding_for(texts)
    num_tokens = len(embedding.sentences_to_ids(texts).ids)
    ours = {"embed": fastest(lambda: embed(embedding, texts), rounds)}
    figures: Figures = {"tokens": float(num_tokens), "embed, seconds": ours["embed"]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = run_peer(peer_python, embedding, texts, folder, rounds) if peer_python else None
        if theirs is None:
            return figures | {"TensorFlow, embeddings": "skipped, it is not there"}
        ours["open"] = fastest(lambda: open_and_embed(folder / "model"), rounds)
        vectors = embed(TextEmbedding.from_saved_model(folder / "model", trainable=False), texts)
        difference = float(np.abs(vectors.numpy() - np.load(folder / "vectors.npy")).max())
    figures["open, seconds"] = ours["open"]
    for part, seconds in ours.items():
        figures[f"{part}, TensorFlow's seconds"] = theirs[part]
        figures[f"{part}, TensorFlow / ours"] = float(theirs[part]) / seconds
    return figures | {"largest difference": f"{difference:.1e}"}


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--peer-python", help="A Python interpreter that has TensorFlow.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--texts", "count", default=25_000, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(folder: Path | None, peer_python: str | None, rounds: int, count: int, json_file: Path | None) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    texts = read_texts(folder, count)
    report(compare(texts, peer_python, rounds) | compare_vectorizers(texts, peer_python, rounds), json_file)


if __name__ == "__main__":
    main()
