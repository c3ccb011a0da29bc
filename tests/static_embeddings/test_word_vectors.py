"""The module: ids of words, their vectors, what is learned and what it says of itself."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.static_embeddings import WordVectors

VECTORS = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("the 1 2\nof 3 4\ncat 5 6\nthe 7 8\n", encoding="utf-8")
    return path


def test_sentences_become_padded_ids_and_vectors():
    table = WordVectors(["the", "of", "cat"], VECTORS)
    ids = table.words_to_ids([["the", "dog"], [], ["cat", "of", "the"]])
    assert ids.dtype == torch.int64
    assert ids.tolist() == [[2, 1, 0], [0, 0, 0], [4, 3, 2]]
    vectors = table(ids)
    assert vectors.shape == (3, 3, 2)
    assert vectors.dtype == torch.float32
    assert vectors.tolist() == [[[1, 2], [0, 0], [0, 0]], [[0, 0]] * 3, [[5, 6], [3, 4], [1, 2]]]


@pytest.mark.parametrize(("sentences", "shape"), [([], (0, 0)), ([[], []], (2, 0))])
def test_batches_without_tokens_keep_their_axes(sentences, shape):
    table = WordVectors(["the"], VECTORS[:1])
    ids = table.words_to_ids(sentences)
    assert ids.shape == shape
    assert table(ids).shape == (*shape, 2)


def test_strings_are_refused_where_tokens_are_meant():
    table = WordVectors(["the"], VECTORS[:1])
    for sentences in ("the cat", ["the cat"]):
        with pytest.raises(
            TextError, match="a sentence is a list of tokens, got the string 'the cat'; split it first"
        ):
            table.words_to_ids(sentences)
    with pytest.raises(TextError, match=r"a token is a string, got 7 in sentence 1; convert it with str\(\)"):
        table.words_to_ids([["the"], [7]])


def test_a_file_is_read_and_its_duplicates_are_counted(glove):
    table = WordVectors.from_file(glove)
    assert table.words == ["the", "of", "cat"]
    assert (len(table), table.dim, table.num_duplicates) == (3, 2, 1)
    assert torch.equal(table(table.words_to_ids([table.words])), VECTORS[None])
    assert "cat" in table
    assert "dog" not in table


def test_a_vocabulary_limits_what_is_kept(glove):
    table = WordVectors.from_file(str(glove), vocabulary=["cat", "dog", "cat"])
    assert table.words == ["cat"]
    assert table(table.words_to_ids([["dog", "cat"]])).tolist() == [[[0, 0], [5, 6]]]
    with pytest.raises(ConfigurationError, match="vocabulary is a collection of words, got the string 'cat'"):
        WordVectors.from_file(glove, vocabulary="cat")


def test_lower_casing_holds_for_tokens_and_vocabulary(glove):
    cased = WordVectors.from_file(glove)
    assert "The" not in cased
    table = WordVectors.from_file(glove, vocabulary=["The", "CAT"], lowercase=True)
    assert table.words == ["the", "cat"]
    assert "THE" in table
    assert table.words_to_ids([["tHe", "Cat", "of"]]).tolist() == [[2, 3, 1]]


def step(table):
    """One step of gradient descent on the sum of a padding, an unknown and a known vector."""
    table(torch.tensor([[0, 1, 2]])).sum().backward()
    with torch.no_grad():
        table.embedding_matrix -= table.embedding_matrix.grad


def test_a_trainable_table_learns_words_and_the_unknown_but_never_padding():
    table = WordVectors(["the", "of", "cat"], VECTORS, trainable=True)
    step(table)
    assert table.embedding_matrix.tolist() == [[0, 0], [-1, -1], [0, 1], [3, 4], [5, 6]]
    assert VECTORS[0].tolist() == [1.0, 2.0]  # the caller's numbers are copied


def test_a_frozen_table_has_no_gradient():
    table = WordVectors(["the", "of", "cat"], VECTORS.double().requires_grad_())
    assert not table.embedding_matrix.requires_grad
    assert not table(torch.tensor([[2]])).requires_grad
    assert list(table.state_dict()) == ["embedding_matrix"]


def test_it_says_what_it_holds(glove):
    assert repr(WordVectors(["the"], VECTORS[:1])) == "WordVectors(1 words, dim 2, frozen)"
    table = WordVectors.from_file(glove, lowercase=True, trainable=True)
    assert repr(table) == "WordVectors(3 words, dim 2, trainable, lower-cased, 1 duplicates left out)"
    many = WordVectors([str(index) for index in range(1000)], torch.zeros(1000, 2))
    assert repr(many) == "WordVectors(1,000 words, dim 2, frozen)"


def test_tables_that_do_not_fit_their_words_are_refused():
    with pytest.raises(ConfigurationError, match=r"vectors must be \(2, dim\), a row a word, got \(3, 2\)"):
        WordVectors(["the", "of"], VECTORS)
    with pytest.raises(ConfigurationError, match=r"vectors must be \(6, dim\), a row a word, got \(6,\)"):
        WordVectors(list("abcdef"), VECTORS.flatten())
    with pytest.raises(ConfigurationError, match="words must be distinct, got 'of' twice; keep one of its rows"):
        WordVectors(["of", "the", "of"], VECTORS)
    too_large = torch.tensor([[1.0], [1e39]], dtype=torch.float64)
    for vectors in (torch.tensor([[1.0], [torch.nan]]), too_large):
        with pytest.raises(ConfigurationError, match="vectors must be finite numbers, got NaN or infinity; clean"):
            WordVectors(["the", "of"], vectors)


@given(st.lists(st.lists(st.text("abC", max_size=2)), max_size=4), st.booleans())
def test_a_token_has_one_vector_wherever_it_stands(sentences, lowercase):
    words = ["a", "b", "ab", "C"]
    table = WordVectors(words, torch.arange(8.0).view(4, 2) + 1, lowercase=lowercase)
    vectors = table(table.words_to_ids(sentences))
    for row, sentence in zip(vectors, sentences, strict=True):
        for position, vector in enumerate(row):
            token = sentence[position] if position < len(sentence) else ""
            token = token.lower() if lowercase else token
            expected = [2.0 * words.index(token) + 1, 2.0 * words.index(token) + 2] if token in words else [0, 0]
            assert vector.tolist() == expected


FILES = ["fake_embeddings.5d.txt", "fake_embeddings.5d.txt.gz", "fake_embeddings.5d.txt.zip"]


@pytest.mark.parametrize("name", FILES)
def test_allennlp_fixtures_are_read(test_data, name):
    table = WordVectors.from_file(test_data / "data" / "allennlp_fixtures" / "v0.9.0" / "embeddings" / name)
    assert (table.words[:2], table.dim) == (["If", "you"], 5)
    assert table(table.words_to_ids([["you"]]))[0, 0].tolist() == pytest.approx([0.723, 0.626, 0.85, 0.024, 0.715])


def test_glove_is_read_by_lower_case(test_data):
    table = WordVectors.from_file(
        test_data / "data" / "glove" / "glove.6B.50d.top9163.txt.gz", vocabulary=["To", "the"], lowercase=True
    )
    assert (table.words, table.dim) == (["the", "to"], 50)
    assert table(table.words_to_ids([["TO"]]))[0, 0, :3].tolist() == pytest.approx([0.68047, -0.039263, 0.30186])
