"""Texts as ids: every set-up that TensorFlow ran, small worked examples, and what is refused."""

import json
import pickle
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ArgumentValueError, ConfigurationError, TextError
from pytorch_elmo.text import TextVectorizer, strip_html_and_punctuation

CASES = 28
ERRORS = {"ValueError": ValueError, "InvalidArgumentError": ConfigurationError}  # the latter is TensorFlow's own
# What a message has to speak of.
SENSES = {
    "max2": r"room for a word, max_tokens 2",
    "max1": r"max_tokens must be greater than 1 and whole, got 1",
    "given-duplicates": r"\['the'\] repeated",
    "given-too-many": r"at most max_tokens 4 entries, got 5",
    "given-empty": r"an empty one",
    "length-with-multi-hot": r"output_sequence_length must be None .* output_mode is 'int' .*got 4",
}
GIVEN = {  # vocabularies of the set-ups that fail
    "given-duplicates": ["the", "movie", "the"],
    "given-too-many": ["the", "movie", "great"],
    "given-empty": [],
}
ADAPTED_TO = {  # where the texts are not the golden corpus
    "ties": ["b a b a c d Z z é ü 日本 A B"],
    "adapt-oov-words": ["[UNK] x x a"],
}


@pytest.fixture(scope="module")
def golden(test_data):
    golden = json.loads((test_data / "golden" / "tf" / "textvec.json").read_text("utf-8"))
    assert len(golden["cases"]) == CASES
    return golden


def vectorizer_of(golden, case):
    arguments = dict(case["arguments"])
    if arguments.get("standardize") == "tutorial":
        arguments["standardize"] = strip_html_and_punctuation
    if (vocabulary := case.get("vocabulary_argument", GIVEN.get(case["name"]))) is not None:
        return TextVectorizer(**arguments, vocabulary=vocabulary)
    vectorizer = TextVectorizer(**arguments)
    vectorizer.adapt(iter(ADAPTED_TO.get(case["name"], golden["corpus"])))
    return vectorizer


def padded(ids, shape):
    return [row + [0] * (shape[1] - len(row)) for row in ids] if len(shape) == 2 else ids


def test_every_set_up_that_keras_ran(golden):
    for case in golden["cases"]:
        if "error" in case:
            with pytest.raises(ERRORS[case["error"]["type"]], match=SENSES[case["name"]]):
                vectorizer_of(golden, case)
            continue
        vectorizer = vectorizer_of(golden, case)
        assert vectorizer.get_vocabulary() == case["get_vocabulary"], case["name"]
        assert vectorizer.get_vocabulary(include_special_tokens=False) == case["get_vocabulary_without_special"]
        assert vectorizer.vocabulary_size() == case["vocabulary_size"]
        vectors, single = vectorizer(golden["texts"]), vectorizer("the movie")
        assert single.tolist() == case["scalar_input_ids"], case["name"]
        assert list(single.shape) == case["scalar_input_shape"]
        if case.get("ragged"):
            assert vectors.is_nested
            assert vectors.dtype == torch.int64
            assert [row.tolist() for row in vectors.unbind()] == case["ids"]
        else:
            assert list(vectors.shape) == case["shape"]
            assert str(vectors.dtype) == f"torch.{case['dtype']}"
            assert vectors.tolist() == padded(case["ids"], case["shape"]), case["name"]


def test_standardized_texts_and_words(golden):
    """One column of ids tells little: the texts themselves, as vocabularies of unsplit texts."""
    for name, standardize in (
        ("lower_and_strip_punctuation", "lower_and_strip_punctuation"),
        ("tutorial", strip_html_and_punctuation),
    ):
        vectorizer = TextVectorizer(standardize=standardize, split=None)
        for text, expected in zip(golden["texts"], golden["standardized"][name], strict=True):
            if expected:
                vectorizer.adapt([text])
                assert vectorizer.get_vocabulary() == ["", "[UNK]", expected]
    vectorizer = TextVectorizer(standardize=None)
    for text, words in zip(golden["texts"], golden["split_whitespace"], strict=True):
        if set(words) - {"[UNK]"}:
            vectorizer.adapt([text])
            ids = vectorizer(text).tolist()
            assert [vectorizer.get_vocabulary()[index] for index in ids] == words


def test_the_ids_of_the_warm_start_tutorial(test_data):
    """Learned from the training part, the first 96 texts, with a smaller and a larger vocabulary."""
    golden = json.loads((test_data / "golden" / "tf" / "warm_tutorial.json").read_text("utf-8"))
    for which in ("base", "new"):
        vocabulary, ids = golden[f"vocab_{which}"], golden[f"ids_{which}"]
        vectorizer = TextVectorizer(
            len(vocabulary), strip_html_and_punctuation, output_sequence_length=golden["sequence_length"]
        )
        vectorizer.adapt(golden["texts"][:96])
        assert vectorizer.get_vocabulary() == vocabulary
        assert vectorizer(golden["texts"]).tolist() == ids


