"""A long sentence in chunks: the vectors of one long run, from memory that does not grow with it."""

from itertools import cycle, islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import read_committed
from pytorch_elmo.elmo.layer_choice import choose_layers
from pytorch_elmo.elmo.token_cache import TokenCache
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.embedder.documents import embed_document
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.text import batch_to_ids

BILMS = {name: read_committed(name) for name in ("clipped", "deep")}
ENGINES = {name: InferenceBiLM(bilm) for name, bilm in BILMS.items()}
ALPHABET = ["the", "sea", "café", "日本語", "", "<S>", "c" * 60]


def in_chunks(name: str, tokens: list[str], chunk_tokens: int, layers="all") -> np.ndarray:
    engine = ENGINES[name]
    choice = choose_layers(layers, engine.config.num_layers)
    shape = (len(tokens), engine.config.dim)
    vectors = np.full((engine.config.num_layers, *shape) if choice.keeps_layers else shape, np.nan, dtype=np.float32)
    embed_document(engine, TokenCache(engine, capacity=3), tokens, vectors, choice, chunk_tokens)
    return vectors


def in_one_run(name: str, tokens: list[str]) -> np.ndarray:
    """By the readable network."""
    layers = torch.stack(BILMS[name](batch_to_ids([tokens])).layer_activations)
    return layers[:, 0, 1:-1].numpy()


@given(
    st.sampled_from(sorted(BILMS)), st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=30), st.integers(1, 40)
)
def test_any_sentence_in_chunks_of_any_size(name, tokens, chunk_tokens):
    expected = in_one_run(name, tokens)
    tolerance = 2e-6 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(in_chunks(name, tokens, chunk_tokens), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("chunk_tokens", [1, 2, 3, 8, 9, 10, 11])
def test_chunks_that_end_with_a_boundary_or_before_it(chunk_tokens):
    tokens = ["the", "old", "sea", "at", "noon", "a", "storm", "."]  # ten positions
    np.testing.assert_allclose(
        in_chunks("clipped", tokens, chunk_tokens), in_one_run("clipped", tokens), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("layers", ["top", "average", 0, [0.5, -1.0, 2.0]])
def test_chosen_layers(layers):
    tokens = list(islice(cycle(ALPHABET), 23))
    expected = choose_layers(layers, 3)(torch.from_numpy(in_chunks("clipped", tokens, 5))).numpy()
    np.testing.assert_allclose(in_chunks("clipped", tokens, 5, layers), expected, rtol=0, atol=1e-6)


@pytest.mark.golden
def test_an_original_model(golden_folder):
    embedder = ElmoEmbedder(
        golden_folder / "fixtures" / "options.json", golden_folder / "fixtures" / "lm_weights.hdf5", batch_tokens=64
    )
    tokens = list(islice(cycle(ALPHABET), 500))
    whole = embedder.bilm(batch_to_ids([tokens])).layer_activations
    expected = torch.stack(whole)[:, 0, 1:-1].numpy()
    np.testing.assert_allclose(embedder.embed_sentence(tokens), expected, rtol=0, atol=1e-5)


def test_a_long_sentence_of_a_batch_equals_itself_in_one_run():
    tokens = list(islice(cycle(ALPHABET), 41))
    small, large = (ElmoEmbedder(model=BILMS["clipped"], batch_tokens=tokens) for tokens in (7, 1000))
    batch = [["the"], tokens, [], ["sea", "café"]]
    for ours, expected in zip(small.embed_batch(batch), large.embed_batch(batch), strict=True):
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)


def test_windows_do_not_grow_with_the_sentence(tmp_path, monkeypatch):
    """What is computed and kept at a time is a chunk, of 3,000 tokens as of 300."""
    embedder = ElmoEmbedder(model=BILMS["clipped"], batch_tokens=128, cached_words=50)
    windows, words = [], []
    run_lanes = embedder._engine.run_lanes

    def noting(direction, vectors, steps, initial=None):
        windows.append(tuple(steps.places.shape))
        words.append(len(vectors))
        return run_lanes(direction, vectors, steps, initial)

    monkeypatch.setattr(embedder._engine, "run_lanes", noting)
    num_tokens = 3_000
    file = np.memmap(tmp_path / "vectors", dtype=np.float16, mode="w+", shape=(3, num_tokens, 10))
    embedder.embed_document([f"w{number % 1000}" for number in range(num_tokens)], file)
    positions = num_tokens + 2
    assert len(windows) == 2 * -(-positions // 128)
    assert sum(steps for steps, _ in windows) == 2 * positions
    assert max(windows) == (128, 1)
    assert max(words) <= 128
    assert len(embedder._cache) == 50
    assert np.isfinite(file).all()


def test_a_file_on_disk_of_another_dtype(tmp_path):
    embedder = ElmoEmbedder(model=BILMS["clipped"], batch_tokens=4)
    tokens = list(islice(cycle(ALPHABET), 11))
    file = np.memmap(tmp_path / "vectors", dtype=np.float16, mode="w+", shape=(11, 10))
    embedder.embed_document(tokens, file, layers="top")
    np.testing.assert_array_equal(file, embedder.embed_sentence(tokens, layers="top").astype(np.float16))


def test_a_string_and_unknown_layers_are_refused():
    embedder, nowhere = ElmoEmbedder(model=BILMS["clipped"]), np.empty(0, dtype=np.float32)
    with pytest.raises(TextError, match="a sentence is a list of tokens, got the string 'a b'"):
        embedder.embed_document("a b", nowhere)
    with pytest.raises(ConfigurationError, match="layers are counted from 0 to 2, got 3"):
        embedder.embed_document(["a"], nowhere, layers=3)
