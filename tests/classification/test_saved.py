"""Classifiers that are saved and loaded predict the same."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from pytorch_elmo.classification.classifier import MeanEmbedding, TextClassifier, dense_head, num_trained
from pytorch_elmo.classification.saved import CLASSIFIER_FILE, load_classifier, save_classifier
from pytorch_elmo.elmo.mix_of_means import MixOfMeans
from pytorch_elmo.elmo.sentence_layer import ElmoSentenceLayer
from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.static_embeddings import TextEmbedding

TEXTS = ["a bad film", "good", "", "film a a"]
TWO, THREE = ["neg", "pos"], ["method", "background", "result"]


@pytest.fixture
def classifiers(small_model):
    """Classifiers of every kind with random parameters, inputs for them, and their classes."""
    texts, generator = TextEmbedding(["a", "bad", "good"], 4), torch.Generator().manual_seed(0)
    vectors, ids = torch.randn(4, 5, generator=generator), torch.randint(0, 6, (4, 7), generator=generator)
    dim = small_model.config.dim
    kinds = {
        "vectors": (nn.Identity(), vectors, dense_head(5, 3), THREE),
        "mean embedding": (MeanEmbedding(6, 4), ids, dense_head(4, 16, 1), TWO),
        "means": (MixOfMeans(3), torch.randn(4, 3, 8, generator=generator), dense_head(8, 6, 1), TWO),
        "text embedding": (texts, TEXTS, dense_head(4, 16, 1), TWO),
        "elmo": (ElmoSentenceLayer(small_model, padding_in_mean=True), TEXTS, dense_head(dim, 6, 3), THREE),
    }
    made = {}
    for name, (encoder, inputs, head, classes) in kinds.items():
        model = TextClassifier(encoder, head)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator))
        made[name] = (model, inputs, classes)
    return made


@pytest.mark.parametrize("kind", ["vectors", "mean embedding", "means", "text embedding", "elmo"])
def test_predictions_are_equal(classifiers, tmp_path, kind):
    model, inputs, classes = classifiers[kind]
    save_classifier(model, tmp_path / "saved", classes)
    loaded = load_classifier(tmp_path / "saved")
    assert loaded.classes == classes
    assert not loaded.model.training
    assert torch.equal(loaded.model(inputs), model.eval()(inputs))
    assert num_trained(loaded.model) == num_trained(model)
    assert (tmp_path / "saved" / "encoder").exists() == (kind in ("text embedding", "elmo"))
    save_classifier(loaded.model, tmp_path / "saved", classes)  # over itself
    assert torch.equal(load_classifier(tmp_path / "saved").model(inputs), model(inputs))


def test_classes_have_names(classifiers, tmp_path):
    with pytest.raises(ConfigurationError, match="the head tells 3 classes apart, got the names of 2; give one name"):
        save_classifier(classifiers["vectors"][0], tmp_path, TWO)
    with pytest.raises(ConfigurationError, match="the head tells 2 classes apart, got the names of 1"):
        save_classifier(classifiers["means"][0], tmp_path, ["pos"])


def test_unknown_parts_are_refused(tmp_path):
    model = TextClassifier(nn.Tanh(), dense_head(2, 1))
    with pytest.raises(ConfigurationError, match=r"an encoder that is saved is one of Identity, .*got Tanh"):
        save_classifier(model, tmp_path, TWO)
    model = TextClassifier(nn.Identity(), nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    with pytest.raises(ConfigurationError, match="a head that is saved is made by dense_head, got Sequential"):
        save_classifier(model, tmp_path, TWO)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document | {"head": [5, 2]}, "has shape .*, its options promise"),
        (lambda document: document | {"head": [5]}, "its description is damaged .*at least two sizes"),
        (
            lambda document: (
                document | {"encoder": {"kind": "mean_embedding", "settings": {"num_rows": -1, "dim": 5}}}
            ),
            "its description is damaged .*negative dimension",
        ),
        (lambda document: document | {"encoder": {"kind": "magic"}}, r"its description is damaged \('magic'\)"),
        (lambda document: {"head": [5, 3]}, r"its description is damaged \('classes'\)"),
    ],
)
def test_damaged_descriptions_are_refused(classifiers, tmp_path, change, message):
    model, _, classes = classifiers["vectors"]
    save_classifier(model, tmp_path, classes)
    path = tmp_path / CLASSIFIER_FILE
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata["document"] = json.dumps(change(json.loads(metadata["document"])))
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(WeightsError, match=f"{CLASSIFIER_FILE}.*{message}"):
        load_classifier(tmp_path)


def test_missing_and_damaged_files_are_refused(classifiers, tmp_path):
    with pytest.raises(WeightsError, match="no model file"):
        load_classifier(tmp_path)
    model, _, classes = classifiers["text embedding"]
    save_classifier(model, tmp_path, classes)
    (tmp_path / "encoder" / "vocabulary.txt").unlink()
    with pytest.raises(WeightsError, match="encoder"):
        load_classifier(tmp_path)
    save_classifier(model, tmp_path, classes)
    path = tmp_path / CLASSIFIER_FILE
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(WeightsError, match="is no whole safetensors file"):
        load_classifier(tmp_path)