SOME_TEXTS = st.lists(st.text(st.sampled_from("aAbé .!<\t\u2003"), max_size=12), min_size=1, max_size=6)


@given(SOME_TEXTS, st.integers(1, 4), st.integers(3, 6))
def test_ids_are_those_of_a_plain_loop(texts, length, max_tokens):
    def words(text):
        kept = "".join(character for character in text if character not in ".!<")
        lowered = kept.replace("A", "a").replace("\t", " ")
        return [word for word in lowered.split(" ") if word]

    counts = Counter(word for text in texts for word in words(text))
    vectorizer = TextVectorizer(max_tokens, output_sequence_length=length)
    if not counts:
        with pytest.raises(TextError, match="a vocabulary needs words, the texts have none; give other texts"):
            vectorizer.adapt(texts)
        return
    vectorizer.adapt(texts)
    ranked = sorted(counts, key=lambda word: (counts[word], word.encode()), reverse=True)
    assert vectorizer.get_vocabulary() == ["", "[UNK]", *ranked[: max_tokens - 2]]
    known = {word: index for index, word in enumerate(ranked[: max_tokens - 2], 2)}
    expected = [[known.get(word, 1) for word in words(text)][:length] for text in texts]
    assert vectorizer(texts).tolist() == [row + [0] * (length - len(row)) for row in expected]


def test_the_standardization_of_the_tutorial():
    assert strip_html_and_punctuation("It's GREAT!<BR />Été: x<br/>y") == "its great Été xbry"
    assert strip_html_and_punctuation("") == ""


def test_functions_of_ones_own():
    vectorizer = TextVectorizer(standardize=str.upper, split=lambda text: text.split("|"))
    vectorizer.adapt(["é|b c|é", "b c"])
    assert vectorizer.get_vocabulary() == ["", "[UNK]", "É", "B C"]
    assert vectorizer(["b c|É|", "x"]).tolist() == [[3, 2, 0], [1, 0, 0]]


def test_sequences_of_words():
    vectorizer = TextVectorizer(ngrams=(2, 3))
    vectorizer.adapt(["a b c a b"])
    assert vectorizer.get_vocabulary() == ["", "[UNK]", "a b", "c a b", "c a", "b c a", "b c", "a b c"]
    assert vectorizer(["a b c", "a"]).tolist() == [[2, 6, 7], [0, 0, 0]]


@pytest.mark.parametrize(("mode", "rows"), [("count", [[1, 2, 0], [0, 0, 0]]), ("multi_hot", [[1, 1, 0], [0, 0, 0]])])
def test_bags_of_words(mode, rows):
    vectorizer = TextVectorizer(output_mode=mode, vocabulary=["a", "b"])
    assert vectorizer(["a x a", ""]).tolist() == rows
    wide = TextVectorizer(5, output_mode=mode, pad_to_max_tokens=True, vocabulary=["[UNK]", "a", "b"])
    assert wide(["a x a", ""]).tolist() == [[*row, 0, 0] for row in rows]
    unsplit = TextVectorizer(output_mode=mode, split=None, vocabulary=["a", "b"])
    assert unsplit(["b", "", "x"]).tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]  # an empty text is no word


def test_no_texts():
    assert TextVectorizer(vocabulary=["a"])([]).shape == (0, 0)
    assert TextVectorizer(vocabulary=["a"], output_sequence_length=3)([]).shape == (0, 3)
    assert TextVectorizer(vocabulary=["a"], output_mode="count")([]).shape == (0, 2)
    assert TextVectorizer(vocabulary=["a"], ragged=True)([]).shape[0] == 0


def test_many_texts_are_those_of_many_calls():
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["a", "b", "c", "d"], size=random.integers(0, 5))) for _ in range(2500)]
    vectorizer = TextVectorizer(output_sequence_length=4)
    vectorizer.adapt(text for text in texts)
    assert torch.equal(vectorizer(iter(texts)), torch.stack([vectorizer(text) for text in texts]))


def test_adapting_again_forgets():
    vectorizer = TextVectorizer()
    assert vectorizer.get_vocabulary() == ["", "[UNK]"]
    vectorizer.adapt(["a b"])
    vectorizer.adapt(["c"])
    assert vectorizer.get_vocabulary() == ["", "[UNK]", "c"]
    assert pickle.loads(pickle.dumps(vectorizer))("c a").tolist() == [2, 1]  # for processes that load data


