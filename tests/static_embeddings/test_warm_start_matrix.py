"""A matrix for another vocabulary: every case that Keras ran, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pytorch_elmo import warmstart_embedding_matrix
from pytorch_elmo.errors import ArgumentTypeError, ArgumentValueError, ConfigurationError, PytorchElmoError
from pytorch_elmo.text.vocabulary import Vocabulary

CASES, FAILING = 91, 26
ERRORS = {
    "AttributeError": AttributeError,
    "IndexError": IndexError,
    "InvalidArgumentError": ConfigurationError,  # TensorFlow's own
    "TypeError": TypeError,
    "ValueError": ValueError,
}
# What a message has to speak of.
SENSES = {
    "int32-uniform": r"random rows must be of a floating dtype, the embeddings are torch\.int32; convert",
    "nested-list-embeddings": "embeddings must be an array or a tensor, got <class 'list'>; convert",
    "file-empty": "at least one word, got 0",
    "file-missing": r"no-such-file\.txt does not exist; name",
    "file-missing-base": r"no-such-file\.txt does not exist; name",
    "path-object": r"a vocabulary must be a list, .*, got <class 'pathlib.*Path'>; convert it, .*str\(\)",
    "empty-base": "at least one word, got 0; give",
    "empty-new": "at least one word, got 0; give",
    "empty-both": "at least one word, got 0; give",
    "set-vocab": r"a vocabulary must be a list, .* got <class 'set'>; convert",
    "iterator-vocab": r"a vocabulary must be a list, .* got <class 'list_iterator'>; convert",
    "none-vocab": r"a vocabulary must be a list, .* got <class 'NoneType'>; convert",
    "none-new-vocab": r"a vocabulary must be a list, .* got <class 'NoneType'>; convert",
    "fewer-rows-than-words": "must have a row for 'c', word 2 of the base vocabulary, got 2 rows; give",
    "rank-1-embeddings": r"embeddings must be \(num_rows, dim\), got the shape \(\d+,\); reshape",
    "rank-3-embeddings": r"embeddings must be \(num_rows, dim\), got the shape \(\d+, \d+, \d+\); reshape",
    "zero-width": r"rows of embeddings must have columns, got the shape \(2, 0\)",
    "matrix-wrong-rows": r"must have the shape \(6, 3\), or as many numbers, got \(5, 3\); give a row",
    "matrix-too-many-rows": r"must have the shape \(6, 3\), or as many numbers, got \(8, 3\); give a row",
    "matrix-wrong-dim": r"must have the shape \(6, 3\), or as many numbers, got \(6, 4\); give a row",
    "matrix-broadcast-row": r"must have the shape \(6, 3\), or as many numbers, got \(1, 3\); give a row",
    "matrix-broadcast-vector": r"must have the shape \(7, 3\), or as many numbers, got \(3,\); give a row",
    "matrix-one-value": r"one number that fills a matrix must have no axis, got the shape \(1, 1\); squeeze",
    "init-none": "an initializer must be given, got None; leave it out",
    "init-unknown-name": "unknown initializer 'no_such'; known are zeros",
    "init-number": "an initializer must be a name, .* got 3; for a number",
}


@pytest.fixture(scope="module")
def golden(test_data):
    folder = test_data / "golden" / "tf"
    cases = json.loads((folder / "warmstart.json").read_text("utf-8"))["cases"]
    with np.load(folder / "warmstart.npz") as file:
        arrays = dict(file)
    assert len(cases) == CASES
    return cases, arrays


def vocabulary_of(kind, words, folder):
    """TensorFlow's strings are bytes, so its tensors of words are arrays of bytes here."""
    if kind == "file":
        path = folder / f"{len(list(folder.iterdir()))}.txt"
        path.write_text(words, encoding="utf-8", newline="")
        return str(path)
    return {
        "list": list,
        "tuple": tuple,
        "set": set,
        "iterator": iter,
        "ndarray": np.array,
        "object-ndarray": lambda words: np.array(words, dtype=object),
        "bytes-list": lambda words: [word.encode() for word in words],
        "tensor": lambda words: np.array([word.encode() for word in words], dtype=object),
        "missing-file": lambda _: "no-such-file.txt",
        "path-object": lambda _: Path("words.txt"),
        "none": lambda _: None,
    }[kind](words)


