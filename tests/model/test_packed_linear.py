"""Linear maps with packed weights, and precisions that a processor has."""

import pytest
import torch

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import packed_linear
from pytorch_elmo.model.packed_linear import (
    PACKINGS,
    available_packings,
    best_packing,
    pack,
    refuse_slow_precision,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("packing", available_packings())
@pytest.mark.parametrize("num_rows", [1, 3, 128, 200])
@pytest.mark.parametrize("has_bias", [False, True])
def test_the_product_of_every_packing(packing, num_rows, has_bias):
    inputs, weight, bias = normal(num_rows, 24), normal(40, 24, seed=1), normal(40, seed=2)
    outputs = pack(weight, bias if has_bias else None, packing)(inputs)
    expected = inputs.double() @ weight.double().T + (bias.double() if has_bias else 0.0)
    assert outputs.dtype == torch.float32
    torch.testing.assert_close(outputs.double(), expected, rtol=0, atol=1e-5)


def test_a_result_is_new_memory():
    product = pack(normal(4, 3), None, best_packing(CPU, torch.float32))
    inputs = normal(2, 3)
    first, again = product(inputs), product(inputs)
    first.zero_()
    assert again.any()


def test_the_plain_product_is_always_there():
    assert available_packings()[-1] == "plain"
    assert available_packings() == [packing for packing in PACKINGS if packing in available_packings()]
    assert best_packing(CPU, torch.float32) == available_packings()[0]
    assert best_packing(GPU, torch.float32) == "plain"


@pytest.mark.parametrize("error", [AttributeError, NotImplementedError, RuntimeError])
def test_a_build_without_the_operators_falls_back(monkeypatch, error):
    def missing(weight, bias, packing):
        if packing != "plain":
            raise error("no such operator")
        return pack(weight, bias, packing)

    monkeypatch.setattr(packed_linear, "pack", missing)
    assert available_packings() == ["plain"]


def test_an_operator_that_computes_something_else_is_not_used(monkeypatch):
    monkeypatch.setattr(packed_linear, "pack", lambda w, b, p: pack(w if p == "plain" else 2 * w, b, "plain"))
    assert available_packings() == ["plain"]


def test_half_precision_where_there_is_none(monkeypatch):
    refuse_slow_precision(CPU, torch.float32)
    refuse_slow_precision(GPU, torch.float16)
    refuse_slow_precision(GPU, torch.bfloat16)
    with pytest.raises(
        ConfigurationError, match="fp16 has no fast arithmetic on this CPU; use fp32, or --device cuda"
    ):
        refuse_slow_precision(CPU, torch.float16)
    monkeypatch.setattr(packed_linear, "_has_bfloat16", lambda: False)
    with pytest.raises(ConfigurationError, match=r"bf16 needs a CPU with AMX or AVX512-BF16, .* use fp32"):
        refuse_slow_precision(CPU, torch.bfloat16)
    monkeypatch.setattr(packed_linear, "_has_bfloat16", lambda: True)
    refuse_slow_precision(CPU, torch.bfloat16)


@pytest.mark.parametrize("name", ["_is_amx_tile_supported", "_is_avx512_bf16_supported"])
def test_either_instruction_set_is_enough(monkeypatch, name):
    for other in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, other, lambda other=other: other == name, raising=False)
    assert packed_linear._has_bfloat16()
    monkeypatch.delattr(torch.cpu, name)
    assert not packed_linear._has_bfloat16()


def test_an_unknown_packing():
    with pytest.raises(ConfigurationError, match="packing is one of onednn, mkl, plain, got 'dense'"):
        pack(torch.eye(2), None, "dense")
