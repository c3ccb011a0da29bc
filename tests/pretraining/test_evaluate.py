"""Perplexities against bilm-tf's model, against the network run plainly, and for text that is nothing."""

import json
import math

import h5py
import numpy as np
import pytest
import torch

from originals import COMMITTED, COMMITTED_MODELS, committed_texts, read_committed, read_files
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.pretraining.evaluate import Perplexity, evaluate_perplexity
from pytorch_elmo.text.vocabulary import Vocabulary
from small_runs import Listener


def softmax_of(weight: np.ndarray, bias: np.ndarray) -> Softmax:
    softmax = Softmax(*weight.shape)
    softmax.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    return softmax


@pytest.fixture(params=COMMITTED_MODELS)
def model(request, small_vocabulary):
    """biLM, softmax and vocabulary of a committed model, and its name."""
    with h5py.File(COMMITTED / request.param / "softmax_weights.hdf5") as file:
        softmax = softmax_of(file["softmax/W"][()], file["softmax/b"][()])
    return (read_committed(request.param), softmax, small_vocabulary), request.param


@pytest.fixture
def lines() -> list[list[str]]:
    return [line.split() for line in committed_texts()["lines"]]


def test_committed_log_probabilities(model, lines):
    """Every line from zero states: exp of minus the mean over all its predictions."""
    parts, name = model
    perplexity = evaluate_perplexity(*parts, lines)
    with np.load(COMMITTED / name / "softmax.npz") as theirs:
        for direction in ("forward", "backward"):
            values = [theirs[f"fresh__{line}__log_probability_{direction}"] for line in range(3)]
            expected = math.exp(-np.concatenate(values).mean())
            assert getattr(perplexity, direction) == pytest.approx(expected, rel=1e-5)


def test_original_perplexities(golden_folder):
    folder = golden_folder / "bilm_tf_checkpoint"
    with np.load(folder / "tensorflow.npz") as variables:
        softmax = softmax_of(variables["variable__lm__softmax__W"], variables["variable__lm__softmax__b"])
    bilm = read_files(folder / "options.json", folder / "weights.hdf5")
    sentences = [line.split() for line in (folder / "sentences.txt").read_text("utf-8").splitlines()]
    perplexity = evaluate_perplexity(bilm, softmax, Vocabulary.from_file(folder / "vocab.txt"), sentences)
    expected = json.loads((folder / "expected.json").read_text("utf-8"))["fresh"]["all"]
    assert expected["predictions per direction"] == perplexity.num_tokens + perplexity.num_sentences == 19
    assert perplexity.forward == pytest.approx(expected["perplexity forward"], rel=1e-5)
    assert perplexity.backward == pytest.approx(expected["perplexity backward"], rel=1e-5)
    assert perplexity.both == pytest.approx(expected["perplexity"], rel=1e-5)


def test_neither_batches_nor_order_change_it(model, lines):
    parts, _ = model
    whole = evaluate_perplexity(*parts, lines * 3)
    pieces = evaluate_perplexity(*parts, iter(lines[::-1] * 3), batch_size=2)
    assert pieces.forward == pytest.approx(whole.forward, rel=1e-6)
    assert pieces.backward == pytest.approx(whole.backward, rel=1e-6)
    assert pieces.num_tokens == whole.num_tokens == 30


def test_states(model, lines):
    parts, _ = model
    found = {state: evaluate_perplexity(*parts, lines, state=state).forward for state in ("zeros", "allennlp")}
    carried = evaluate_perplexity(*parts, lines, state="allennlp", batch_size=1).forward
    assert found["zeros"] == pytest.approx(found["allennlp"], rel=1e-6)  # 64 rows, and only three sentences
    assert carried != pytest.approx(found["zeros"], rel=1e-4)
    warm = parts[0].lstm.zero_state(1)
    warm = type(warm)(warm.hidden + 0.3, warm.cell + 0.3)
    assert evaluate_perplexity(*parts, lines, start=warm).forward != pytest.approx(found["zeros"], rel=1e-4)


def test_several_texts_as_one(model, lines):
    parts, _ = model
    parts_of_text = [evaluate_perplexity(*parts, [line]) for line in lines]
    whole, joined = evaluate_perplexity(*parts, lines), Perplexity.of_all(parts_of_text)
    assert joined.forward == pytest.approx(whole.forward, rel=1e-6)
    assert joined.backward == pytest.approx(whole.backward, rel=1e-6)
    assert (joined.num_sentences, joined.num_predictions) == (whole.num_sentences, whole.num_predictions)
    assert joined.num_unknown == whole.num_unknown == 1


def test_what_is_counted(model):
    parts, _ = model
    listener = Listener()
    text = [["the", "zebra"], [], ["sea", "zebra", "unheard"]]
    perplexity = evaluate_perplexity(*parts, text, listener, total=5)
    assert (perplexity.num_sentences, perplexity.num_tokens, perplexity.num_unknown) == (3, 5, 3)
    assert perplexity.unknown_rate == 0.6
    assert (listener.totals, sum(listener.amounts)) == ([5], 5)
    assert listener.finished == 1


def test_an_empty_sentence_is_one_prediction(model):
    parts, _ = model
    perplexity = evaluate_perplexity(*parts, [[]])
    assert (perplexity.num_sentences, perplexity.num_tokens) == (1, 0)
    assert perplexity.forward > 1
    assert perplexity.unknown_rate == 0


def test_no_sentence(model):
    parts, _ = model
    perplexity = evaluate_perplexity(*parts, [])
    assert (perplexity.num_sentences, perplexity.forward, perplexity.backward) == (0, 1.0, 1.0)


def test_a_uniform_softmax_has_the_vocabulary_s_size(model, lines):
    (bilm, softmax, vocabulary), _ = model
    uniform = Softmax(len(vocabulary), softmax.weight.shape[1])
    perplexity = evaluate_perplexity(bilm, uniform, vocabulary, lines)
    assert perplexity.forward == pytest.approx(16, rel=1e-5)
    assert perplexity.backward == pytest.approx(16, rel=1e-5)


def test_both_directions_together():
    perplexity = Perplexity(forward=4.0, backward=9.0, num_sentences=1, num_tokens=1, num_unknown=0)
    assert perplexity.both == 6.0