def arguments_of(case, arrays, folder):
    embeddings = arrays[f"{case['name']}/emb"]
    kinds = {"tensor": torch.from_numpy, "variable": lambda array: nn.Parameter(torch.from_numpy(array))}
    kinds |= {"nested-list": np.ndarray.tolist, "ndarray": np.asarray}
    arguments = [
        vocabulary_of(case["base_kind"], case["base"], folder),
        vocabulary_of(case["new_kind"], case["new"], folder),
        kinds[case["emb_kind"]](embeddings),
    ]
    init = case["init"]
    if init["kind"] == "absent":
        return arguments
    initializer = {
        "name": init.get("name"),
        "constant": {"class_name": "Constant", "config": {"value": init.get("value")}},
        "constant-matrix": arrays.get(f"{case['name']}/init"),
        "config": init,
        "raw": init.get("value"),
        "none": None,
    }[init["kind"]]
    return [*arguments, initializer]


def test_every_case_that_keras_ran(golden, tmp_path):
    cases, arrays = golden
    failed = 0
    for case in cases:
        name, arguments = case["name"], arguments_of(case, arrays, tmp_path)
        if "error" in case:
            with pytest.raises(ERRORS[case["error"]["type"]], match=SENSES[name]) as caught:
                warmstart_embedding_matrix(*arguments)
            assert isinstance(caught.value, PytorchElmoError)
            assert "\n" not in str(caught.value)
            failed += 1
            continue
        matrix = warmstart_embedding_matrix(*arguments)
        assert type(matrix) is (np.ndarray if case["emb_kind"] == "ndarray" else torch.Tensor)
        matrix, expected = np.asarray(matrix), arrays[f"{name}/out"]
        assert (str(matrix.dtype), list(matrix.shape)) == (case["out_dtype"], case["shape"])
        golden_rows = [row for row, old in enumerate(case["copied_from"]) if old is not None or not case["random"]]
        assert matrix[golden_rows].tobytes() == expected[golden_rows].tobytes(), name
        fresh = np.delete(matrix, golden_rows, axis=0)
        assert np.isfinite(fresh.astype(np.float64)).all()
        assert len(np.unique(fresh)) == fresh.size
    assert failed == FAILING


def test_the_matrix_of_the_tutorial(test_data):
    """Its second cell, with a given matrix of float64: trained rows, then the given ones."""
    folder = test_data / "golden" / "tf"
    texts = json.loads((folder / "warm_tutorial.json").read_text("utf-8"))
    with np.load(folder / "warm_tutorial.npz") as file:
        trained, fresh, updated = file["after_first/embeddings"], file["fresh"], file["updated"]
    matrix = warmstart_embedding_matrix(texts["vocab_base"], texts["vocab_new"], trained, fresh)
    assert matrix.dtype == np.float32
    assert matrix.tobytes() == updated.tobytes()
    assert sorted(set(texts["vocab_new"]) - set(texts["vocab_base"])) == texts["only_in_new"]
    the = texts["vocab_new"].index("the"), texts["vocab_base"].index("the")
    assert (matrix[the[0]] == trained[the[1]]).tolist() == texts["the_rows_equal"]


BASE = torch.arange(6, dtype=torch.float32).reshape(3, 2)


@pytest.mark.parametrize(
    ("initializer", "fresh"),
    [
        (torch.zeros, [0, 0]),
        (lambda shape, dtype: torch.full(shape, 7, dtype=dtype), [7, 7]),
        (lambda shape, dtype: [[8.0, 8.0]] * shape[0], [8, 8]),
        (torch.tensor([[0.0, 0.0], [1.0, 2.0]]), [1, 2]),
        (np.array(3), [3, 3]),
        ("Ones", [1, 1]),
        ({"class_name": "Zeros"}, [0, 0]),
    ],
)
def test_initial_rows(initializer, fresh):
    matrix = warmstart_embedding_matrix(["a", "b", "c"], ["c", "x"], BASE, initializer)
    assert matrix.tolist() == [[4, 5], fresh]


