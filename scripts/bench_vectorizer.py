"""How fast texts become ids here and in TensorFlow: `adapt` and a call of the text vectoriser on 25,000 texts.

    python scripts/bench_vectorizer.py [FOLDER] [--peer PYTHON] [--rounds 3] [--texts 25000] [--json FILE]

FOLDER holds a text a file, FOLDER/*/*.txt in UTF-8, as aclImdb/train does; without it the texts are made up. PYTHON
is the interpreter of an environment that has TensorFlow; without it, or where it has none, only our own speed is
measured. Both standardise as the warm-start tutorial does, learn 10,000 tokens and keep 100 words a text; TensorFlow
takes batches of 1,024 from memory, in parallel. What is shown is the fastest of the rounds in seconds, and whether
both learn the same vocabulary and give the same ids.
"""

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import click

from bench.sentences import sentences
from pytorch_elmo.text import TextVectorizer, strip_html_and_punctuation

Figures = dict[str, float | str]

MAX_TOKENS, LENGTH, BATCH_SIZE = 10_000, 100, 1024
SENTENCES_PER_TEXT = 10  # 230 words, as a review has
PEER = f"""
import hashlib, json, re, string, sys, time
import tensorflow as tf

texts = json.load(open(sys.argv[1], encoding="utf-8"))

def standardize(text):
    spaced = tf.strings.regex_replace(tf.strings.lower(text), "<br />", " ")
    return tf.strings.regex_replace(spaced, "[%s]" % re.escape(string.punctuation), "")

batches = tf.data.Dataset.from_tensor_slices(texts).batch({BATCH_SIZE}).cache()
for batch in batches:
    pass
figures = {{"adapt": [], "transform": []}}
for _ in range(int(sys.argv[2])):
    layer = tf.keras.layers.TextVectorization({MAX_TOKENS}, standardize, output_sequence_length={LENGTH})
    began = time.perf_counter()
    layer.adapt(batches)
    figures["adapt"].append(time.perf_counter() - began)
    began = time.perf_counter()
    rows = [ids for ids in batches.map(layer, num_parallel_calls=tf.data.AUTOTUNE)]
    figures["transform"].append(time.perf_counter() - began)
figures = {{name: min(seconds) for name, seconds in figures.items()}}
vocabulary = "\\n".join(layer.get_vocabulary()).encode()
figures["digest"] = hashlib.sha256(vocabulary + tf.concat(rows, 0).numpy().tobytes()).hexdigest()
print(json.dumps(figures))
"""


def read_texts(folder: Path | None, count: int) -> list[str]:
    """The texts of a folder, or made-up ones."""
    if folder is not None:
        return [path.read_text("utf-8") for path in islice(sorted(folder.glob("*/*.txt")), count)]
    made_up = (" ".join(sentence) for sentence in sentences(count * SENTENCES_PER_TEXT))
    return [" ".join(islice(made_up, SENTENCES_PER_TEXT)) for _ in range(count)]


def fastest(action: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest run."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def has_tensorflow(python: str) -> bool:
    """Whether an interpreter can import it."""
    return not subprocess.run([python, "-c", "import tensorflow"], capture_output=True, check=False).returncode


def figures_from(python: str, program: str, *arguments: str) -> Figures:
    """What a program run by another interpreter prints as JSON in its last line."""
    done = subprocess.run([python, "-c", program, *arguments], capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def report(figures: Figures, json_file: Path | None) -> None:
    """Print figures, and keep them in a file if one is given."""
    for what, value in figures.items():
        click.echo(f"{what:32} {value if isinstance(value, str) else f'{value:,.3f}'}")
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")


def measure_ours(texts: list[str], rounds: int) -> Figures:
    """Seconds to learn and to look up, and a digest of vocabulary and ids."""
    vectorizer = TextVectorizer(MAX_TOKENS, strip_html_and_punctuation, output_sequence_length=LENGTH)
    figures: Figures = {"adapt": fastest(lambda: vectorizer.adapt(texts), rounds)}
    figures["transform"] = fastest(lambda: vectorizer(texts), rounds)
    content = "\n".join(vectorizer.get_vocabulary()).encode() + vectorizer(texts).numpy().tobytes()
    return figures | {"digest": hashlib.sha256(content).hexdigest()}


def measure_peer(peer: str, texts: list[str], rounds: int) -> Figures | None:
    """The same of TensorFlow; None where the interpreter has none."""
    if not has_tensorflow(peer):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        return figures_from(peer, PEER, str(path), str(rounds))


def compare(texts: list[str], peer: str | None, rounds: int) -> Figures:
    """Our seconds, and where there is a peer its seconds, how many times ours these are, and whether all is equal."""
    ours = measure_ours(texts, rounds)
    figures: Figures = {"texts": float(len(texts))}
    figures |= {f"{name}, seconds": ours[name] for name in ("adapt", "transform")}
    theirs = measure_peer(peer, texts, rounds) if peer else None
    if theirs is None:
        return figures | {"TensorFlow": "skipped, it is not there"}
    for name in ("adapt", "transform"):
        figures[f"{name}, TensorFlow's seconds"] = theirs[name]
        figures[f"{name}, TensorFlow / ours"] = float(theirs[name]) / float(ours[name])
    return figures | {"vocabulary and ids": "equal" if ours["digest"] == theirs["digest"] else "differ"}


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--peer", help="A Python interpreter that has TensorFlow.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--texts", "count", default=25_000, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(folder: Path | None, peer: str | None, rounds: int, count: int, json_file: Path | None) -> None:
    """Measure and print."""
    report(compare(read_texts(folder, count), peer, rounds), json_file)


if __name__ == "__main__":
    main()
