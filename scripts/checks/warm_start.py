"""Texts to ids and embedding matrices for another vocabulary, against TensorFlow 2.15.1."""

import os
import tempfile
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from checks.ledger import Array, Golden, GoldenFile
from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.static_embeddings import warmstart_embedding_matrix
from pytorch_elmo.text import TextVectorizer, strip_html_and_punctuation

# What the set-ups adapt to that do not adapt to the corpus, and the vocabularies of those that fail.
OTHER_TEXTS = {"ties": ["b a b a c d Z z é ü 日本 A B"], "adapt-oov-words": ["[UNK] x x a"]}
OTHER_VOCABULARIES: dict[str, list[str]] = {
    "given-duplicates": ["the", "movie", "the"],
    "given-too-many": ["the", "movie", "great"],
    "given-empty": [],
}
OWN_ERROR = "InvalidArgumentError"  # TensorFlow's, which no other package can raise
SINGLE_TEXT = "the movie"
NUM_TRAINED_TEXTS = 96  # of the tutorial in small; the others validate


def check_vectorizers(golden: Golden) -> None:
    """Every set-up of `TextVectorization`: its vocabulary, its ids, or its error."""
    facts = golden.entries("textvec.json")
    for name in ("about", "tensorflow", "default_strip_regex", "tutorial_regex", "standardized", "split_whitespace"):
        facts.take(name)
    corpus, texts, cases = (facts.take(name) for name in ("corpus", "texts", "cases"))
    for case in cases:
        compare_case(facts, case, partial(vectorized, case, corpus, texts))
    check_standardized_texts(facts, texts)


def vectorized(case: dict[str, Any], corpus: list[str], texts: list[str]) -> dict[str, Any]:
    """What a set-up gives, in the words of the golden file."""
    arguments = dict(case["arguments"])
    if arguments.get("standardize") == "tutorial":
        arguments["standardize"] = strip_html_and_punctuation
    vocabulary = case.get("vocabulary_argument", OTHER_VOCABULARIES.get(case["name"]))
    vectorizer = TextVectorizer(**arguments, vocabulary=vocabulary)
    if vocabulary is None:
        vectorizer.adapt(OTHER_TEXTS.get(case["name"], corpus))
    vectors, single = vectorizer(texts), vectorizer(SINGLE_TEXT)
    facts: dict[str, Any] = {
        "get_vocabulary": vectorizer.get_vocabulary(),
        "get_vocabulary_without_special": vectorizer.get_vocabulary(include_special_tokens=False),
        "vocabulary_size": vectorizer.vocabulary_size(),
        "scalar_input_ids": single.tolist(),
        "scalar_input_shape": list(single.shape),
    }
    if vectors.is_nested:
        return facts | {"ids": [row.tolist() for row in vectors.unbind()]}
    ids = vectors.tolist()
    if vectors.dtype == torch.int64 and vectors.dim() > 1:
        ids = [np.trim_zeros(row, "b") for row in ids]
    return facts | {"ids": ids, "shape": list(vectors.shape), "dtype": str(vectors.dtype).removeprefix("torch.")}


def check_standardized_texts(facts: GoldenFile, texts: list[str]) -> None:
    """The texts themselves, as vocabularies of what is not split, and as words."""
    standardized = facts.take("standardized")
    for name, standardize in (("lower_and_strip_punctuation",) * 2, ("tutorial", strip_html_and_punctuation)):
        vectorizer = TextVectorizer(standardize=standardize, split=None)
        for text, expected in zip(texts, standardized[name], strict=True):
            if expected:
                vectorizer.adapt([text])
                note(facts, f"standardized/{name}: {text!r}", vectorizer.get_vocabulary()[2:], [expected])
    words_of = TextVectorizer(standardize=None)
    for text, words in zip(texts, facts.take("split_whitespace"), strict=True):
        if words and "[UNK]" not in words:
            words_of.adapt([text])
            vocabulary = words_of.get_vocabulary()
            note(facts, f"split: {text!r}", [vocabulary[place] for place in words_of(text).tolist()], words)


def compare_case(facts: GoldenFile, case: dict[str, Any], call: Callable[[], dict[str, Any]]) -> None:
    """Hold what a call gives, or the class of its error, to a case."""
    expected = case.get("error", {}).get("type")
    try:
        found = call()
    except PytorchElmoError as error:
        classes = [kind.__name__ for kind in type(error).__mro__] + [OWN_ERROR]
        note(facts, f"{case['name']}: {error}", expected in classes, True)
        return
    note(facts, f"{case['name']}: no error", expected, None)
    for name, value in found.items():
        note(facts, f"{case['name']}/{name}", value, case[name])


