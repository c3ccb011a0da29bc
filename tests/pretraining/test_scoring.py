"""Every token's log-probability against the slow reference, in all three ways to begin a sentence."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import COMMITTED, COMMITTED_MODELS, committed_texts, read_files
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax
from pytorch_elmo.pretraining import scoring, text_lanes
from pytorch_elmo.pretraining.scoring import Scorer
from pytorch_elmo.pretraining.text_lanes import STATE_RULES
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.language_model import LanguageModel, load_language_model
from reference.model import read_model
from reference.scoring import rows_of_streams, scores_from_zeros, scores_in_batches, scores_in_rows

WORDS = ["the", "old", "boat", "left", ".", "seagull", "café", "noon", "</S>", "x" * 60]
TEXT = [
    [WORDS[(3 * row + column) % len(WORDS)] for column in range(length)]
    for row, length in enumerate([5, 1, 0, 9, 2, 30, 3, 1, 4, 7, 6, 2])
]
TOLERANCE = 1e-5


def language_model(name: str) -> LanguageModel:
    return load_language_model(COMMITTED / name, COMMITTED / "vocabulary.txt")


@pytest.fixture(params=COMMITTED_MODELS)
def model(request) -> LanguageModel:
    return language_model(request.param)


@pytest.fixture
def reference(request, model):
    """The slow twin of `model`."""
    folder = COMMITTED / request.node.callspec.params["model"]
    return read_model(folder / "options.json", folder / "weights.hdf5", folder / "softmax_weights.hdf5")


def assert_scores(found, expected) -> None:
    found = list(found)
    assert [scores.tokens for scores in found] == TEXT[: len(found)]
    for scores, (forward, backward) in zip(found, expected, strict=True):
        np.testing.assert_allclose(scores.forward, forward, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(scores.backward, backward, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("state", ["start", "zeros"])
@pytest.mark.parametrize("batch_size", [None, 1, 5])
def test_from_zeros(model, reference, small_vocabulary, batch_size, state):
    expected = scores_from_zeros(reference, TEXT, small_vocabulary.tokens)
    if state == "zeros":  # whatever start state the model brings
        model.bilm.lstm.start = state_of_ones(model, 0.3)
    assert_scores(Scorer(model, batch_size=batch_size, state=state)(TEXT), expected)


@pytest.mark.parametrize("batch_size", [1, 3, 12, 20])
def test_carried_as_bilm_tf_does(model, reference, small_vocabulary, batch_size, monkeypatch):
    monkeypatch.setattr(text_lanes, "_POSITIONS_PER_WINDOW", 4 * batch_size)
    rows = rows_of_streams(TEXT, batch_size)
    assert sorted(index for row in rows for index in row) == list(range(len(TEXT)))
    expected = scores_in_rows(reference, TEXT, small_vocabulary.tokens, rows)
    assert_scores(Scorer(model, state="bilm-tf", batch_size=batch_size)(TEXT), expected)


@pytest.mark.parametrize("batch_size", [1, 3, 5, 20])
def test_carried_as_allennlp_does(model, reference, small_vocabulary, batch_size, monkeypatch):
    monkeypatch.setattr(text_lanes, "_POSITIONS_PER_WINDOW", 4 * batch_size)
    expected = scores_in_batches(reference, TEXT, small_vocabulary.tokens, batch_size)
    assert_scores(Scorer(model, state="allennlp", batch_size=batch_size)(TEXT), expected)


def test_the_three_ways_differ(model):
    first, second, third = (
        np.concatenate([scores.forward for scores in Scorer(model, state=state, batch_size=3)(TEXT)])
        for state in ("zeros", "bilm-tf", "allennlp")
    )
    assert np.abs(first - second).max() > 0.01
    assert np.abs(second - third).max() > 0.01


@pytest.mark.parametrize("start", ["fresh", "stream"])
def test_committed_log_probabilities(model, request, start):
    """`stream` is bilm-tf's way with a single row."""
    lines = [line.split() for line in committed_texts()["lines"]]
    scorer = Scorer(model, state="zeros" if start == "fresh" else "bilm-tf", batch_size=1)
    with np.load(COMMITTED / request.node.callspec.params["model"] / "softmax.npz") as theirs:
        for number, scores in enumerate(scorer(lines)):
            for direction in ("forward", "backward"):
                expected = theirs[f"{start}__{number}__log_probability_{direction}"]
                np.testing.assert_allclose(getattr(scores, direction), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("state", "name"), [("zeros", "fresh"), ("bilm-tf", "stream")])
