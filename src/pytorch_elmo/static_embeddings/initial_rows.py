"""What the rows of an embedding matrix hold before they are learned: Keras's initialisers, or given numbers."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.errors import ArgumentTypeError, ArgumentValueError, ConfigurationError

Initializer = str | Mapping[str, Any] | NDArray[Any] | Tensor | Callable[..., Any]

_SPREAD = 0.05  # of Keras's uniform and normal initialisers


def initial_rows(initializer: Initializer, shape: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """A matrix filled by an initialiser; random numbers are of PyTorch's generator.

    Args:
        initializer: a name of Keras's (`uniform`, `normal`, `glorot_uniform`, `zeros`, `ones`); a configuration of
            Keras's, `{"class_name": ..., "config": {...}}`, whose `seed` makes it repeatable; an array or tensor with
            as many numbers as the matrix, taken row by row as Keras's `Constant` takes them, or with a single number
            and no axis; or a function that is called with the shape and `dtype=` and gives such an array.
        shape: (num_rows, dim).
        dtype: of the matrix.

    Returns:
        `shape` of `dtype`, on the CPU.

    Raises:
        ArgumentValueError: the name or configuration is not known.
        ArgumentTypeError: it is None or no initialiser; the numbers do not fit the shape, or whole numbers are asked
            for.
        ConfigurationError: one number with axes is to fill the matrix.
    """
    if isinstance(initializer, str):
        return _by_name(initializer, {}, shape, dtype)
    if isinstance(initializer, Mapping):
        name, settings = initializer.get("class_name"), initializer.get("config", {})
        if not isinstance(name, str) or not isinstance(settings, Mapping):
            raise ArgumentValueError(
                "an initializer's configuration must be {'class_name': ..., 'config': {...}}, got "
                f"{initializer}; give a name instead"
            )
        return _by_name(name, settings, shape, dtype)
    if isinstance(initializer, np.ndarray | Tensor):
        return _constant(initializer, shape, dtype)
    if callable(initializer):
        return _constant(initializer(shape, dtype=dtype), shape, dtype)
    if initializer is None:
        raise ArgumentTypeError("an initializer must be given, got None; leave it out for 'uniform'")
    raise ArgumentValueError(
        f"an initializer must be a name, a configuration, an array or a function, got {initializer!r}; for a number "
        "give torch.tensor of it"
    )


def as_tensor(numbers: object, what: str) -> Tensor:
    """An array's or tensor's numbers, without gradient; an array's are copied.

    Raises:
        ArgumentTypeError: `what` is no array of numbers that PyTorch has a dtype for.
    """
    if isinstance(numbers, Tensor):
        return numbers.detach()
    array = np.array(numbers)  # a copy, since PyTorch warns of arrays that must not be written
    try:
        return torch.from_numpy(array)
    except (TypeError, ValueError) as error:  # of strings and objects; of numbers of the other byte order
        raise ArgumentTypeError(
            f"{what} must be numbers of a native dtype, got {array.dtype}; convert them"
        ) from error


def _by_name(name: str, settings: Mapping[str, Any], shape: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Fill by one of Keras's names, in its `snake_case` or `CamelCase`."""
    key = name.replace("_", "").lower().removeprefix("random")
    if key not in _FILLS:
        raise ArgumentValueError(
            f"unknown initializer {name!r}; known are zeros, ones, constant, uniform, normal and glorot_uniform: "
            "name one of them, or give a function or a matrix"
        )
    fill, taken = _FILLS[key]
    if unknown := sorted(settings.keys() - set(taken)):
        raise ArgumentValueError(
            f"the initializer {name} takes {' and '.join(taken) or 'no settings'}, got {unknown}; leave them out"
        )
    return fill(shape, dtype, **settings)


def _constant(values: Any, shape: tuple[int, int], dtype: torch.dtype) -> Tensor:
    numbers = as_tensor(values, "an initializer's values").cpu()
    if numbers.is_floating_point() and not dtype.is_floating_point:
        raise ArgumentTypeError(f"embeddings of {dtype} take whole numbers, got {numbers.dtype}; convert one of them")
    if numbers.numel() == prod(shape):
        return numbers.to(dtype, copy=True).reshape(shape)
    if numbers.dim() == 0:
        return torch.full(shape, numbers.item(), dtype=dtype)
    if numbers.numel() == 1:
        raise ConfigurationError(
            f"one number that fills a matrix must have no axis, got the shape {tuple(numbers.shape)}; squeeze it"
        )
    raise ArgumentTypeError(
        f"an initial matrix must have the shape {shape}, or as many numbers, got {tuple(numbers.shape)}; give a row "
        "for each word of the new vocabulary"
    )


def _filled(shape: tuple[int, int], dtype: torch.dtype, value: Any = 0) -> Tensor:
    return _constant(value, shape, dtype)


def _uniform(
    shape: tuple[int, int], dtype: torch.dtype, minval: float = -_SPREAD, maxval: float = _SPREAD, seed: Any = None
) -> Tensor:
    return _random(shape, dtype, seed, lambda rows, generator: rows.uniform_(minval, maxval, generator=generator))


def _normal(
    shape: tuple[int, int], dtype: torch.dtype, mean: float = 0.0, stddev: float = _SPREAD, seed: Any = None
) -> Tensor:
    return _random(shape, dtype, seed, lambda rows, generator: rows.normal_(mean, stddev, generator=generator))


def _glorot_uniform(shape: tuple[int, int], dtype: torch.dtype, seed: Any = None) -> Tensor:
    limit = sqrt(6 / sum(shape))
    return _uniform(shape, dtype, -limit, limit, seed)


def _random(
    shape: tuple[int, int],
    dtype: torch.dtype,
    seed: int | None,
    fill: Callable[[Tensor, torch.Generator | None], Tensor],
) -> Tensor:
    if not dtype.is_floating_point:
        raise ArgumentTypeError(
            f"random rows must be of a floating dtype, the embeddings are {dtype}; convert them, or start from zeros"
        )
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return fill(torch.empty(shape, dtype=dtype), generator)


# By Keras's names in lower case, without `_` and `random`: what fills a matrix, and the settings that it takes.
_FILLS: dict[str, tuple[Callable[..., Tensor], tuple[str, ...]]] = {
    "zeros": (_filled, ()),
    "ones": (partial(_filled, value=1), ()),
    "constant": (_filled, ("value",)),
    "uniform": (_uniform, ("minval", "maxval", "seed")),
    "normal": (_normal, ("mean", "stddev", "seed")),
    "glorotuniform": (_glorot_uniform, ("seed",)),
}
