"""This project's own model files: parameters in safetensors, the rest as JSON in the same file's header."""

from pathlib import Path

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError, TextError, WeightsError
from pytorch_elmo.formats.tensor_file import read_tensor_file, write_tensor_file
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.softmax import AdaptiveSoftmax, Softmax
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.options import format_options, parse_options

BILM_FORMAT = "pytorch_elmo.bilm"
SOFTMAX_FORMAT = "pytorch_elmo.softmax"
_VOCABULARY = "vocabulary"
_START = "start_state."


def save_bilm(bilm: BiLM, path: Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a biLM's parameters, start state and options; half precision halves the file and rounds the numbers."""
    tensors = {name: parameter.detach().to(dtype).contiguous() for name, parameter in bilm.named_parameters()}
    if bilm.lstm.start is not None:
        tensors |= {_START + name: part.to(dtype).contiguous() for name, part in bilm.lstm.start._asdict().items()}
    write_tensor_file(path, BILM_FORMAT, tensors, {"options": format_options(bilm.config)})


def read_bilm(path: Path) -> BiLM:
    """A biLM, float32, frozen and in evaluation mode.

    Raises:
        WeightsError: the file is missing, damaged, of another kind or version, or does not fit its own options.
    """
    tensors, document = read_tensor_file(path, BILM_FORMAT)
    try:
        bilm = BiLM.unfilled(parse_options(document.get("options", {})))
    except ConfigurationError as error:
        raise WeightsError(f"{path}: its own options are damaged: {error}; fetch the file anew") from error
    start = {name: tensors.pop(_START + name).float() for name in LstmState._fields if _START + name in tensors}
    fill_parameters(dict(bilm.named_parameters()), tensors, path)
    if start:
        try:
            bilm.lstm.start = LstmState(**start)
        except (ConfigurationError, TypeError) as error:
            raise WeightsError(f"{path}: its start state is damaged: {error}; fetch the file anew") from error
    return bilm.requires_grad_(False).eval()


def save_softmax(
    softmax: Softmax | AdaptiveSoftmax, vocabulary: Vocabulary, path: Path, *, dtype: torch.dtype = torch.float32
) -> None:
    """Write an output layer with the words that it predicts."""
    tensors = {name: parameter.detach().to(dtype).contiguous() for name, parameter in softmax.named_parameters()}
    words = "\n".join(vocabulary.tokens).encode("utf-8")
    tensors[_VOCABULARY] = torch.frombuffer(bytearray(words), dtype=torch.uint8)
    shape = {"cutoffs": softmax.cutoffs} if isinstance(softmax, AdaptiveSoftmax) else {}
    write_tensor_file(path, SOFTMAX_FORMAT, tensors, shape)


def read_softmax(path: Path) -> tuple[Softmax | AdaptiveSoftmax, Vocabulary]:
    """An output layer, float32 and frozen, and its vocabulary.

    Raises:
        WeightsError: as `read_bilm`.
    """
    tensors, document = read_tensor_file(path, SOFTMAX_FORMAT)
    first = "layer.head.weight" if "cutoffs" in document else "weight"
    if _VOCABULARY not in tensors or first not in tensors:
        raise WeightsError(f"{path}: misses the vocabulary or the weight; fetch the file anew")
    try:
        vocabulary = Vocabulary(tensors.pop(_VOCABULARY).numpy().tobytes().decode("utf-8").split("\n"))
    except (UnicodeDecodeError, TextError) as error:
        raise WeightsError(f"{path}: its vocabulary is damaged: {error}; fetch the file anew") from error
    size = tensors[first].shape[-1]
    softmax: Softmax | AdaptiveSoftmax = Softmax(len(vocabulary), size)
    if "cutoffs" in document:
        softmax = AdaptiveSoftmax(len(vocabulary), size, document["cutoffs"])
    fill_parameters(dict(softmax.named_parameters()), tensors, path)
    return softmax.requires_grad_(False).eval(), vocabulary


@torch.no_grad()
def fill_parameters(parameters: dict[str, torch.nn.Parameter], tensors: dict[str, Tensor], path: Path) -> None:
    """Copy a file's tensors into the parameters of these names.

    Raises:
        WeightsError: names or shapes differ, or a number is not finite.
    """
    if difference := sorted(parameters.keys() ^ tensors.keys()):
        raise WeightsError(f"{path}: parameter(s) missing or unknown, first {difference[0]}; nothing was loaded")
    for name, parameter in parameters.items():
        if tensors[name].shape != parameter.shape:
            raise WeightsError(
                f"{path}: {name} has shape {tuple(tensors[name].shape)}, its options promise {tuple(parameter.shape)}"
            )
        if not tensors[name].isfinite().all():
            raise WeightsError(f"{path}: {name} holds NaN or infinity; the file is damaged, fetch it anew")
        parameter.copy_(tensors[name])
