"""What is left of the past in an average of states, if each state forgets it by a power law.

An average ``sum_i c_i theta[t_i]`` of states that forget linearly, each rate p of forgetting by
itself: what entered at update k is in it with the factor
``g[k] = sum_{i: t_i >= k} c_i exp(-p (S[t_i] - S[k]) / 2)``, and its square counts, so a memory
with kernel ``K(x) = mean of exp(-p x)`` becomes a sum over pairs::

    sum_ij c_i c_j sum_{k <= min(t_i, t_j)} sources[k] K((S[t_i] + S[t_j]) / 2 - S[k])

Here it is summed rate by rate (`losslaw.numerics.memory.power_law_mixture`), at a cost that does
not depend on the number of states.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.memory import power_law_mixture

# Updates taken together: some megabytes.
CHUNK = 2048


def averaged_power(times: FloatArray, weights: FloatArray, power: float) -> float:
    """``sum_ij c_i c_j ((S_i + S_j) / 2)^-power``.

    Args:
        times: Time at each state, > 0. Shape ``(m,)``.
        weights: What each counts. Shape ``(m,)``.
        power: The power, > 0.

    >>> averaged_power(np.array([1.0, 3.0]), np.array([0.5, 0.5]), 1.0)
    0.5833333333333333
    """
    middle = 0.5 * (times[:, None] + times[None, :])
    return float(weights @ middle**-power @ weights)


def averaged_memory(
    increments: FloatArray,
    sources: FloatArray,
    at: IntArray,
    weights: FloatArray,
    exponent: float,
    scale: float,
) -> FloatArray:
    """The memory of an average; each kernel is the mean over its update's own time.

    Args:
        increments: Time that passes in each update, >= 0. Shape ``(n,)``.
        sources: What each update adds. Shape ``(S, n)``.
        at: Updates up to each state, increasing, in 0..n. Shape ``(m,)``.
        weights: What each state counts. Shape ``(m,)``.
        exponent: The power, above 0.
        scale: Inverse time scale, above 0.

    Returns:
        One number for each row of sources. Shape ``(S,)``.

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> memory = averaged_memory(one, one[None], np.array([1]), one, exponent=2.0, scale=1.0)
    >>> bool(abs(memory[0] - 0.5) < 1e-9)  # the mean of (1 + x)^-2 over 0..1
    True
    """
    time = np.concatenate([[0.0], np.cumsum(increments)])
    mixture = power_law_mixture(exponent, scale, scale, float(time[-1]))
    rates, mass = mixture.rates, mixture.weights(scale)
    kept = np.zeros((rates.size, sources.shape[0]))
    after = np.zeros(rates.size)  # what later states add to the factor at this one
    for i in range(at.size - 1, -1, -1):
        after += weights[i]
        begin = int(at[i - 1]) if i else 0
        for low in range(begin, int(at[i]), CHUNK):
            chunk = slice(low, min(low + CHUNK, int(at[i])))
            ages = time[at[i]] - time[chunk.start + 1 : chunk.stop + 1]
            own = rates[:, None] * increments[chunk]
            inside = np.where(own > 1e-9, -np.expm1(-own) / np.maximum(own, 1e-300), 1.0)
            share = np.exp(-rates[:, None] * ages) * inside
            kept += (after**2)[:, None] * (share @ sources[:, chunk].T)
        after *= np.exp(-0.5 * rates * (time[at[i]] - time[begin]))
    return mass @ kept
