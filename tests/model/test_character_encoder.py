"""The encoder, which looks at no window of padding twice, against convolutions over all fifty positions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from originals import COMMITTED, COMMITTED_MODELS, MODELS, close, original_ids, read_committed, read_original
from pytorch_elmo.model import character_encoder
from pytorch_elmo.model.character_encoder import CharacterEncoder, written_length
from pytorch_elmo.model.mask import add_sentence_boundaries
from pytorch_elmo.text.characters import words_to_ids
from random_models import bilm_config, random_bilm, random_words

FILTERS = ((1, 3), (2, 4), (7, 2), (50, 3))


def encoder_of(activation: str = "relu", filters: tuple[tuple[int, int], ...] = FILTERS) -> CharacterEncoder:
    return random_bilm(bilm_config(activation=activation, filters=filters)).character_encoder


def plainly(encoder: CharacterEncoder, ids: Tensor) -> Tensor:
    """Token embeddings (num_words, projection_size) by conv1d over every position."""
    embedded = F.embedding(ids, encoder._char_embedding_weights).transpose(1, 2)
    scores = [F.conv1d(embedded, bank.weight, bank.bias).amax(dim=-1) for bank in encoder.convolutions]
    activation = torch.relu if encoder.config.activation == "relu" else torch.tanh
    return encoder._projection(encoder._highways(activation(torch.cat(scores, dim=-1))))


def some_words(seed: int) -> Tensor:
    """Words of all lengths, words of any ids whatever, a row of zeros, a row of padding."""
    generator = torch.Generator().manual_seed(seed)
    odd = torch.randint(0, 262, (10, 50), generator=generator)
    odd[:5, 20:] = 261
    return torch.cat([random_words(30, generator), odd, torch.zeros(1, 50).long(), torch.full((1, 50), 261)])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("filters", [FILTERS, ((1, 2),), ((3, 2), (2, 2)), ((50, 1),)])
def test_values_and_gradients_are_those_of_full_convolutions(activation, filters):
    for seed in range(3):
        encoder, ids = encoder_of(activation, filters), some_words(seed)
        parameters = list(encoder.parameters())
        ours, theirs = encoder.encode_words(ids), plainly(encoder, ids)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
        weights = torch.randn(ours.shape, generator=torch.Generator().manual_seed(seed), dtype=ours.dtype)
        gradients = torch.autograd.grad((ours * weights).sum(), parameters)
        expected = torch.autograd.grad((theirs * weights).sum(), parameters)
        assert all(gradient.any() for gradient in gradients)
        for gradient, other in zip(gradients, expected, strict=True):
            torch.testing.assert_close(gradient, other, rtol=0, atol=1e-11)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_word_is_encoded_as_by_full_convolutions(words):
    encoder, ids = encoder_of(), torch.from_numpy(words_to_ids(words))
    with torch.no_grad():
        ours = encoder.encode_words(ids)
        assert ours.shape == (len(words), 4)
        if words:
            torch.testing.assert_close(ours, plainly(encoder, ids), rtol=0, atol=1e-12)


def test_groups_larger_than_a_chunk(monkeypatch):
    encoder, ids = encoder_of(), some_words(0)
    whole = encoder.encode_words(ids)
    monkeypatch.setattr(character_encoder, "WORDS_PER_CHUNK", 3)
    in_chunks = encoder.encode_words(ids)
    torch.testing.assert_close(in_chunks, whole, rtol=1e-14, atol=1e-14)  # some units in the last place


def test_any_shape_of_ids_and_each_distinct_word_once(monkeypatch):
    encoder, ids = encoder_of(), some_words(1)[:6]
    seen = []
    encode_words = encoder.encode_words
    monkeypatch.setattr(encoder, "encode_words", lambda words: seen.append(len(words)) or encode_words(words))
    repeated = ids[torch.tensor([[0, 1, 2, 0], [3, 3, 4, 5], [0, 0, 0, 0]])]
    encoded = encoder(repeated)
    assert seen == [6]
    assert encoded.shape == (3, 4, 4)
    torch.testing.assert_close(encoded.flatten(0, 1), plainly(encoder, repeated.flatten(0, 1)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 50), (2, 0, 50), (0, 3, 50)])
def test_no_words(shape):
    assert encoder_of()(torch.zeros(shape, dtype=torch.int64)).shape == (*shape[:-1], 4)


def test_written_length_is_the_last_position_that_is_not_padding():
    ids = torch.tensor([[5, 261, 261], [5, 261, 6], [261, 261, 261], [0, 0, 0]])
    assert written_length(ids, 261).tolist() == [1, 3, 0, 3]


def test_an_id_above_the_table():
    with pytest.raises(IndexError, match="out of range"):
        encoder_of()(torch.full((1, 50), 262))


@pytest.mark.parametrize("name", MODELS)
def test_original_token_embeddings(golden_folder, name):
    bilm = read_original(golden_folder, name)
    with np.load(golden_folder / "goldens_2.10.1" / name / "bilm.npz") as theirs:
        batches = [key.removesuffix("__encoder") for key in theirs.files if key.endswith("__encoder")]
        assert len(batches) == 11
        for batch in batches:
            bounded, _ = add_sentence_boundaries(original_ids(golden_folder, batch), *bilm.boundaries)
            close(bilm.character_encoder(bounded), theirs[f"{batch}__encoder"])


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_token_embeddings(name):
    bilm = read_committed(name)
    with np.load(COMMITTED / "character_ids.npz") as ids, np.load(COMMITTED / name / "bilm.npz") as theirs:
        assert len(ids.files) == 5
        for batch in ids.files:
            bounded, _ = add_sentence_boundaries(torch.from_numpy(ids[batch]), *bilm.boundaries)
            close(bilm.character_encoder(bounded), theirs[f"{batch}__token_embeddings"])
