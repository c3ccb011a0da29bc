"""Sentences in, vectors out: TensorFlow's own, a slow reference, and what each setting does."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo import TextEmbedding
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.text.fingerprint64 import fingerprint64

WORDS = ["the", "cat", "great!", "great", "日本", "$5"]
TOLERANCE = 1e-6  # of float32: sums in another order


@pytest.fixture(scope="module")
def hub(test_data):
    return test_data / "golden" / "tf"


@pytest.mark.parametrize(("folder", "count"), [("hub", 6), ("hub_v1", 4)])
def test_every_model_of_tensorflow(hub, folder, count):
    described = json.loads((hub / f"{folder}_outputs.json").read_text("utf-8"))
    assert len(described["models"]) == count
    with np.load(hub / f"{folder}_outputs.npz") as arrays:
        for name, model in described["models"].items():
            embedding = TextEmbedding.from_saved_model(hub / folder / name)
            assert embedding.vocabulary == described["vocabulary"]
            assert embedding.settings.num_oov_buckets == model["oov_buckets"]
            assert embedding.dimension == model["dim"]
            np.testing.assert_array_equal(embedding.embedding_matrix.detach(), arrays[f"{name}/embeddings"])
            vectors, expected = embedding(described["sentences"]).detach().numpy(), arrays[f"{name}/out"]
            assert vectors.dtype == expected.dtype
            np.testing.assert_allclose(vectors, expected, rtol=0, atol=TOLERANCE)
            if "token_ids" in model:
                assert ids_of(embedding, described["sentences"]) == [
                    [row for row in rows if row >= 0] for rows in model["token_ids"]
                ]


def ids_of(embedding, sentences) -> list[list[int]]:
    ids, offsets = embedding.sentences_to_ids(sentences)
    assert ids.dtype == offsets.dtype == torch.int64
    return [part.tolist() for part in torch.tensor_split(ids, offsets[1:])]


def slow_ids(sentence, *, num_oov_buckets, keep_empty_tokens, split=True) -> list[int]:
    tokens = sentence.split(" ") if split else [sentence]
    if not keep_empty_tokens:
        tokens = [token for token in tokens if token] or [""]
    rows = []
    for token in tokens:
        if token in WORDS:
            rows.append(WORDS.index(token))
        elif num_oov_buckets:
            rows.append(len(WORDS) + int(fingerprint64([token.encode()])[0]) % num_oov_buckets)
    return rows


SENTENCES = st.lists(
    st.lists(st.sampled_from([*WORDS, "", "\t", "unknown"]) | st.text(max_size=9), max_size=9).map(" ".join),
    max_size=5,
)


@settings(max_examples=50)
@given(SENTENCES, st.integers(0, 4), st.booleans(), st.booleans(), st.sampled_from(["sqrtn", "mean", "sum"]))
def test_a_slow_reference(sentences, num_oov_buckets, keep_empty_tokens, split, combiner):
    settings = {"num_oov_buckets": num_oov_buckets, "keep_empty_tokens": keep_empty_tokens, "split": split}
    embedding = TextEmbedding(WORDS, 3, combiner=combiner, **settings)
    expected_ids = [slow_ids(sentence, **settings) for sentence in sentences]
    if sentences:
        assert ids_of(embedding, sentences) == expected_ids
    table = embedding.embedding_matrix.detach().numpy().astype(np.float64)
    divisors = {"sqrtn": math.sqrt, "mean": float, "sum": lambda count: 1.0}
    expected = np.zeros((len(sentences), 3))
    for row, ids in enumerate(expected_ids):
        for token in ids:
            expected[row] += table[token] / divisors[combiner](len(ids))
    vectors = embedding(sentences)
    assert vectors.shape == (len(sentences), 3)
    np.testing.assert_allclose(vectors.detach().numpy(), expected, rtol=0, atol=TOLERANCE)


@given(SENTENCES)
def test_a_row_does_not_depend_on_the_others(sentences):
    embedding = TextEmbedding(WORDS, 20, num_oov_buckets=2)
    alone = [embedding([sentence])[0] for sentence in sentences]
    together = embedding(sentences)
    assert all(torch.equal(row, single) for row, single in zip(together, alone, strict=True))


@given(SENTENCES, st.integers(0, 4), st.booleans())
def test_both_ways_to_look_up(sentences, num_oov_buckets, keep_empty_tokens):
    embedding = TextEmbedding(WORDS, 3, num_oov_buckets=num_oov_buckets, keep_empty_tokens=keep_empty_tokens)
    found = []
    for words_per_token in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pytorch_elmo.text.token_index.WORDS_PER_TOKEN", words_per_token)
            found.append([part.tolist() for part in embedding.sentences_to_ids(sentences)])
    assert found[0] == found[1]


def test_more_sentences_than_are_cut_at_once():
    embedding = TextEmbedding(WORDS, 4, num_oov_buckets=3)
    sentences = [f"the cat {number}" * (number % 3) for number in range(2500)]
    parts = [embedding(sentences[first : first + 500]) for first in range(0, 2500, 500)]
    assert torch.equal(embedding(sentences), torch.cat(parts))


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("don't stop", ["dont", "stop"]),
        ("a_b-c/d", ["abcd"]),
        ("¿bad?", ["bad"]),
        ("日本。", ["日本"]),
        ("“the”—cat…", ["thecat"]),
        ("<br />", ["<br", ">"]),
        ("$5 + ^ ` | ~ €", ["$5", "+", "^", "`", "|", "~", "€"]),
        ("a _ b", ["a", "", "b"]),
        ("!!!", [""]),
    ],
)
def test_punctuation_goes_and_symbols_stay(sentence, tokens):
    embedding = TextEmbedding(WORDS, 2, num_oov_buckets=1000, remove_punctuation=True)
    plain = TextEmbedding(WORDS, 2, num_oov_buckets=1000)
    assert ids_of(embedding, [sentence]) == ids_of(plain, [" ".join(tokens)])


def test_sentences_without_words():
    embedding = TextEmbedding(WORDS, 2, remove_punctuation=True)
    bucket = embedding.embedding_matrix[-1]
    assert torch.equal(embedding(["", "?!"]), torch.stack([bucket, bucket]))
    assert torch.allclose(embedding(["  "]), bucket * math.sqrt(3))
    no_bucket = TextEmbedding(WORDS, 2, num_oov_buckets=0)
    assert torch.equal(no_bucket(["", "unknown words", "?"]), torch.zeros(3, 2))
    assert torch.equal(no_bucket(["the unknown"]), no_bucket(["the"]))  # others do not count


def test_a_megabyte():
    embedding = TextEmbedding(WORDS, torch.ones(13, 2), num_oov_buckets=7)
    one_token, many = "x" * (1 << 20), "the " * (1 << 18)
    assert ids_of(embedding, [one_token]) == [[len(WORDS) + int(fingerprint64([one_token.encode()])[0] % 7)]]
    vectors = embedding([one_token, "cat", many])
    assert vectors[:2].tolist() == [[1, 1], [1, 1]]
    assert vectors[2].tolist() == pytest.approx([math.sqrt((1 << 18) + 1)] * 2)


def test_empty_batches():
    embedding = TextEmbedding(WORDS, 2)
    assert embedding([]).shape == (0, 2)
    ids, offsets = embedding.sentences_to_ids([])
    assert ids.shape == offsets.shape == (0,)
    assert ids.dtype == offsets.dtype == torch.int64


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (
            "the cat",
            r"sentences must be a sequence of strings, got str of rank 0; put one into a list, or flatten it",
        ),
        (b"the", r"sentences must be a sequence of strings, got bytes of rank 0"),
        (None, r"sentences must be a sequence of strings, got NoneType of rank 0"),
        (np.array("the"), r"sentences must be a sequence of strings, got ndarray of rank 0"),
        (np.array([["the"]]), r"sentences must be a sequence of strings, got ndarray of rank 2"),
        ([["the", "cat"]], r"a sentence must be a string, number 0 is list; join tokens"),
        (["the", 5], r"a sentence must be a string, number 1 is int"),
        (["the", b"cat"], r"a sentence must be a string, number 1 is bytes"),
    ],
)
def test_other_than_a_sequence_of_strings(sentences, message):
    with pytest.raises(TypeError, match=message):
        TextEmbedding(WORDS, 2)(sentences)


def test_arrays_of_strings():
    embedding = TextEmbedding(WORDS, 2)
    assert torch.equal(embedding(np.array(["the cat", "great"])), embedding(("the cat", "great")))


def test_lone_surrogates():
    with pytest.raises(TextError, match=r"must be text, number 1 holds the lone surrogate '\\ud800'; read its file"):
        TextEmbedding(WORDS, 2)(["the", "a\ud800b"])
    with pytest.raises(TextError, match=r"a token must be text, 'a\\ud800 ?' holds a lone surrogate; mend it"):
        TextEmbedding(["the", "a\ud800"], 2)


def test_the_matrix_learns():
    embedding = TextEmbedding(WORDS, 2)
    embedding(["the the cat", "", "cat"]).sum().backward()
    gradient = embedding.embedding_matrix.grad
    assert not gradient.is_sparse
    expected = torch.zeros(7, 2)
    expected[0], expected[1], expected[6] = 2 / math.sqrt(3), 1 / math.sqrt(3) + 1, 1
    torch.testing.assert_close(gradient, expected)
    frozen = TextEmbedding(WORDS, torch.ones(7, 2), trainable=False)
    assert not frozen(["the"]).requires_grad
    assert list(frozen.state_dict()) == ["embedding_matrix"]


def test_gradients_without_tokens():
    embedding = TextEmbedding(WORDS, 2, num_oov_buckets=0)
    for sentences in (["", "x"], []):
        embedding.embedding_matrix.grad = None
        embedding(sentences).sum().backward()
        assert torch.equal(embedding.embedding_matrix.grad, torch.zeros(6, 2))


def test_gradients_agree_with_differences():
    embedding = TextEmbedding(WORDS, torch.randn(8, 2, dtype=torch.float64), num_oov_buckets=2)
    tokens = embedding.sentences_to_ids(["the cat the", "", "new words"])

    def embed(matrix):
        return torch.func.functional_call(_Embedder(embedding), {"embedding.embedding_matrix": matrix}, (tokens,))

    assert torch.autograd.gradcheck(embed, (embedding.embedding_matrix.detach().requires_grad_(),))


class _Embedder(torch.nn.Module):
    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding

    def forward(self, tokens):
        return self.embedding.embed(tokens)


def test_what_is_kept_is_embedded_again():
    embedding = TextEmbedding(WORDS, 2, num_oov_buckets=2)
    sentences = ["the cat", "", "other words"]
    assert torch.equal(embedding.embed(embedding.sentences_to_ids(sentences)), embedding(sentences))
    assert torch.equal(copy.deepcopy(embedding)(sentences), embedding(sentences))


def test_initial_numbers_are_those_of_keras():
    torch.manual_seed(0)
    matrix = TextEmbedding([str(number) for number in range(2000)], 16).embedding_matrix.detach()
    assert matrix.shape == (2001, 16)
    assert float(matrix.abs().max()) <= 0.05
    assert float(matrix.std()) == pytest.approx(0.1 / math.sqrt(12), rel=0.02)


def test_half_precision_becomes_single_and_the_matrix_is_copied():
    numbers = torch.ones(7, 2, dtype=torch.float16)
    embedding = TextEmbedding(WORDS, numbers)
    assert embedding.embedding_matrix.dtype == torch.float32
    single = torch.ones(7, 2)
    embedding = TextEmbedding(WORDS, single)
    single[0] = 7
    assert embedding.embedding_matrix[0, 0].item() == 1
    assert len(embedding) == 7


def test_what_it_shows():
    shown = repr(TextEmbedding(WORDS, 2, combiner="mean", trainable=False))
    assert shown == (
        "TextEmbedding(6 tokens, dimension 2, num_oov_buckets=1, combiner='mean', remove_punctuation=False, "
        "split=True, keep_empty_tokens=True, frozen)"
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (0, r"weights_or_dimension must be a matrix or a whole number from 1, got 0; give a Tensor, or how many"),
        (True, r"weights_or_dimension must be a matrix or a whole number from 1, got True"),
        (2.5, r"weights_or_dimension must be .*, got 2\.5"),
        (
            torch.ones(6, 2),
            r"for each of 6 tokens and 1 buckets, \(7, dimension\), got \(6, 2\); give the vocabulary",
        ),
        (torch.ones(7), r"for each of 6 tokens and 1 buckets, \(7, dimension\), got \(7,\)"),
        (torch.ones(7, 0), r"\(7, dimension\), got \(7, 0\)"),
        (torch.ones(7, 2, dtype=torch.int64), r"the matrix must be float32 or float64, got torch\.int64; convert it"),
        (torch.full((7, 2), math.nan), r"the matrix must be finite numbers, got NaN or infinity; clean it first"),
    ],
)
def test_numbers_that_do_not_fit(weights, message):
    with pytest.raises(ConfigurationError, match=message):
        TextEmbedding(WORDS, weights)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], r"a vocabulary must have a token, it is empty"),
        (["the", ""], r"a token must not be blank, line 2 is"),
        (["the", "cat", "the"], r"a token must stand once, 'the' is on the lines 1 and 3"),
        ([b"the", b"cat"], r"a token must be a string, got b'the'; convert it, e\.g\. with decode\(\)"),
        (["the", 7], r"a token must be a string, got 7; convert it"),
        (["the", ["cat"]], r"a token must be a string, got \['cat'\]; convert it"),
        ("the", r"a vocabulary is a list of tokens, got the string 'the'; put it in a list"),
    ],
)
def test_vocabularies_that_cannot_be(vocabulary, message):
    with pytest.raises(TextError, match=message):
        TextEmbedding(vocabulary, 2)


def test_on_another_device():
    embedding = TextEmbedding(WORDS, 2).to("meta")
    assert embedding(["the cat", ""]).shape == (2, 2)
    assert embedding(["the cat", ""]).device.type == "meta"
