"""Scalar mixes, ELMo representations and parameter names, against AllenNLP 2.10.1."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from parity_ledger import FROM_2, MODELS, TOLERANCE, Golden, GoldenFile
from torch import Tensor, nn

from pytorch_elmo.elmo import Elmo, ElmoTokenEmbedder, ScalarMix

NUMBERED_GAMMAS = (1.0, 1.5, -0.75)


class Variant(NamedTuple):
    """How an `Elmo` of `elmo.npz` was built."""

    num_output_representations: int = 1
    do_layer_norm: bool = False
    keep_sentence_boundaries: bool = False
    numbered: bool = False  # mixes set to `numbered_mix`
    scalars: str | None = None


VARIANTS = {
    "n1_default": Variant(),
    "n1_default_ln": Variant(do_layer_norm=True),
    "n2": Variant(num_output_representations=2, numbered=True),
    "n3_ln": Variant(num_output_representations=3, do_layer_norm=True, numbered=True),
    "keep": Variant(keep_sentence_boundaries=True, numbered=True),
    "keep_ln": Variant(do_layer_norm=True, keep_sentence_boundaries=True),
    "fixed": Variant(scalars="descending"),
    "fixed_top": Variant(scalars="top"),
}


def set_numbered_mixes(elmo: Elmo) -> Elmo:
    """Give mix k the scalars and the gamma that the goldens give it."""
    with torch.no_grad():
        for k, mix in enumerate(mixes_of(elmo)):
            mix.gamma.fill_(NUMBERED_GAMMAS[k])
            for i, scalar in enumerate(mix.scalar_parameters):
                scalar.fill_(round(0.7 * math.sin(1.3 * (k + 1) + 0.9 * i), 6))
    return elmo


def mixes_of(elmo: Elmo) -> list[ScalarMix]:
    """An `Elmo`'s mixes in their order."""
    return [child for child in elmo.children() if isinstance(child, ScalarMix)]


def build(golden: Golden, model: str, variant: Variant) -> Elmo:
    """An `Elmo` as the goldens name it, without dropout."""
    options_file, weight_file = golden.model_files(model)
    num_layers = golden.bilm(model).config.num_layers
    scalars = {
        None: None,
        "descending": [0.5 - 0.4 * i for i in range(num_layers)],
        "top": [-9e10] * (num_layers - 1) + [1.0],
    }[variant.scalars]
    elmo = Elmo(
        options_file,
        weight_file,
        variant.num_output_representations,
        do_layer_norm=variant.do_layer_norm,
        dropout=0.0,
        keep_sentence_boundaries=variant.keep_sentence_boundaries,
        scalar_mix_parameters=scalars,
    )
    return set_numbered_mixes(elmo) if variant.numbered else elmo


def check_scalar_mix(golden: Golden) -> None:
    """`ScalarMix` alone, with all its gradients."""
    file = golden.arrays(f"{FROM_2}/scalar_mix.npz")
    values, mask = torch.from_numpy(file.take("tensors")), torch.from_numpy(file.take("mask"))
    scalars, gamma = file.take("scalars").tolist(), float(file.take("gamma")[0])
    for tag, do_layer_norm in (("ln0", False), ("ln1", True)):
        mix = ScalarMix(len(scalars), do_layer_norm, scalars)
        nn.init.constant_(mix.gamma, gamma)
        tensors = [layer.clone().requires_grad_() for layer in values]
        output = mix(tensors, mask)
        file.compare(f"{tag}__output", output)
        (output**2).sum().backward()
        for name, ours in (("gamma", mix.gamma.grad), ("scalars", _grads(mix.scalar_parameters)), ("tensors", [t.grad for t in tensors])):
            print(tag, name, ours, file.take(f"{tag}__grad_{name}"))


def _grads(parameters: Sequence[nn.Parameter]) -> Tensor:
    return torch.cat([parameter.grad for parameter in parameters if parameter.grad is not None])
