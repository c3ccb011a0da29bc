"""What an embedder is made of: which model, where, and how exactly."""

from pathlib import Path

import torch

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM
from pytorch_elmo.weights.load import load_bilm, load_pretrained

ALLENNLP_BATCH_SIZE = 64
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def load_model(
    options_file: str | Path | None, weight_file: str | Path | None, model: str | Path | BiLM
) -> tuple[BiLM, str]:
    """The biLM that the arguments name, and a name for it.

    Raises:
        ConfigurationError: one of the two files without the other.
        PytorchElmoError: the model cannot be found or read.
    """
    if isinstance(model, BiLM):
        return model, "biLM"
    if (options_file is None) != (weight_file is None):
        given = "options_file" if weight_file is None else "weight_file"
        raise ConfigurationError(
            f"options_file and weight_file go together, got {given} alone; give both, or a model"
        )
    if options_file is not None and weight_file is not None:
        return load_bilm(options_file, weight_file), str(weight_file)
    return load_pretrained(model), str(model)


def choose_device(device: str | torch.device | None, cuda_device: int) -> torch.device:
    """The device that the arguments name; `cuda_device` counts where `device` is None.

    Raises:
        ConfigurationError: no such device, or no GPU.
    """
    if device is None:
        device = f"cuda:{cuda_device}" if cuda_device >= 0 else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ConfigurationError(f"device is cpu, cuda or cuda:N, got {device!r}") from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(f"device {chosen} was asked for, but PyTorch sees no GPU here; use cpu")
    return chosen
