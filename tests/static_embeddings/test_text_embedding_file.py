"""Text embeddings written and read: nothing is lost but what half precision rounds, and damage is named."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from damage import refusal, with_a_changed_bit
from pytorch_elmo import TextEmbedding
from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.static_embeddings.text_embedding_file import FORMAT, TENSOR_FILE, VOCABULARY_FILE

WORDS = ["the", " a b ", "\ufeffcat", "x\r", "日本"]
TOKENS = st.text(min_size=1, max_size=5).filter(lambda token: "\n" not in token)


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "deep" / "embedding"
    embedding = TextEmbedding(WORDS, 3, num_oov_buckets=2, combiner="mean", remove_punctuation=True)
    embedding.save(folder)
    return folder


@settings(max_examples=25)
@given(
    st.lists(TOKENS, min_size=1, max_size=6, unique=True),
    st.integers(0, 3),
    st.sampled_from([torch.float32, torch.float64]),
    st.booleans(),
)
def test_what_is_written_is_read(tmp_path_factory, words, num_oov_buckets, dtype, flag):
    folder = tmp_path_factory.mktemp("embedding")
    matrix = torch.randn(len(words) + num_oov_buckets, 2, dtype=dtype)
    embedding = TextEmbedding(words, matrix, num_oov_buckets=num_oov_buckets, keep_empty_tokens=flag, split=flag)
    embedding.save(folder)
    again = TextEmbedding.load(folder, trainable=False)
    assert again.vocabulary == words
    assert again.settings == embedding.settings
    assert again.embedding_matrix.dtype == dtype
    assert torch.equal(again.embedding_matrix, matrix)
    assert not again.embedding_matrix.requires_grad


def test_half_precision(tmp_path):
    embedding = TextEmbedding(WORDS, 3)
    embedding.save(tmp_path, dtype=torch.float16)
    again = TextEmbedding.load(tmp_path)
    assert again.embedding_matrix.dtype == torch.float32
    assert torch.equal(again.embedding_matrix, embedding.embedding_matrix.half().float())
    with safe_open(tmp_path / TENSOR_FILE, framework="pt") as file:
        assert file.get_tensor("embedding_matrix").dtype == torch.float16
    with pytest.raises(ConfigurationError, match=r"numbers must fit in torch\.float16, some become infinite; save"):
        TextEmbedding(WORDS, torch.full((6, 2), 1e6)).save(tmp_path, dtype=torch.float16)
    with pytest.raises(
        ConfigurationError, match=r"dtype must be torch\.float16, float32 or float64, got torch\.int8"
    ):
        embedding.save(tmp_path, dtype=torch.int8)


def test_saved_again(saved):
    other = TextEmbedding(["another"], 2)
    other.save(saved)
    assert torch.equal(TextEmbedding.load(saved).embedding_matrix, other.embedding_matrix)
    assert {path.name for path in saved.iterdir()} == {TENSOR_FILE, VOCABULARY_FILE}


def test_another_vocabulary(saved):
    path = saved / VOCABULARY_FILE
    path.write_bytes(path.read_bytes().replace(b"the", b"The"))
    with pytest.raises(
        WeightsError, match=r"vocabulary\.txt must be the vocabulary that .* was saved with, its sha256"
    ):
        TextEmbedding.load(saved)
    path.write_text("a\na\n")
    with pytest.raises(
        WeightsError, match=r"holds no text embedding: .*vocabulary\.txt: a token must stand once, 'a'"
    ):
        TextEmbedding.load(saved)
    path.unlink()
    with pytest.raises(WeightsError, match=r"embedding holds no text embedding: cannot read the vocabulary"):
        TextEmbedding.load(saved)
    with pytest.raises(
        WeightsError, match=r"no model file .*text_embedding\.safetensors; give the folder of a model"
    ):
        TextEmbedding.load(saved / "gone")


def rewrite(folder, tensors=None, document=None):
    path = folder / TENSOR_FILE
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        old = {"embedding_matrix": file.get_tensor("embedding_matrix")}
    changed = json.loads(metadata["document"]) | (document or {})
    save_file(old if tensors is None else tensors, path, metadata | {"document": json.dumps(changed)})


@pytest.mark.parametrize(
    ("tensors", "document", "message"),
    [
        (
            {"x": torch.ones(2)},
            None,
            r"must hold embedding_matrix, settings and the vocabulary's sha256, got \['sett",
        ),
        (None, {"more": 1}, r"must hold embedding_matrix, settings and .*, got \['embedding_matrix', 'more'"),
        (None, {"settings": {}}, r"holds no text embedding: settings must be .*, got \[\]; fetch it anew"),
        ({"embedding_matrix": torch.ones(6, 3)}, None, r"torch\.float32 \(6, 3\), which does not fit 5 tokens and 2"),
        ({"embedding_matrix": torch.tensor(1.0)}, None, r"torch\.float32 \(\), which does not fit"),
        ({"embedding_matrix": torch.ones(7)}, None, r"torch\.float32 \(7,\), which does not fit"),
        ({"embedding_matrix": torch.ones(7, 0)}, None, r"torch\.float32 \(7, 0\), which does not fit"),
        ({"embedding_matrix": torch.ones(7, 3).int()}, None, r"torch\.int32 \(7, 3\), which does not fit"),
    ],
)
def test_files_that_contradict_themselves(saved, tensors, document, message):
    rewrite(saved, tensors, document)
    with pytest.raises(WeightsError, match=message):
        TextEmbedding.load(saved)


def test_numbers_that_are_none(saved):
    rewrite(saved, {"embedding_matrix": torch.full((7, 3), float("nan"))})
    with pytest.raises(WeightsError, match=r"embedding_matrix holds NaN or infinity; the file is damaged, fetch it"):
        TextEmbedding.load(saved)


def test_a_changed_bit_is_refused_or_a_number(saved):
    path, words = saved / TENSOR_FILE, TextEmbedding.load(saved).vocabulary
    for damaged in with_a_changed_bit(path.read_bytes(), 100):
        path.write_bytes(damaged)
        if refusal(TextEmbedding.load, saved) is None:
            assert TextEmbedding.load(saved).vocabulary == words


def test_the_kind_is_in_the_file(saved):
    with safe_open(saved / TENSOR_FILE, framework="pt") as file:
        assert file.metadata()["format"] == FORMAT == "pytorch_elmo.text_embedding"
        assert np.asarray(file.get_tensor("embedding_matrix")).shape == (7, 3)
