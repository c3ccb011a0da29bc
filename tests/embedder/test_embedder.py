"""`ElmoEmbedder`: one set of vectors a sentence, whatever is run beside it, before it, or how."""

import re
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import COMMITTED, COMMITTED_MODELS, committed_texts, model_files, read_committed
from pytorch_elmo import ElmoEmbedder, batch_to_ids
from pytorch_elmo.embedder import setup
from pytorch_elmo.embedder.batches import BatchRule
from pytorch_elmo.errors import ConfigurationError, DownloadError, TextError
from pytorch_elmo.model import packed_linear

ALPHABET = ["the", "sea", "at", "café", "日本語", "😀", "", "<S>", "</S>", "c" * 60, "x\udc00y"]
SENTENCES = st.lists(st.lists(st.sampled_from(ALPHABET), max_size=40), max_size=8)
FILES = (COMMITTED / "clipped" / "options.json", COMMITTED / "clipped" / "weights.hdf5")
MIXED = committed_texts()["batches"]["mixed"]


def embedder_of(name: str = "clipped", **arguments) -> ElmoEmbedder:
    return ElmoEmbedder(model=read_committed(name), **arguments)


@pytest.fixture(scope="module")
def embedder():
    return embedder_of()


def assert_near(ours, expected) -> None:
    """Rounding apart, which grows with the values."""
    assert len(ours) == len(expected)
    for mine, theirs in zip(ours, expected, strict=True):
        assert mine.shape == theirs.shape
        assert mine.dtype == theirs.dtype == np.float32
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=2e-6 * max(1.0, np.abs(theirs).max(initial=0.0)))


@pytest.mark.slow
def test_original_calls(golden_folder):
    golden = import_module("checks.ledger").Golden(golden_folder)
    import_module("checks.embedder").check_embedder(golden)
    assert golden.all_faults() == []
    assert sum(file.compared for file in golden.files.values()) > 500


@pytest.mark.parametrize("name", COMMITTED_MODELS)
@pytest.mark.parametrize("batch", committed_texts()["batches"])
def test_committed_layers(name, batch):
    sentences = committed_texts()["batches"][batch]
    with np.load(COMMITTED / name / "bilm.npz") as theirs:
        layers = theirs[f"{batch}__layer_activations"]
    for row, vectors in enumerate(embedder_of(name).embed_batch(sentences)):
        expected = layers[:, row, 1 : len(sentences[row]) + 1]
        assert vectors.shape == expected.shape
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_calls_that_carry_the_state(name):
    texts, embedder = committed_texts(), embedder_of(name, stateful=True)
    with np.load(COMMITTED / name / "stateful.npz") as theirs:
        for number, batch in enumerate(texts["stateful_calls"]):
            sentences = texts["batches"][batch]
            layers = theirs[f"call{number}__layer_activations"]
            for row, vectors in enumerate(embedder.embed_batch(sentences)):
                expected = layers[:, row, 1 : len(sentences[row]) + 1]
                np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)


def any_way(embedder, reference, sentences, batch_tokens, batch_size, random) -> None:
    """Together, in another order, in batches of any size, in chunks: always what each sentence has alone."""
    alone = [reference.embed_sentence(sentence) for sentence in sentences]
    order = random.sample(range(len(sentences)), len(sentences))
    embedder.rule = BatchRule(batch_tokens=batch_tokens, batch_size=batch_size)
    assert_near(list(embedder.embed_sentences(sentences)), alone)
    shuffled = list(embedder.embed_sentences(sentences[index] for index in order))
    assert_near(shuffled, [alone[index] for index in order])


WAYS = {
    "sentences": SENTENCES,
    "batch_tokens": st.integers(1, 200),
    "batch_size": st.none() | st.integers(1, 12),
    "random": st.randoms(use_true_random=False),
}
PAIRS = {name: (embedder_of(name, cached_words=4), embedder_of(name)) for name in COMMITTED_MODELS}


@given(name=st.sampled_from(COMMITTED_MODELS), **WAYS)
def test_neither_batch_nor_order_nor_budget_changes_a_sentence(name, sentences, batch_tokens, batch_size, random):
    any_way(*PAIRS[name], sentences, batch_tokens, batch_size, random)


@pytest.fixture(scope="module")
def original_pair(golden_folder):
    files = model_files(golden_folder, "fixture")
    return ElmoEmbedder(*files, cached_words=4), ElmoEmbedder(*files)


