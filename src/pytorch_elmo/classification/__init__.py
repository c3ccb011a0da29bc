"""Training sentence classifiers: data sets, one plain loop, metrics."""

from pytorch_elmo.classification.classifier import MeanEmbedding, TextClassifier, dense_head, num_trained
from pytorch_elmo.classification.evaluation import Task, evaluate
from pytorch_elmo.classification.examples import Examples
from pytorch_elmo.classification.history import History
from pytorch_elmo.classification.initialization import initialize_as_keras
from pytorch_elmo.classification.optimizers import KerasAdam
from pytorch_elmo.classification.saved import load_classifier, save_classifier
from pytorch_elmo.classification.trainer import fit

__all__ = [
    "Examples",
    "History",
    "KerasAdam",
    "MeanEmbedding",
    "Task",
    "TextClassifier",
    "dense_head",
    "evaluate",
    "fit",
    "initialize_as_keras",
    "load_classifier",
    "num_trained",
    "save_classifier",
]
