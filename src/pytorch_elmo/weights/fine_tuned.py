"""The biLM inside a task model's parameters, found by AllenNLP's names."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.model import BiLM, BiLMConfig

_TABLE = "_token_embedder._char_embedding_weights"
_PARTS = ("_token_embedder.", "_elmo_lstm.")
_CACHE = "_word_embedding.weight"

Tensors = dict[str, Tensor]


def find_bilm(tensors: Mapping[str, Tensor], source: str, prefix: str | None = None) -> tuple[str, Tensors]:
    """The one biLM in a state dict: what its parameters' names begin with, and the parameters without that.

    Several with equal numbers are one that is used twice.

    Args:
        tensors: a whole model's state dict.
        source: where it is from, for messages.
        prefix: of the biLM to take, where there are several.

    Raises:
        WeightsError: no biLM.
        ConfigurationError: several different ones, or none with this prefix.
    """
    found = {name.removesuffix(_TABLE): _under(tensors, name.removesuffix(_TABLE)) for name in _tables(tensors)}
    if not found:
        raise WeightsError(
            f"{source} holds no biLM: none of its {len(tensors)} tensors is called …{_TABLE}; name another file"
        )
    if prefix is not None:
        chosen = next((name for name in found if name.rstrip(".") == prefix.rstrip(".")), None)
        if chosen is None:
            raise ConfigurationError(f"{source}: no biLM is called {prefix!r}, there are {_listed(found)}; name one")
        return chosen, found[chosen]
    first, *others = found
    if any(not _equal(found[first], found[other]) for other in others):
        raise ConfigurationError(
            f"{source} holds {len(found)} biLMs with different numbers: {_listed(found)}; choose one with --prefix"
        )
    return first, found[first]


def cached_words(tensors: Mapping[str, Tensor], prefix: str) -> str | None:
    """The name of the word vectors that AllenNLP computed from the biLM and keeps beside it, if they are there."""
    return prefix + _CACHE if prefix + _CACHE in tensors else None


def bilm_from_state_dict(tensors: Mapping[str, Tensor], config: BiLMConfig, source: str) -> BiLM:
    """A biLM from its state dict, frozen and in evaluation mode.

    A state dict holds the forget gates' biases with the constant 1.0 added. It is taken away here, which rounds, so
    these biases keep all but their last bit or two: with the constant added again they differ by at most 6e-8,
    where they lie below -1 by 1.2e-7 of their size.

    Raises:
        WeightsError: a parameter is missing or unknown, has another shape, or holds NaN or infinity.
    """
    if difference := first_difference(tensors, config):
        raise WeightsError(f"{source}: {difference}; name the options file of this model with --options-file")
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise WeightsError(f"{source}: {name} holds NaN or infinity; convert a model that was trained well")
    bilm = BiLM.unfilled(config)
    with torch.no_grad():
        for parameter in bilm.parameters():
            parameter.zero_()  # what stood in a forget bias would decide its last bit
    bilm.load_state_dict(dict(tensors))
    return bilm.requires_grad_(False).eval()


def first_difference(tensors: Mapping[str, Tensor], config: BiLMConfig) -> str | None:
    """What keeps a state dict from being one of this architecture; None if nothing does."""
    with torch.device("meta"):  # shapes alone
        expected = BiLM(config).state_dict()
    if missing := sorted(expected.keys() - tensors.keys()):
        return f"the biLM misses {missing[0]}, which its options promise"
    if unknown := sorted(tensors.keys() - expected.keys()):
        return f"the biLM has {unknown[0]}, for which its options have no place"
    for name, tensor in expected.items():
        if tensors[name].shape != tensor.shape:
            return f"{name} has shape {tuple(tensors[name].shape)}, the options promise {tuple(tensor.shape)}"
    return None


def _tables(tensors: Mapping[str, Tensor]) -> list[str]:
    return sorted(name for name in tensors if name == _TABLE or name.endswith(f".{_TABLE}"))


def _under(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and name.removeprefix(prefix).startswith(_PARTS)
    }


def _equal(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def _listed(found: Mapping[str, object]) -> str:
    return ", ".join(repr(name.rstrip(".")) for name in found)