@given(**WAYS)
def test_the_same_for_an_original_model(original_pair, sentences, batch_tokens, batch_size, random):
    any_way(*original_pair, sentences, batch_tokens, batch_size, random)


def test_a_second_call_has_the_same_bits(embedder):
    first = embedder.embed_batch(MIXED)
    embedder.embed_batch([["anything", "else"]] * 40)
    for again, before in zip(embedder.embed_batch(MIXED), first, strict=True):
        assert np.array_equal(again, before)


def test_stateful_calls_depend_on_the_calls_before_them_until_a_reset():
    embedder = embedder_of(stateful=True)
    first, second = embedder.embed_batch(MIXED), embedder.embed_batch(MIXED)
    assert np.abs(first[0] - second[0]).max() > 1e-2
    embedder.reset_states()
    for again, before in zip(embedder.embed_batch(MIXED), first, strict=True):
        assert np.array_equal(again, before)
    assert_near(first, embedder_of().embed_batch(MIXED))


def test_stateful_batches_are_rows(embedder):
    """Sentence i of a batch goes on from sentence i of the batch before it."""
    sentences = [["the"], ["sea"], ["a", "storm"], ["at", "noon"]]
    pairs = list(embedder_of(stateful=True).embed_sentences(sentences, batch_size=2))
    by_hand = embedder_of(stateful=True)
    expected = [*by_hand.embed_batch(sentences[:2]), *by_hand.embed_batch(sentences[2:])]
    for ours, theirs in zip(pairs, expected, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.abs(pairs[2] - embedder.embed_sentence(sentences[2])).max() > 1e-3


@pytest.mark.parametrize("stateful", [False, True])
def test_sentences_and_batches_without_tokens(stateful):
    embedder = embedder_of(stateful=stateful)
    assert embedder.embed_batch([]) == []
    assert list(embedder.embed_sentences([])) == []
    for batch in ([[]], [[], []], [[], ["sea"], []]):
        for sentence, vectors in zip(batch, embedder.embed_batch(batch), strict=True):
            assert vectors.shape == (3, len(sentence), 10)
            assert vectors.dtype == np.float32
    assert embedder.embed_sentence([], layers="top").shape == (0, 10)


def test_generators_are_read_a_batch_at_a_time(embedder):
    taken = []

    def sentences():
        for number in range(10):
            taken.append(number)
            yield ["sea"] * (number + 1)

    vectors = embedder.embed_sentences(sentences(), batch_size=4)
    assert taken == []
    assert next(vectors).shape == (3, 1, 10)
    assert taken == [0, 1, 2, 3]
    assert [next(vectors).shape[1] for _ in range(3)] == [2, 3, 4]
    assert taken == [0, 1, 2, 3]
    next(vectors)
    assert taken == list(range(8))
    assert len(list(vectors)) == 5


@pytest.mark.parametrize(
    ("layers", "choose"),
    [
        ("top", lambda v: v[2]),
        ("average", lambda v: v.mean(axis=0)),
        (1, lambda v: v[1]),
        (-2, lambda v: v[1]),
        ([1.0, 0.0, -0.5], lambda v: v[0] - 0.5 * v[2]),
    ],
)
def test_chosen_layers_everywhere(embedder, tmp_path, layers, choose):
    everything = embedder.embed_batch(MIXED)
    expected = [choose(vectors) for vectors in everything]
    assert_near(embedder.embed_batch(MIXED, layers=layers), expected)
    assert_near(list(embedder.embed_sentences(MIXED, layers=layers)), expected)
    assert_near([embedder.embed_sentence(MIXED[0], layers=layers)], expected[:1])
    written = np.empty_like(expected[0])
    embedder.embed_document(MIXED[0], written, layers=layers)
    assert_near([written], expected[:1])


def test_one_layer_does_not_keep_the_others_in_memory(embedder):
    stateful = embedder_of(stateful=True).embed_batch([["sea"], ["a"] * 50])[0]
    assert stateful.flags["C_CONTIGUOUS"]
    top = embedder.embed_sentence(["sea"] * 5, layers="top")
    assert torch.from_numpy(top).untyped_storage().nbytes() == top.nbytes


def test_sentence_vectors_by_hand(embedder):
    vectors = embedder.embed_batch(MIXED, layers="average")
    pooled = embedder.sentence_vectors(MIXED)
    assert pooled.shape == (4, 10)
    assert pooled.dtype == np.float32
    for row, values in enumerate(vectors):
        expected = values.mean(axis=0) if len(values) else np.zeros(10)
        np.testing.assert_allclose(pooled[row], expected, rtol=0, atol=1e-5)
    largest = embedder.sentence_vectors(MIXED, layers="top", pooling="max")
    np.testing.assert_array_equal(largest[0], embedder.embed_sentence(MIXED[0], layers="top").max(axis=0))
    every = embedder.sentence_vectors(MIXED, layers="all", pooling="first-last")
    assert every.shape == (4, 3, 10)
    first = embedder.embed_sentence(MIXED[0])
    np.testing.assert_array_equal(every[0, :, :5], first[:, -1, :5])
    np.testing.assert_array_equal(every[0, :, 5:], first[:, 0, 5:])


def test_no_sentence_vectors(embedder):
    assert embedder.sentence_vectors([]).shape == (0, 10)
    assert embedder.sentence_vectors([], layers="all").shape == (0, 3, 10)
    with pytest.raises(ConfigurationError, match="pooling is one of mean, max, first-last, got 'sum'"):
        embedder.sentence_vectors([], pooling="sum")


def test_a_padded_batch(embedder):
    activations, mask = embedder.batch_to_embeddings(MIXED)
    assert activations.shape == (4, 3, 9, 10)
    assert activations.dtype == torch.float32
    assert not activations.requires_grad
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[place < len(sentence) for place in range(9)] for sentence in MIXED]
    assert not activations.transpose(1, 2)[~mask].any()
    for row, vectors in enumerate(embedder.embed_batch(MIXED)):
        assert np.array_equal(activations[row, :, : vectors.shape[1]].numpy(), vectors)
    for batch in ([], [[], []]):
        activations, mask = embedder.batch_to_embeddings(batch)
        assert activations.shape == (len(batch), 3, 0, 10)
        assert mask.shape == (len(batch), 0)


