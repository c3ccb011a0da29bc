"""Scalar mixes, ELMo representations and parameter names, against AllenNLP 2.10.1."""

import math
from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn

from checks.ledger import FROM_2, MODELS, TOLERANCE, Golden, GoldenFile
from pytorch_elmo.elmo import Elmo, ElmoTokenEmbedder, ScalarMix
from pytorch_elmo.model.mask import token_mask

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
        largest = max(1.0, *(float(abs(file.take(f"{tag}__grad_{name}")).max()) for name in ("gamma", "scalars")))
        file.compare(f"{tag}__grad_gamma", _gradient(mix.gamma), TOLERANCE * largest)
        file.compare(f"{tag}__grad_scalars", _gradients(mix.scalar_parameters), TOLERANCE * largest)
        file.compare(f"{tag}__grad_tensors", [_gradient(tensor) for tensor in tensors])


def check_representations(golden: Golden) -> None:
    """All variants of `Elmo` over all batches, with the gradients of their mixes."""
    for model in MODELS:
        file = golden.arrays(f"{FROM_2}/{model}/elmo.npz")
        for tag, variant in VARIANTS.items():
            elmo = build(golden, model, variant)
            for batch in file.prefixes():
                _compare_representations(file, f"{batch}__{tag}", elmo, golden.ids(batch))


def _compare_representations(file: GoldenFile, key: str, elmo: Elmo, ids: Tensor) -> None:
    output = elmo(ids)
    representations = output["elmo_representations"]
    for k, representation in enumerate(representations):
        file.compare(f"{key}__rep{k}", representation)
    file.compare(f"{key}__mask", output["mask"])
    layer_size = len(ids) * (ids.shape[1] + 2) * elmo.get_output_dim()
    for loss, power in (("sum", 1), ("sumsq", 2)):
        if f"{key}__loss_{loss}" in file:
            elmo.zero_grad()
            total = torch.stack([(values**power).sum() for values in representations]).sum()
            total.backward(retain_graph=True)
            ours = {f"loss_{loss}": total}
            for k, mix in enumerate(mixes_of(elmo)):
                ours[f"{loss}_grad_gamma{k}"] = _gradient(mix.gamma)
                ours[f"{loss}_grad_scalars{k}"] = _gradients(mix.scalar_parameters)
            largest = max(float(values.detach().abs().max()) for values in ours.values())
            for name, values in ours.items():
                file.compare(f"{key}__{name}", values, TOLERANCE * max(1.0, math.sqrt(layer_size), largest))


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _gradients(parameters: Iterable[Tensor]) -> Tensor:
    return torch.cat([_gradient(parameter) for parameter in parameters])


def check_other_shapes(golden: Golden) -> None:
    """Ids of four axes, more padding than needed, and a row of zeros inside a sentence."""
    for model in ("fixture", "syn2"):
        file = golden.arrays(f"{FROM_2}/{model}/other_shapes.npz")
        for shape in file.prefixes():
            ids = torch.from_numpy(file.take(f"{shape}__ids"))
            for keep, norm in product((False, True), (False, True)):
                key = f"{shape}__keep{keep:d}_ln{norm:d}"
                if f"{key}__mask" not in file:
                    continue
                elmo = build(golden, model, Variant(2, norm, keep_sentence_boundaries=keep, numbered=True))
                if shape == "hole":
                    _compare_beside_a_hole(file, key, elmo, ids)
                else:
                    _compare_representations(file, key, elmo, ids)


def _compare_beside_a_hole(file: GoldenFile, key: str, elmo: Elmo, ids: Tensor) -> None:
    """A hole is nobody's input, but without layer norm the other sentences must not notice it."""
    output = elmo(ids)
    tokens = token_mask(ids)
    whole = ~(tokens[:, 1:] & ~tokens[:, :-1]).any(dim=1)
    for k, representation in enumerate(output["elmo_representations"]):
        theirs = torch.from_numpy(file.take(f"{key}__rep{k}"))
        difference = (representation - theirs)[whole].abs().max()
        file.differs(f"{key}__rep{k}", "hole", mixes_of(elmo)[0].do_layer_norm or bool(difference <= TOLERANCE))
    same_mask = torch.equal(output["mask"][whole], torch.from_numpy(file.take(f"{key}__mask"))[whole])
    file.differs(f"{key}__mask", "hole", same_mask)


def check_token_embedder(golden: Golden) -> None:
    """`ElmoTokenEmbedder` with and without a projection, layer norm and fixed scalars."""
    for model in ("fixture", "syn3"):
        file = golden.arrays(f"{FROM_2}/{model}/token_embedder.npz")
        four = torch.from_numpy(file.take("four__ids"))
        fixed = [0.1] * (golden.bilm(model).config.num_layers - 1) + [0.7]
        for tag, arguments in {
            "plain": {},
            "proj": {"projection_dim": 9},
            "proj_ln": {"projection_dim": 4, "do_layer_norm": True},
            "fixed": {"scalar_mix_parameters": fixed},
        }.items():
            embedder = ElmoTokenEmbedder(*golden.model_files(model), dropout=0.0, **arguments)  # type: ignore[arg-type]
            if tag != "fixed":
                set_numbered_mixes(embedder._elmo)
            load_projection(embedder, file, f"{tag}___projection.")
            file.equal(f"output_dim__{tag}", embedder.get_output_dim())
            for batch in ("ascii", "padding_rows"):
                file.compare(f"{batch}__{tag}", embedder(golden.ids(batch)))
            if tag == "proj":
                file.compare("four__proj", embedder(four))


def load_projection(embedder: ElmoTokenEmbedder, file: GoldenFile, prefix: str) -> None:
    """Take the projection from the golden file, where it has one."""
    if embedder._projection is not None:
        state = {name: torch.from_numpy(file.take(f"{prefix}{name}")) for name in ("weight", "bias")}
        embedder._projection.load_state_dict(state)


def check_state_dicts(golden: Golden) -> None:
    """What the weight files become: values, names in their order, shapes, dtypes, buffers."""
    for model in ("syn1", "syn3", "syn7"):
        file = golden.arrays(f"{FROM_2}/{model}/elmo_state_dict.npz")
        elmo = Elmo(*golden.model_files(model), 2)
        for name, values in elmo.state_dict().items():
            file.compare(name, values)
        elmo.load_state_dict({name: torch.from_numpy(file.take(name)) for name in file})
    report = golden.entries_by_model(f"{FROM_2}/state_dicts.json")
    for model in report.prefixes():
        files = golden.model_files(model)
        elmo = Elmo(*files, 2)
        trained = [name for name, parameter in elmo.named_parameters() if parameter.requires_grad]
        boundaries = [name for name, _ in elmo.named_buffers()] == ["_elmo_lstm.boundaries"]
        report.equal(f"{model}__Elmo(num_output_representations=2)", described(elmo))
        report.equal(f"{model}__Elmo named_parameters with requires_grad True", trained)
        report.differs(f"{model}__Elmo named_buffers", "buffer", boundaries)
        report.equal(f"{model}__ElmoTokenEmbedder()", described(ElmoTokenEmbedder(*files)))
        projected = described(ElmoTokenEmbedder(*files, projection_dim=9))
        report.equal(f"{model}__ElmoTokenEmbedder(projection_dim=9)", projected)


def described(module: nn.Module) -> dict[str, dict[str, object]]:
    """The state dict's names, shapes and dtypes."""
    return {
        name: {"shape": list(values.shape), "dtype": str(values.dtype).removeprefix("torch.")}
        for name, values in module.state_dict().items()
    }
