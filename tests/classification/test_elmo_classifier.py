"""The tutorial on ELMo in Keras in small: trained on stored means, run on text, saved and loaded."""

import pytest
import torch

from pytorch_elmo import ElmoEmbedder
from pytorch_elmo.classification import (
    Examples,
    KerasAdam,
    Task,
    TextClassifier,
    dense_head,
    fit,
    initialize_as_keras,
    load_classifier,
    num_trained,
    save_classifier,
)
from pytorch_elmo.classification.data_sets import first_words
from pytorch_elmo.classification.losses import binary_cross_entropy
from pytorch_elmo.classification.metrics import accuracy_of_probabilities
from pytorch_elmo.classification.orders import ShuffledEpochs
from pytorch_elmo.elmo import ElmoSentenceLayer, MixOfMeans
from pytorch_elmo.elmo.layer_means import read_layer_means
from pytorch_elmo.embedder import embed_layer_means

GOOD = ["a fine film", "the good film ", "good good fun", "fine fun"]
BAD = ["a bad film", "the poor film", "bad", "poor fun"]
TEXTS, LABELS = GOOD + BAD, torch.tensor([1, 1, 1, 1, 0, 0, 0, 0])
TASK = Task(loss=binary_cross_entropy, metrics={"accuracy": accuracy_of_probabilities})


@pytest.fixture
def trained(small_model, tmp_path) -> TextClassifier:
    """A classifier of means, after 40 epochs."""
    tokens = [first_words(text) for text in TEXTS]
    stored = embed_layer_means(ElmoEmbedder(model=small_model), tokens, tmp_path / "means.safetensors")
    model = TextClassifier(MixOfMeans(3), dense_head(small_model.config.dim, 16, 1))
    initialize_as_keras(model, 0)
    before = [parameter.clone() for parameter in model.encoder.parameters()]
    optimizer = KerasAdam(model.parameters(), lr=0.02)
    training, order = Examples(stored.means, LABELS), ShuffledEpochs(batch_size=4, seed=0)
    history = fit(model, training, task=TASK, optimizer=optimizer, order=order, rounds=40)
    assert history.column("accuracy")[-1] == 1.0
    assert all(abs(new - old) > 1e-3 for new, old in zip(model.encoder.parameters(), before, strict=True))
    return model.eval()


def test_what_learned_on_means_runs_on_text(trained, small_model, tmp_path):
    layer = ElmoSentenceLayer(small_model, scalar_mix=trained.encoder.scalar_mix)
    model = TextClassifier(layer, trained.head).eval()
    assert num_trained(model) == num_trained(trained)
    stored = read_layer_means(tmp_path / "means.safetensors")
    torch.testing.assert_close(model(TEXTS), trained(stored.means), rtol=0, atol=1e-5)
    save_classifier(model, tmp_path / "classifier", ["bad", "good"])
    loaded = load_classifier(tmp_path / "classifier")
    assert torch.equal(loaded.model(TEXTS), model(TEXTS))
    assert [loaded.classes[int(logit > 0)] for logit in loaded.model(["fine film", "poor"])] == ["good", "bad"]
