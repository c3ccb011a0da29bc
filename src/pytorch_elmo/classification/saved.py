"""Trained classifiers as folders: parameters and a description, and the encoder's own files beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from pytorch_elmo.classification.classifier import MeanEmbedding, TextClassifier, dense_head
from pytorch_elmo.elmo.mix_of_means import MixOfMeans
from pytorch_elmo.elmo.sentence_layer import ElmoSentenceLayer
from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.formats.tensor_file import read_tensor_file, write_tensor_file
from pytorch_elmo.static_embeddings.text_embedding import TextEmbedding
from pytorch_elmo.weights.load import load_pretrained, save_pretrained
from pytorch_elmo.weights.own_format import fill_parameters

FORMAT = "pytorch_elmo.classifier"
CLASSIFIER_FILE, ENCODER_FOLDER = "classifier.safetensors", "encoder"


class SavedClassifier(NamedTuple):
    """A classifier in evaluation mode, and the names of its classes in the order of their numbers."""

    model: TextClassifier
    classes: list[str]


@dataclass(frozen=True)
class _Form:
    """How one kind of encoder is kept: what describes it, what files it has, and how it is made of both."""

    encoder: type[nn.Module]
    settings: Callable[[Any], dict[str, Any]]
    write: Callable[[Any, Path], None]
    read: Callable[[dict[str, Any], Path], nn.Module]


def _nothing(encoder: nn.Module, folder: Path) -> None:
    """There are no files beside the parameters."""


_FORMS = {
    "vectors": _Form(nn.Identity, lambda _: {}, _nothing, lambda _, __: nn.Identity()),
    "mean_embedding": _Form(
        MeanEmbedding,
        lambda encoder: {"num_rows": len(encoder.embedding.weight), "dim": encoder.embedding.embedding_dim},
        _nothing,
        lambda settings, _: MeanEmbedding(settings["num_rows"], settings["dim"]),
    ),
    "mix_of_means": _Form(
        MixOfMeans,
        lambda encoder: {"num_layers": encoder.scalar_mix.mixture_size},
        _nothing,
        lambda settings, _: MixOfMeans(settings["num_layers"]),
    ),
    "text_embedding": _Form(
        TextEmbedding,
        lambda encoder: {"trainable": encoder.embedding_matrix.requires_grad},
        lambda encoder, folder: encoder.save(folder),
        lambda settings, folder: TextEmbedding.load(folder, trainable=settings["trainable"]),
    ),
    "elmo": _Form(
        ElmoSentenceLayer,
        lambda encoder: {"padding_in_mean": encoder.padding_in_mean},
        lambda encoder, folder: save_pretrained(encoder.bilm, folder),
        lambda settings, folder: ElmoSentenceLayer(load_pretrained(folder), **settings),
    ),
}


def save_classifier(model: TextClassifier, folder: str | Path, classes: Sequence[str]) -> None:
    """Write a classifier into a folder, which is made if need be; what it held under the same names is replaced.

    Args:
        model: its head made by `dense_head`, its encoder `nn.Identity`, `MeanEmbedding`, `MixOfMeans`,
            `TextEmbedding` or `ElmoSentenceLayer`.
        folder: gets `classifier.safetensors`, and in `encoder` the files of a text embedding or of a biLM.
        classes: the names of the classes in the order of their numbers.

    Raises:
        ConfigurationError: another encoder or head, or another number of classes than the head tells apart.
        OSError: the files cannot be written.
    """
    target, kind = Path(folder), _kind_of(model.encoder)
    sizes = _sizes_of(model.head)
    if len(classes) != max(sizes[-1], 2):
        raise ConfigurationError(
            f"the head tells {max(sizes[-1], 2)} classes apart, got the names of {len(classes)}; give one name each"
        )
    form = _FORMS[kind]
    target.mkdir(parents=True, exist_ok=True)
    form.write(model.encoder, target / ENCODER_FOLDER)
    encoder = {"kind": kind, "settings": form.settings(model.encoder)}
    document = {"classes": list(classes), "head": sizes, "encoder": encoder}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in _own_parameters(model).items()}
    write_tensor_file(target / CLASSIFIER_FILE, FORMAT, tensors, document)


def load_classifier(folder: str | Path) -> SavedClassifier:
    """What `save_classifier` wrote; it gives the same predictions, and may be trained on.

    Raises:
        WeightsError: a file is missing, damaged, or of another kind or version.
    """
    path = Path(folder) / CLASSIFIER_FILE
    tensors, document = read_tensor_file(path, FORMAT)
    try:
        classes, sizes = list(document["classes"]), list(document["head"])
        form, settings = _FORMS[document["encoder"]["kind"]], document["encoder"]["settings"]
        encoder = form.read(settings, Path(folder) / ENCODER_FOLDER)
        model = TextClassifier(encoder, dense_head(*sizes))
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigurationError) as error:  # torch: sizes below 0
        raise WeightsError(f"{path}: its description is damaged ({error}); fetch the file anew") from error
    fill_parameters(_own_parameters(model), tensors, path)
    return SavedClassifier(model.eval(), classes)


def _kind_of(encoder: nn.Module) -> str:
    for kind, form in _FORMS.items():
        if type(encoder) is form.encoder:
            return kind
    known = ", ".join(form.encoder.__name__ for form in _FORMS.values())
    raise ConfigurationError(f"an encoder that is saved is one of {known}, got {type(encoder).__name__}")


def _sizes_of(head: nn.Module) -> list[int]:
    layers = [layer for layer in head.children() if isinstance(layer, nn.Linear)]
    sizes = [layer.in_features for layer in layers] + [layer.out_features for layer in layers[-1:]]
    if len(sizes) < 2 or repr(head) != repr(dense_head(*sizes)):
        raise ConfigurationError(f"a head that is saved is made by dense_head, got {' '.join(repr(head).split())}")
    return sizes


def _own_parameters(model: TextClassifier) -> dict[str, nn.Parameter]:
    """All but those that stand in the encoder's own files: a text embedding's matrix, a biLM's parameters."""
    elsewhere = {"encoder.embedding_matrix"}
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if name not in elsewhere and not name.startswith("encoder.bilm.")
    }
