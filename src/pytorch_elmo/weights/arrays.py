"""Arrays by dataset name, into a network and out of it, through the table."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.model import BiLM, BiLMConfig
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.weights.table import Array, Shape, WeightRule, softmax_rules, weight_rules

Arrays = dict[str, Array]


def expected_shapes(config: BiLMConfig) -> dict[str, Shape]:
    """Every dataset of a weight file for this architecture, with its shape."""
    return {rule.dataset: rule.shape for rule in weight_rules(config)}


def check_arrays(arrays: Mapping[str, Array], config: BiLMConfig, source: str) -> None:
    """Names, shapes and finiteness of all datasets, before anything is copied.

    Raises:
        WeightsError: a dataset is missing, has no place in the network, has another shape, or holds NaN or infinity.
    """
    expected = expected_shapes(config)
    if missing := sorted(expected.keys() - arrays.keys()):
        raise WeightsError(
            f"{source}: misses {len(missing)} dataset(s), first {missing[0]} {expected[missing[0]]}; "
            "is it the file that belongs to these options?"
        )
    if unknown := sorted(arrays.keys() - expected.keys()):
        raise WeightsError(
            f"{source}: {len(unknown)} dataset(s) have no place in the network that the options describe, "
            f"first {unknown[0]}; nothing was loaded"
        )
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise WeightsError(
                f"{source}: dataset {name} has shape {arrays[name].shape}, the options promise {shape}; "
                "take the options file that came with these weights"
            )
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{source}: dataset {name} holds NaN or infinity; the file is damaged, fetch it anew")


def bilm_from_arrays(arrays: Mapping[str, Array], config: BiLMConfig, source: str) -> BiLM:
    """A biLM with the given parameters, frozen and in evaluation mode.

    Raises:
        WeightsError: as `check_arrays`.
    """
    check_arrays(arrays, config, source)
    bilm = BiLM.unfilled(config)
    _fill(bilm, arrays, weight_rules(config))
    return bilm.requires_grad_(False).eval()


def arrays_from_bilm(bilm: BiLM) -> Arrays:
    """The datasets of a weight file that hold the biLM's parameters, float32."""
    return _read_out(bilm, weight_rules(bilm.config))


def softmax_from_arrays(arrays: Mapping[str, Array]) -> Softmax:
    """An output layer, frozen and in evaluation mode, from `softmax/W` (words, projection_size) and `softmax/b`."""
    rules = softmax_rules(*arrays["softmax/W"].shape)
    softmax = Softmax(*arrays["softmax/W"].shape)
    _fill(softmax, arrays, rules)
    return softmax.requires_grad_(False).eval()


def arrays_from_softmax(softmax: Softmax) -> Arrays:
    """The datasets of a softmax file, float32."""
    return _read_out(softmax, softmax_rules(*softmax.weight.shape))


@torch.no_grad()
def _fill(module: nn.Module, arrays: Mapping[str, Array], rules: Sequence[WeightRule]) -> None:
    parameters = dict(module.named_parameters())
    for rule in rules:
        block = rule.decode(np.asarray(arrays[rule.dataset][rule.part], dtype=np.float32))
        parameters[rule.parameter][rule.place] = torch.from_numpy(np.ascontiguousarray(block))


def _read_out(module: nn.Module, rules: Sequence[WeightRule]) -> Arrays:
    parameters = dict(module.named_parameters())
    arrays: Arrays = {}
    for rule in rules:
        block = parameters[rule.parameter].detach()[rule.place].float().cpu().numpy()
        array = arrays.setdefault(rule.dataset, np.empty(rule.shape, dtype=np.float32))
        array[rule.part] = rule.encode(block)
    return arrays