def note(facts: GoldenFile, name: str, ours: object, theirs: object) -> None:
    """Count a comparison inside of an entry; a difference is a fault."""
    facts.compared += 1
    if ours != theirs:
        facts.fault(f"{name} is {ours!r:.60}, there {theirs!r:.60}")


def check_matrices(golden: Golden) -> None:
    """Every case of `warmstart_embedding_matrix`: bit for bit, but rows drawn at random; or its error."""
    facts, arrays = golden.entries("warmstart.json"), golden.arrays("warmstart.npz")
    for name in ("about", "signature", "tensorflow"):
        facts.take(name)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for case in facts.take("cases"):
            compare_case(facts, case, partial(compared_matrix, case, arrays, matrix_arguments(case, arrays)))


def compared_matrix(case: dict[str, Any], arrays: GoldenFile, arguments: list[Any]) -> dict[str, Any]:
    """Compare the numbers; what else there is to compare."""
    matrix = np.asarray(warmstart_embedding_matrix(*arguments))
    if "error" not in case:
        name = f"{case['name']}/out"
        if case["random"]:
            theirs: Array = arrays.take(name)
            copied = [row for row, old in enumerate(case["copied_from"]) if old is not None]
            note(arrays, name, matrix[copied].tobytes(), theirs[copied].tobytes())
        else:
            arrays.equal(name, matrix)
    return {"shape": list(matrix.shape), "out_dtype": str(matrix.dtype)}


def matrix_arguments(case: dict[str, Any], arrays: GoldenFile) -> list[Any]:
    """The vocabularies, the embeddings and the initialiser, if there is one, of a case."""
    embeddings = arrays.take(f"{case['name']}/emb")
    if case["emb_kind"] in ("tensor", "variable"):
        embeddings = torch.nn.Parameter(torch.from_numpy(embeddings), requires_grad=case["emb_kind"] == "variable")
    elif case["emb_kind"] == "nested-list":
        embeddings = embeddings.tolist()
    arguments = [vocabulary_of(case[f"{which}_kind"], case[which]) for which in ("base", "new")] + [embeddings]
    init = case["init"]
    if init["kind"] == "constant-matrix":
        return [*arguments, arrays.take(f"{case['name']}/init")]
    if init["kind"] == "constant":
        return [*arguments, np.array(init["value"])]
    if init["kind"] == "config":
        return [*arguments, init]
    return arguments if init["kind"] == "absent" else [*arguments, init.get("name", init.get("value"))]


def vocabulary_of(kind: str, words: Any) -> Any:
    """A vocabulary of a kind; TensorFlow's strings are bytes, so its tensors are arrays of bytes here."""
    if kind == "file":
        descriptor, name = tempfile.mkstemp(dir=Path.cwd())
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(words)
        return name
    if kind in ("tensor", "bytes-list"):
        words = [word.encode() for word in words]
    made: dict[str, Callable[[Any], Any]] = {
        "tensor": lambda words: np.array(words, dtype=object),
        "object-ndarray": lambda words: np.array(words, dtype=object),
        "ndarray": np.array,
        "tuple": tuple,
        "set": set,
        "iterator": iter,
        "missing-file": lambda _: "no-such-file.txt",
        "path-object": lambda _: Path("words.txt"),
        "none": lambda _: None,
    }
    return made.get(kind, list)(words)


def check_tutorial_vocabularies(golden: Golden) -> None:
    """The tutorial in small: ids with both vocabularies, the new words, the matrix that begins with given numbers."""
    facts, arrays = golden.leaves("warm_tutorial.json"), golden.arrays("warm_tutorial.npz")
    texts, length = facts.take("texts"), facts.take("sequence_length")
    vocabularies = {}
    for which in ("base", "new"):
        max_tokens = len(facts.take(f"vocab_{which}"))
        vectorizer = TextVectorizer(max_tokens, strip_html_and_punctuation, output_sequence_length=length)
        vectorizer.adapt(texts[:NUM_TRAINED_TEXTS])
        vocabularies[which] = vectorizer.get_vocabulary()
        facts.equal(f"vocab_{which}", vocabularies[which])
        facts.equal(f"ids_{which}", vectorizer(texts).tolist())
    base, new = vocabularies["base"], vocabularies["new"]
    facts.equal("only_in_new", sorted(set(base) ^ set(new)))
    trained = arrays.take("after_first/embeddings")
    updated = warmstart_embedding_matrix(base, new, trained, arrays.take("fresh"))
    arrays.equal("updated", updated)
    facts.equal("the_rows_equal", (updated[new.index("the")] == trained[base.index("the")]).tolist())


CHECKS = (check_vectorizers, check_matrices, check_tutorial_vocabularies)
