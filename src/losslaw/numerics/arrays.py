"""The array type of the house, and the one door through which numbers come in."""

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from losslaw.errors import InputError, expect_numbers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ComplexArray = NDArray[np.complex128]

# Values of a block.
BLOCK = 1 << 15


def dot(a: FloatArray, b: FloatArray) -> float:
    """``a . b`` by numpy's own pairwise sum.

    BLAS sends long vectors to several threads: slow on a busy machine, and its last digits vary.

    >>> import numpy as np
    >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    11.0
    """
    return float(np.sum(a * b))


def by_blocks(function: Callable[[FloatArray], FloatArray], values: FloatArray) -> FloatArray:
    """A function of each value by itself, of many of them block by block.

    What the function makes on its way then stays small, and near the processor.

    >>> import numpy as np
    >>> by_blocks(np.square, np.arange(3.0)).tolist()
    [0.0, 1.0, 4.0]
    """
    if values.size <= BLOCK:
        return function(values)
    out = np.empty(values.shape)
    for begin in range(0, values.size, BLOCK):
        out[begin : begin + BLOCK] = function(values[begin : begin + BLOCK])
    return out


def pieces(flags: BoolArray) -> list[slice]:
    """Where flags are true: the stretches of those that follow one another.

    >>> pieces(np.array([True, False, True, True]))
    [slice(0, 1, None), slice(2, 4, None)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _kept(values: Any) -> FloatArray | None:
    """An array that nobody can write into, since it owns its numbers and is read-only."""
    if not isinstance(values, np.ndarray):
        return None
    array = cast(NDArray[Any], values)
    kept = array.dtype == np.float64 and array.base is None and not array.flags.writeable
    return array if kept else None


def finite_vector(name: str, values: ArrayLike, *, negative: bool = False) -> FloatArray:
    """A read-only float64 copy of ``values``, checked; what is one already is shared.

    Args:
        name: What the values are, for the message.
        values: Shape ``(n,)``, n >= 1.
        negative: Whether values below zero are allowed.

    Raises:
        InputError: not numbers, not one-dimensional, empty, not finite, or negative.
    """
    try:
        kept = _kept(values)
        array: NDArray[Any] = np.array(values, dtype=np.float64) if kept is None else kept
    except (TypeError, ValueError):
        raise InputError(f"{name}: expected numbers, got {type(values).__name__}") from None
    if array.ndim != 1:
        raise InputError(f"{name}: expected one dimension, got shape {array.shape}")
    if array.size == 0:
        raise InputError(f"{name}: empty, expected at least one value")
    bad = ~np.isfinite(array)
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(f"{name} are finite numbers: value {first} is {array[first]}")
    if not negative and (array < 0).any():
        first = int(np.argmax(array < 0))
        raise InputError(f"{name} are non-negative: value {first} is {array[first]:g}")
    array.setflags(write=False)
    return array


def check_positive(**numbers: float) -> None:
    """Check that numbers are finite and above 0.

    Raises:
        InputError: one is not; the message has its name.

    >>> check_positive(samples=1e6, noise=1.0)
    """
    expect_numbers(**numbers)
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}, expected a finite number above 0")