@pytest.mark.parametrize(
    ("name", "most", "deviation"),
    [("uniform", 0.05, 0.05 / 3**0.5), ("glorot_uniform", 0.0347, 0.02), ("random_normal", 0.4, 0.05)],
)
def test_random_rows(name, most, deviation):
    torch.manual_seed(0)
    base = torch.ones(1, 1000)
    matrix = warmstart_embedding_matrix(["a"], [str(row) for row in range(4000)], base, name)
    assert matrix.abs().max() <= most
    assert matrix.std().item() == pytest.approx(deviation, rel=0.01)
    torch.manual_seed(0)
    assert torch.equal(matrix, warmstart_embedding_matrix(["a"], list(map(str, range(4000))), base, name))


def test_a_seed_of_its_own():
    config = {"class_name": "RandomUniform", "config": {"minval": 1.0, "maxval": 2.0, "seed": 5}}
    first, second = (warmstart_embedding_matrix(["a"], ["x", "y"], BASE, config) for _ in range(2))
    assert torch.equal(first, second)
    assert ((first >= 1) & (first <= 2)).all()


def test_vocabularies_of_this_package(small_vocabulary):
    base = torch.arange(2.0 * len(small_vocabulary)).reshape(-1, 2)
    word = small_vocabulary.tokens[5]
    matrix = warmstart_embedding_matrix(small_vocabulary, Vocabulary(["<S>", "</S>", "<UNK>", word]), base, "zeros")
    rows = [small_vocabulary.id_of(token) for token in ("<S>", "</S>", "<UNK>", word)]
    assert torch.equal(matrix, base[rows])


def test_what_comes_back():
    for base in (BASE.to(torch.bfloat16), nn.Parameter(BASE)):
        matrix = warmstart_embedding_matrix([1, 2, 3], torch.tensor([3, 9]), base, "zeros")
        assert (type(matrix), matrix.dtype, matrix.requires_grad) == (torch.Tensor, base.dtype, False)
        assert matrix.tolist() == [[4, 5], [0, 0]]
    given = torch.zeros(2, 2)
    assert warmstart_embedding_matrix(["a", "b", "c"], ["a", "b"], BASE, given)[1, 1] == 3
    assert given.abs().sum() == 0  # what was given stays as it is


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([["a"]], ["a"], BASE), ArgumentTypeError, r"words must be strings, got \['a'\]; flatten"),
        (
            (np.array([["a"]]), ["a"], BASE),
            ArgumentValueError,
            "a vocabulary must be .*, got 2 axes; convert",
        ),
        ((["a"], ["a"], np.array([["x"]])), ArgumentTypeError, "embeddings must be numbers .*, got <U1; convert"),
        ((["a"], ["b"], BASE.int(), torch.rand(1, 2)), ArgumentTypeError, "take whole numbers, got torch.float32"),
        (
            (["a"], ["b"], BASE, {"config": {}}),
            ArgumentValueError,
            r"configuration must be .*, got \{'config'",
        ),
        (
            (["a"], ["b"], BASE, {"class_name": "GlorotUniform", "config": {"gain": 1, "seed": 2}}),
            ArgumentValueError,
            r"GlorotUniform takes seed, got \['gain'\]; leave them out",
        ),
    ],
)
def test_what_cannot_be(arguments, error, message):
    with pytest.raises(error, match=message):
        warmstart_embedding_matrix(*arguments)


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read the vocabulary file .*: Is a directory; name one with a word"):
        warmstart_embedding_matrix(str(tmp_path), ["a"], BASE)
    (tmp_path / "words.txt").write_bytes(b"a\n\xff")
    with pytest.raises(ArgumentValueError, match=r"words\.txt is not UTF-8 at byte 2; convert it"):
        warmstart_embedding_matrix(str(tmp_path / "words.txt"), ["a"], BASE)