def test_a_vocabulary_of_a_file(tmp_path):
    path = tmp_path / "words.txt"
    for content in ("the\nmovie\n", "the\r\nmovie", "\n[UNK]\nthe\nmovie\n"):
        path.write_text(content, encoding="utf-8", newline="")
        for named in (path, str(path)):
            assert TextVectorizer(vocabulary=named).get_vocabulary() == ["", "[UNK]", "the", "movie"]
    path.write_text("")
    with pytest.raises(ArgumentValueError, match="a vocabulary must have words, got an empty one"):
        TextVectorizer(vocabulary=path)
    path.write_bytes(b"a\xff")
    with pytest.raises(ArgumentValueError, match=r"words\.txt is not UTF-8 at byte 1; convert it"):
        TextVectorizer(vocabulary=path)
    with pytest.raises(ArgumentValueError, match=r"cannot read the vocabulary .*none: No such file .*; name a file"):
        TextVectorizer(vocabulary=tmp_path / "none")


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (["", "[UNK]"], "must have words, got an empty one; leave it out to adapt instead"),
        (
            ["a", "", "b"],
            r"'' is padding, got it as word 1 .*; remove it, or put \['', '\[UNK\]'\] first",
        ),
        (["a", "b", "b"], r"must hold a word once, got \['b'\] repeated; remove those"),
        (["", "[UNK]", "a", "b", "c"], "must have at most max_tokens 4 entries, got 5; raise max_tokens"),
    ],
)
def test_vocabularies_that_cannot_be(vocabulary, message):
    with pytest.raises(ValueError, match=message) as caught:
        TextVectorizer(4).set_vocabulary(vocabulary)
    assert isinstance(caught.value, ConfigurationError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_tokens": 0}, "max_tokens must be greater than 1 and whole, got 0; change it"),
        ({"max_tokens": 99.5}, r"max_tokens must be greater than 1 and whole, got 99\.5"),
        ({"max_tokens": "9"}, "max_tokens must be greater than 1 and whole, got '9'"),
        ({"standardize": ["lower"]}, r"standardize must be None, a function, or one of .*, got \['lower'\]"),
        ({"ngrams": (1, 2.5)}, r"ngrams must be None, .* got \(1, 2\.5\)"),
        ({"output_sequence_length": 2.0}, r"output_sequence_length must be None or whole, from 1, got 2\.0"),
        ({"standardize": "upper"}, "standardize must be None, a function, or one of lower_and_strip.*, got 'upper'"),
        ({"split": "words"}, "split must be None, a function, whitespace or character, got 'words'"),
        ({"ngrams": 0}, r"ngrams must be None, a number from 1, or a tuple of such numbers, got \(\)"),
        ({"ngrams": (0, 1)}, r"ngrams must be None, .* got \(0, 1\)"),
        ({"output_mode": "tf_idf"}, "output_mode must be one of int, multi_hot, count, got 'tf_idf'"),
        ({"output_sequence_length": 0}, "output_sequence_length must be None or whole, from 1, got 0"),
        ({"output_sequence_length": 2, "ragged": True}, "must be None unless .* ragged False, got 2"),
        ({"output_sequence_length": 2, "split": None}, "must be None unless texts are split.*, got 2"),
        ({"output_mode": "count", "ragged": True}, "output_mode must be 'int' for ragged, got 'count'"),
        ({"split": None, "ragged": True}, "split must not be None for ragged, got None"),
        ({"split": None, "ngrams": 2}, r"ngrams must be None where split is, got \(1, 2\)"),
        ({"pad_to_max_tokens": True}, "max_tokens must be set for pad_to_max_tokens, got None"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ArgumentValueError, match=message):
        TextVectorizer(**arguments)


def test_texts_that_cannot_be():
    vectorizer = TextVectorizer(vocabulary=["a"])
    for texts in ([b"a"], ["a", 7]):
        with pytest.raises(
            TextError, match=r"a text or word is a string, got (b'a'|7); give strings, e\.g\. with str"
        ):
            vectorizer(texts)
    with pytest.raises(TextError, match=r"half of a surrogate pair at character 1 of 'a\\ud800'; read it as UTF-8"):
        vectorizer.adapt(["a\ud800"])
    with pytest.raises(TextError, match="half of a surrogate pair at character 0"):
        strip_html_and_punctuation("\ud800")
    with pytest.raises(TextError, match="learned from many texts, got the string 'a b'; put it in a list"):
        vectorizer.adapt("a b")
    with pytest.raises(ConfigurationError, match="there is none; call adapt first"):
        TextVectorizer()(["a"])
