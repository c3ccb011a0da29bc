"""Linear maps whose weight is laid out once for the processor's matrix kernels."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from pytorch_elmo.errors import ConfigurationError

Packing = Literal["onednn", "mkl", "plain"]
Linear = Callable[[Tensor], Tensor]
PACKINGS: tuple[Packing, ...] = ("onednn", "mkl", "plain")
_HINT_ROWS = 128
_PROBE_SIZE = 16


def pack(weight: Tensor, bias: Tensor | None, packing: Packing) -> Linear:
    """A function from (num_rows, in_size) to a new (num_rows, out_size) tensor, `x W^T + b`.

    Args:
        weight: (out_size, in_size) float32 or bfloat16.
        bias: (out_size,) of the same dtype, or None.
        packing: how the weight is laid out; the results agree to rounding.
    """
    if packing == "onednn":
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, _HINT_ROWS)
        return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    if packing == "mkl":
        kept = weight.contiguous()
        reordered = torch.ops.mkl._mkl_reorder_linear_weight(kept, _HINT_ROWS)
        return lambda x: torch.ops.mkl._mkl_linear(x, reordered, kept, bias, _HINT_ROWS)
    if packing == "plain":
        transposed = weight.T
        return lambda x: torch.mm(x, transposed) if bias is None else torch.addmm(bias, x, transposed)
    raise ConfigurationError(f"packing is one of {', '.join(PACKINGS)}, got {packing!r}")


def available_packings(dtype: torch.dtype = torch.float32) -> list[Packing]:
    """The packings that this build of PyTorch can run, best first.

    The operators behind them have no public names, so each is tried on a small product.
    """
    return [packing for packing in PACKINGS if _works(packing, dtype)]


def best_packing(device: torch.device, dtype: torch.dtype) -> Packing:
    """The packing to use on a device; only processors gain from one."""
    return available_packings(dtype)[0] if device.type == "cpu" else "plain"


def _works(packing: Packing, dtype: torch.dtype) -> bool:
    if packing == "mkl" and dtype != torch.float32:
        return False
    weight = torch.eye(_PROBE_SIZE, dtype=dtype)
    try:
        return torch.equal(pack(weight, weight[0], packing)(weight), weight + weight[0])
    except (AttributeError, NotImplementedError, RuntimeError):
        return False


def refuse_slow_precision(device: torch.device, dtype: torch.dtype) -> None:
    """Refuse half precision where the processor has no arithmetic for it and would be several times slower.

    Raises:
        ConfigurationError: bfloat16 without AMX or AVX512-BF16, or float16, on a CPU.
    """
    if device.type != "cpu" or dtype == torch.float32:
        return
    if dtype == torch.float16:
        raise ConfigurationError("precision fp16 has no fast arithmetic on this CPU; use fp32, or --device cuda")
    if not _has_bfloat16():
        raise ConfigurationError(
            "precision bf16 needs a CPU with AMX or AVX512-BF16, this one has neither and would be slower; use fp32"
        )


def _has_bfloat16() -> bool:
    """Ask for the instructions themselves: that oneDNN supports bf16 says only that it can emulate it."""
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in names)