def test_bilm_tf_itself(golden_folder, state, name):
    """Its graph's own log-probabilities, state carried or not, and the numpy code's over the same variables."""
    folder = golden_folder / "bilm_tf_checkpoint"
    with np.load(folder / "tensorflow.npz") as variables:
        weight, bias = variables["variable__lm__softmax__W"], variables["variable__lm__softmax__b"]
    softmax = Softmax(*weight.shape)
    softmax.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    bilm = read_files(folder / "options.json", folder / "weights.hdf5")
    sentences = [line.split() for line in (folder / "sentences.txt").read_text("utf-8").splitlines()]
    model = LanguageModel(bilm, softmax, Vocabulary.from_file(folder / "vocab.txt"))
    with np.load(folder / "expected.npz") as expected, np.load(folder / "tensorflow.npz") as graph:
        for number, scores in enumerate(Scorer(model, state=state, batch_size=1)(sentences)):
            for direction in ("forward", "backward"):
                ours, key = getattr(scores, direction), f"{name}__{number}"
                np.testing.assert_allclose(ours, expected[f"{key}__logprob_{direction}"], rtol=0, atol=TOLERANCE)
                np.testing.assert_allclose(ours, graph[f"{key}__tf_logprob_{direction}"], rtol=0, atol=TOLERANCE)
    assert number + 1 == len(sentences) == 3


