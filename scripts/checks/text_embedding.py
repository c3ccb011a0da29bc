"""Text embeddings against TensorFlow 2.15.1 and its hub: vectors, tables, vocabularies, hashes, graphs and files."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from checks.graphs import facts_of
from checks.ledger import Array, Golden, GoldenFile
from pytorch_elmo.errors import TextError
from pytorch_elmo.formats import TensorBundle, read_saved_model
from pytorch_elmo.static_embeddings import TextEmbedding
from pytorch_elmo.text.fingerprint64 import fingerprint64, hash_buckets
from pytorch_elmo.text.token_file import read_token_file

VECTOR_TOLERANCE = 1e-6  # the same float32 numbers, added in another order
FOLDERS = ("hub", "hub_v1")  # of TF2, of TF1
LONGEST_KEY = 200  # a longer one stands by its hash
# What makes a model is compared with what was read of it; these say how it was made, or repeat other facts.
RECORDS = ("about", "tensorflow", "checkpoint", "parts", "dtype", "dim")


def check_text_embeddings(golden: Golden) -> None:
    """Every model: its table, the rows of its tokens, its vectors."""
    for folder in FOLDERS:
        arrays, document = golden.arrays(f"{folder}_outputs.npz"), golden.entries(f"{folder}_outputs.json")
        for name in RECORDS:
            if name in document:
                document.take(name)
        sentences, vocabulary = document.take("sentences"), document.take("vocabulary")
        for name, facts in document.take("models").items():
            embedding = TextEmbedding.from_saved_model(_whole_model(golden, f"{folder}/{name}"))
            document.compared += 1
            if difference := _difference(embedding, facts | {"vocabulary": vocabulary}, sentences):
                document.fault(f"{name}: {difference} differs")
            arrays.equal(f"{name}/embeddings", embedding.embedding_matrix)
            arrays.compare(f"{name}/out", embedding(sentences), VECTOR_TOLERANCE)


def _whole_model(golden: Golden, path: str) -> Path:
    """A model's folder; `fingerprint.pb` names it and holds nothing to compare."""
    for file in golden.found(f"{path}/**/*"):
        golden.use(file)
    return golden.folder / path


def _difference(embedding: TextEmbedding, facts: dict[str, Any], sentences: list[str]) -> str:
    """The name of a fact that is read otherwise."""
    ids, offsets = embedding.sentences_to_ids(sentences)
    rows = [part.tolist() for part in ids.tensor_split(offsets[1:])]
    found = {
        "vocabulary": embedding.vocabulary,
        "dim": embedding.dimension,
        "dtype": str(embedding.embedding_matrix.dtype).removeprefix("torch."),
        "oov_buckets": embedding.settings.num_oov_buckets,
        "strip_punctuation": embedding.settings.remove_punctuation,
        "full_text": embedding.settings.split,
        "token_ids": rows,
    }
    if "token_ids" in facts:  # without buckets, -1 for tokens that count for nothing
        facts = facts | {"token_ids": [[row for row in part if row >= 0] for part in facts["token_ids"]]}
    return next((name for name in found.keys() & facts.keys() if found[name] != facts[name]), "")


def check_graphs(golden: Golden) -> None:
    """What every `saved_model.pb` says."""
    document = golden.entries("graph_facts.json")
    for name in list(document):
        document.equal(name, facts_of(read_saved_model(golden.folder / name)))


def check_fingerprints(golden: Golden) -> None:
    """Every string's fingerprint, and its bucket among eleven numbers of these."""
    document = golden.entries("fingerprint64.json")
    document.take("about")
    strings = [bytes.fromhex(text) for text in document.take("hex")]
    document.equal("fingerprint64", [str(value) for value in fingerprint64(strings)])
    buckets = document.take("buckets")
    for num_buckets, expected in buckets.items():
        document.compared += 1
        if hash_buckets(strings, int(num_buckets)).tolist() != expected:
            document.fault(f"buckets of {num_buckets} differ")


def check_token_files(golden: Golden) -> None:
    """Every vocabulary file: the rows of some keys, or that it is refused."""
    document = golden.entries("token_files.json")
    document.take("about")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.txt"
        for case in document.take("files"):
            path.write_bytes(case["file"].encode("utf-8"))
            document.compared += 1
            if _rows_of_keys(path, list(case.get("ids", ()))) != case.get("ids"):
                document.fault(f"the file {case['file']!r} is read otherwise")


def _rows_of_keys(path: Path, keys: list[str]) -> dict[str, int] | None:
    """As a table with one bucket has them; None if the file is refused."""
    try:
        tokens = read_token_file(path)
    except TextError:
        return None
    rows = {token: row for row, token in enumerate(tokens)}
    return {key: rows.get(key, len(tokens)) for key in keys}


def check_bundles(golden: Golden) -> None:
    """Every tensor of every checkpoint, byte by byte."""
    document, arrays = golden.entries("bundles.json"), golden.arrays("bundles.npz")
    document.take("about")
    for prefix, tensors in document.take("bundles").items():
        for file in golden.found(f"{prefix}.*"):
            golden.use(file)
        bundle = TensorBundle(golden.folder / prefix)
        names = {_key_of(name): name for name in bundle}
        if names.keys() != tensors.keys():
            document.fault(f"{prefix} has other tensors")
        for key in names.keys() & tensors.keys():
            name, expected = names[key], tensors[key]
            if (bundle.dtype(name), list(bundle.shape(name))) != (expected["dtype"], expected["shape"]):
                document.fault(f"{prefix}: {name} has another dtype or shape")
            _compare_tensor(
                f"{prefix}: {name}", _stored(bundle.read(name), expected["dtype"]), expected, document, arrays
            )


def _key_of(name: str) -> str:
    key = name.encode("utf-8", "surrogateescape")
    return key.hex() if len(key) < LONGEST_KEY else "sha256:" + hashlib.sha256(key).hexdigest()


def _stored(values: Array, dtype: str) -> Array:
    """bfloat16 as the upper half of float32, which is what is stored."""
    return (values.view(np.uint32) >> 16).astype(np.uint16) if dtype == "bfloat16" else values


def _compare_tensor(
    name: str, values: Array, expected: dict[str, Any], document: GoldenFile, arrays: GoldenFile
) -> None:
    if "array" in expected:
        arrays.equal(expected["array"], values)
        return
    document.compared += 1
    if "length" in expected:  # of TensorFlow's own description of objects
        same = len(values[()]) == expected["length"]
    elif "hex" in expected:
        same = [element.hex() for element in values.reshape(-1)] == expected["hex"]
    else:
        same = values.tobytes().hex() == expected["bytes"]
    if not same:
        document.fault(f"{name} differs")


CHECKS: tuple[Callable[[Golden], None], ...] = (
    check_text_embeddings,
    check_graphs,
    check_fingerprints,
    check_token_files,
    check_bundles,
)
