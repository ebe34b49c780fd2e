"""The power-law memory as a double sum: the obvious version, kept as the oracle of `memory`.

Cost is points x updates; memory is updates.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray, IntArray


def direct_memory(
    increments: FloatArray,
    sources: FloatArray,
    at: IntArray,
    exponent: float,
    scale: float | FloatArray,
    *,
    since: str = "end",
    gain: bool = False,
) -> FloatArray:
    """`losslaw.numerics.memory.power_law_memory`, summed as its formula is written."""
    scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), increments.shape)
    out = np.empty(len(at))
    for row, t in enumerate(at):
        # Ages as sums of what came after, not as differences of a long clock.
        later = np.concatenate([np.cumsum(increments[:t][::-1])[::-1], [0.0]])
        if since == "mean":
            kernel = _mean_kernel(later[1:], increments[:t], exponent, scales[:t], gain)
        else:
            kernel = _kernel(
                later[1:] if since == "end" else later[:-1], exponent, scales[:t], gain
            )
        out[row] = np.sum(sources[:t] * kernel)
    return out


def _kernel(age: FloatArray, exponent: float, scale: FloatArray, gain: bool) -> FloatArray:
    """``(1 + scale age)**-exponent``, or one minus it. An infinite scale forgets after age 0."""
    with np.errstate(invalid="ignore"):
        log = -exponent * np.log1p(np.where(age > 0, scale * age, 0.0))
    return -np.expm1(log) if gain else np.exp(log)


def _mean_kernel(
    age: FloatArray, width: FloatArray, exponent: float, scale: FloatArray, gain: bool
) -> FloatArray:
    """Average of the kernel over ages ``age..age + width``, by Gauss-Legendre points.

    Where the kernel falls steeply within the width the points are spread in ``log(1 + x)``.
    """
    nodes, weights = np.polynomial.legendre.leggauss(60)
    part = (1.0 + nodes) / 2.0
    flat = _kernel(age[:, None] + width[:, None] * part, exponent, scale[:, None], gain)
    flat = flat @ weights / 2.0
    growth = np.log1p(scale * width / (1.0 + scale * age))
    steep = growth > 0.5
    u = np.log1p(scale * age)[:, None] + growth[:, None] * part
    value = -np.expm1(-exponent * u) if gain else np.exp(-exponent * u)
    integral = growth / 2.0 * (np.exp(u) * value @ weights) / scale
    return np.where(steep, integral / np.where(width > 0, width, 1.0), flat)