@given(
    lengths=st.lists(st.integers(0, 40), max_size=30),
    batch_size=st.integers(1, 9),
    window=st.integers(1, 200),
    batch=st.integers(1, 300),
)
def test_neither_batches_nor_windows_change_it(lengths, batch_size, window, batch):
    """In the default way to begin a sentence: within 1e-5, whatever runs beside it."""
    model = language_model("clipped")
    text = [[WORDS[(row + column) % len(WORDS)] for column in range(length)] for row, length in enumerate(lengths)]
    whole = list(Scorer(model)(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lanes, "_POSITIONS_PER_WINDOW", window)
        patch.setattr(scoring, "_TOKENS_PER_BATCH", batch)
        patch.setattr(scoring, "_LOGITS_AT_A_TIME", 48)
        patch.setattr(scoring, "_FEWEST_POSITIONS", 1)
        pieces = list(Scorer(model, batch_size=batch_size)(iter(text)))
    assert [scores.tokens for scores in pieces] == text
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one.forward, other.forward, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(one.backward, other.backward, rtol=0, atol=TOLERANCE)


def state_of_ones(model: LanguageModel, value: float) -> LstmState:
    zeros = model.bilm.lstm.zero_state(1)
    return LstmState(zeros.hidden + value, zeros.cell + value)


def by_the_network(model: LanguageModel, sentence: list[str], start: LstmState) -> np.ndarray:
    """Forward log-probabilities of a sentence alone from `start`, by the readable network."""
    with torch.no_grad():
        top = model.bilm(batch_to_ids([sentence]), start).layer_activations[-1][0]
        size = model.bilm.config.lstm.projection_size
        logits = top[:-1, :size] @ model.softmax.weight.T + model.softmax.bias
        targets = [*map(model.vocabulary.id_of, sentence), model.vocabulary.end_id]
        return torch.log_softmax(logits, dim=-1)[torch.arange(len(targets)), targets].numpy()


@pytest.mark.parametrize("is_own", [True, False])
def test_every_sentence_begins_from_the_start_state(model, is_own):
    """The model's own, or one given as an argument."""
    start = state_of_ones(model, 0.3)
    if is_own:
        model.bilm.lstm.start = start
    scorer = Scorer(model, start=None if is_own else start, batch_size=2)
    for scores in scorer(sentence for sentence in TEXT if sentence):
        expected = by_the_network(model, scores.tokens, start)
        np.testing.assert_allclose(scores.forward, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("state", ["bilm-tf", "allennlp"])
def test_carried_rows_begin_from_a_start_state(model, state):
    """The first sentence of each row; the others go on from there."""
    start = state_of_ones(model, 0.3)
    found = list(Scorer(model, state=state, start=start, batch_size=2)(TEXT[3:8]))
    for scores in found[:2]:
        expected = by_the_network(model, scores.tokens, start)
        np.testing.assert_allclose(scores.forward, expected, rtol=0, atol=TOLERANCE)
    assert np.abs(found[2].forward - by_the_network(model, found[2].tokens, start)).max() > 1e-3


def test_memory_holds_a_batch_of_the_text(model, monkeypatch):
    """A sentence is asked for only when the ones before it are on their way."""
    monkeypatch.setattr(scoring, "_TOKENS_PER_BATCH", 50)
    monkeypatch.setattr(text_lanes, "_POSITIONS_PER_WINDOW", 32)
    for state in STATE_RULES:
        asked = 0

        def text():
            nonlocal asked
            for _ in range(500):
                asked += 1
                yield ["the", "old", "boat"]

        for done, _ in enumerate(Scorer(model, state=state, batch_size=4)(text())):
            assert asked - done <= 30


def test_an_adaptive_softmax(model):
    """Against its own loss over the layers that the embedder's engine gives."""
    torch.manual_seed(0)
    size = model.bilm.config.lstm.projection_size
    softmax = AdaptiveSoftmax(len(model.vocabulary), size, [6])
    adaptive = LanguageModel(model.bilm, softmax, model.vocabulary)
    for scores in Scorer(adaptive, batch_size=2)(TEXT[3:6]):
        with torch.no_grad():
            top = model.bilm(batch_to_ids([scores.tokens])).layer_activations[-1][0]
            targets = [*map(model.vocabulary.id_of, scores.tokens), model.vocabulary.end_id]
            expected = -softmax.full_loss(top[:-1, :size], torch.tensor(targets)).numpy()
        np.testing.assert_allclose(scores.forward, expected, rtol=0, atol=TOLERANCE)


def test_words_outside_the_vocabulary_are_marked(model):
    (scores,) = Scorer(model)([["the", "zebra", "<UNK>", "boat"]])
    assert scores.unknown.tolist() == [False, True, True, False]


def test_probabilities_are_a_distribution(model):
    """Of the word after `the`, over the whole vocabulary."""
    words = [token for token in model.vocabulary.tokens if token not in ("<S>", "</S>")]
    found = [scores.forward[1] for scores in Scorer(model)(["the", word] for word in words)]
    (closing,) = Scorer(model)([["the"]])
    assert np.exp([*found, closing.forward[1]]).sum() < 1
    np.testing.assert_allclose(
        np.exp([*found, closing.forward[1]]).sum() + begin_probability(model), 1.0, rtol=0, atol=1e-5
    )


def begin_probability(model: LanguageModel) -> float:
    """That of `<S>`, which no sentence ends in."""
    (scores,) = Scorer(model)([["the", "<S>"]])
    return float(np.exp(scores.forward[1]))


def test_no_sentence(model):
    for state in STATE_RULES:
        assert list(Scorer(model, state=state)([])) == []


def test_what_is_refused(model):
    with pytest.raises(
        ConfigurationError, match="state is one of start, zeros, bilm-tf, allennlp, got 'warm'; leave it out"
    ):
        Scorer(model, state="warm")
    with pytest.raises(ConfigurationError, match="batch_size is at least 1, got 0; leave it out"):
        Scorer(model, batch_size=0)
    with pytest.raises(TextError, match="a sentence is a list of tokens, got the string 'the boat'"):
        list(Scorer(model)(["the boat"]))