def test_strings_and_wrong_nesting_are_refused(embedder):
    rule = "a sentence is a list of tokens, got the string 'a b'; split it first, e.g. sentence.split()"
    calls = [
        lambda: embedder.embed_sentence("a b"),
        lambda: embedder.embed_batch("a b"),
        lambda: embedder.embed_batch([["a"], "a b"]),
        lambda: embedder.embed_sentences("a b"),
        lambda: list(embedder.embed_sentences(["a b"])),
        lambda: embedder.sentence_vectors(["a b"]),
        lambda: embedder.batch_to_embeddings(["a b"]),
    ]
    for call in calls:
        with pytest.raises(TextError, match=re.escape(rule)):
            call()
    with pytest.raises(TextError, match=r"a token is a string, got .* of type list; a sentence is a list of strings"):
        embedder.embed_sentence([["a", "b"]])
    with pytest.raises(TextError, match="a token is a string, got '1' of type int"):
        embedder.embed_batch([["a", 1]])


def test_wrong_layers_are_refused_before_anything_runs(embedder):
    with pytest.raises(ConfigurationError, match=r"layers is all, top, average, .*, got 'upper'"):
        embedder.embed_sentences(iter(()), layers="upper")
    with pytest.raises(ConfigurationError, match="batch_size is at least 1, got 0"):
        embedder.embed_sentences([["a"]], batch_size=0)


def test_a_batch_size_leaves_the_budget_of_long_sentences(monkeypatch):
    embedder = embedder_of(batch_tokens=5)
    pieces = []
    embed_document = embedder.embed_document
    monkeypatch.setattr(embedder, "embed_document", lambda t, d: (pieces.append(len(t)), embed_document(t, d)))
    list(embedder.embed_sentences([["a"] * 6, ["a"] * 5], batch_size=2))
    assert pieces == [6]


def test_a_column_of_a_dataset(embedder, tmp_path, monkeypatch):
    datasets = offline_datasets(tmp_path, monkeypatch)
    dataset = datasets.Dataset.from_dict({"tokens": [["the", "sea"], [], ["storm"]], "label": [0, 1, 0]})
    expected = embedder.embed_batch(dataset["tokens"][:])
    assert_near(list(embedder.embed_sentences(dataset["tokens"], batch_size=2)), expected)

    def embed(batch):
        return {"vector": embedder.sentence_vectors(batch["tokens"])}

    mapped = dataset.map(embed, batched=True, batch_size=2, new_fingerprint="vectors")
    np.testing.assert_allclose(mapped["vector"][:], embedder.sentence_vectors(dataset["tokens"]), rtol=0, atol=1e-6)
    assert mapped["label"][:] == [0, 1, 0]


def offline_datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets


def test_what_it_says_of_itself():
    assert repr(embedder_of()) == "ElmoEmbedder(biLM: 3 layers of 10 dimensions, fp32 on cpu)"
    stateful = ElmoEmbedder(*FILES, stateful=True)
    assert repr(stateful) == f"ElmoEmbedder({FILES[1]}: 3 layers of 10 dimensions, fp32 on cpu, stateful)"
    assert (stateful.num_layers, stateful.dim, stateful.device) == (3, 10, torch.device("cpu"))


def test_models_by_files_folder_or_network(tmp_path):
    expected = embedder_of().embed_batch(MIXED)
    folder = FILES[0].parent
    for embedder in (
        ElmoEmbedder(*FILES),
        ElmoEmbedder(str(FILES[0]), str(FILES[1]), -1),
        ElmoEmbedder(model=folder),
        ElmoEmbedder.from_pretrained(folder, batch_tokens=3),
    ):
        assert_near(embedder.embed_batch(MIXED), expected)


def test_models_that_cannot_be_found(tmp_path):
    for files in (FILES[0], None), (None, FILES[1]):
        name = "weight_file" if files[0] is None else "options_file"
        with pytest.raises(ConfigurationError, match=f"go together, got {name} alone; give both, or a model"):
            ElmoEmbedder(*files)
    with pytest.raises(DownloadError, match="no model or folder is called 'smal'; did you mean small"):
        ElmoEmbedder(model="smal")


def test_devices():
    assert embedder_of(device="cpu").device == torch.device("cpu")
    moved = embedder_of()
    first = moved.embed_batch(MIXED)
    assert moved.to("cpu") is moved
    assert_near(moved.embed_batch(MIXED), first)
    with pytest.raises(ConfigurationError, match="device is cpu, cuda or cuda:N, got 'gpu'"):
        embedder_of(device="gpu")


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for arguments in ({"cuda_device": 1}, {"device": "cuda:1"}):
        with pytest.raises(
            ConfigurationError, match="device cuda:1 was asked for, but PyTorch sees no GPU here; use cpu"
        ):
            embedder_of(**arguments)


def test_precisions_that_are_not_there(monkeypatch):
    assert list(setup.PRECISIONS) == ["fp32", "bf16", "fp16"]
    with pytest.raises(ConfigurationError, match="precision is one of fp32, bf16, fp16, got 'fp8'"):
        embedder_of(precision="fp8")
    with pytest.raises(ConfigurationError, match="stateful reproduces AllenNLP in fp32, got precision bf16"):
        embedder_of(precision="bf16", stateful=True)
    with pytest.raises(
        ConfigurationError, match="fp16 has no fast arithmetic on this CPU; use fp32, or --device cuda"
    ):
        embedder_of(precision="fp16")
    monkeypatch.setattr(packed_linear, "_has_bfloat16", lambda: False)
    with pytest.raises(ConfigurationError, match="bf16 needs a CPU with AMX or AVX512-BF16, this one has neither"):
        embedder_of(precision="bf16")


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_half_precision_is_near(name):
    if not packed_linear._has_bfloat16():
        pytest.skip("this CPU has no bfloat16 arithmetic")
    sentences = [ids for ids in committed_texts()["batches"].values() if ids]
    for batch in sentences:
        exact, rounded = (embedder_of(name, precision=precision).embed_batch(batch) for precision in ("fp32", "bf16"))
        for ours, theirs in zip(rounded, exact, strict=True):
            assert ours.dtype == np.float32
            assert np.linalg.norm(ours - theirs) <= 0.02 * np.linalg.norm(theirs)
            assert not theirs.size or not np.array_equal(ours, theirs)


def test_the_network_itself_gives_the_same(embedder):
    output = embedder.bilm(batch_to_ids(MIXED))
    for row, vectors in enumerate(embedder.embed_batch(MIXED)):
        layers = torch.stack(output.layer_activations)[:, row, 1 : len(MIXED[row]) + 1]
        np.testing.assert_allclose(vectors, layers, rtol=0, atol=1e-5)
