"""The functional scaling law itself, term by term.

Functional scaling law (arXiv:2509.19189, Section 4), in intrinsic time with ``gamma = eta / B``::

    E R - sigma^2/2  ~  M^(-s beta) + e(t) + int_0^t K(t - z) [e(z) + sigma^2] gamma(z) dz

=============== ====================================================================
term            meaning
=============== ====================================================================
approximation   what no student with M modes can learn
signal          ``e(t)``: what full-batch gradient flow has still to learn
mini-batch      noise made by the error itself; first step of the Volterra equation
label           noise made by the labels
=============== ====================================================================

The kernels come in two forms. ``spectrum`` has those of the problem, M finite or infinite, and
no constant is left to fit::

    e(t) = sum lambda_j theta*_j^2 exp(-2 lambda_j t),    K(t) = sum lambda_j^2 exp(-2 lambda_j t)

``power`` has ``(1 + t)^-s`` and ``(1 + t)^-(2 - 1/beta)`` as printed, or with the constants of the
infinite-M kernels at large t, ::

    e(t) = Gamma(s)/beta (1 + 2t)^-s,    K(t) = Gamma(2 - 1/beta)/beta (1 + 2t)^-(2 - 1/beta)

and half of everything, since a risk is half a square. A schedule of updates turns the integral
into ``sum_k eta_k^2/B_k K(t_K - t_k) [e(t_{k-1}) + sigma^2]``.

The law leaves out what noise makes of noise, ``1 / (1 - F(eta))`` at rest: its relative error is
of the order of ``F(eta)``.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gamma as gamma_function

from losslaw.kernel.modes import Modes
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled
from losslaw.numerics.memory import power_law_memory


@dataclass(frozen=True, eq=False, kw_only=True)
class Terms:
    """The law's four parts of the risk, at some steps.

    Args:
        steps: Updates done. Shape ``(m,)``.
        approximation: Shape ``(m,)``, constant.
        signal: Shape ``(m,)``.
        minibatch: Shape ``(m,)``.
        label: Shape ``(m,)``.
        irreducible: ``sigma^2 / 2``.
    """

    steps: IntArray
    approximation: FloatArray
    signal: FloatArray
    minibatch: FloatArray
    label: FloatArray
    irreducible: float

    @property
    def excess(self) -> FloatArray:
        """Sum of the four parts: the risk above the irreducible one. Shape ``(m,)``."""
        return self.approximation + self.signal + self.minibatch + self.label

    @property
    def risk(self) -> FloatArray:
        """Excess and irreducible risk. Shape ``(m,)``."""
        return self.excess + self.irreducible

    @property
    def columns(self) -> FloatArray:
        """Signal, mini-batch and label noise, the three a figure fits. Shape ``(m, 3)``."""
        return np.stack([self.signal, self.minibatch, self.label], axis=1)


def spectrum_terms(modes: Modes, lr: FloatArray, batch: FloatArray, steps: IntArray) -> Terms:
    """The law with the kernels of a problem.

    The unlearned part counts as error in the mini-batch noise, as it does in the gradient.

    Args:
        modes: Modes, or nodes good until the last step.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        steps: Increasing numbers of updates in 1..n. Shape ``(m,)``.
    """
    signal, minibatch, label = _terms(
        modes.rate, modes.signal, modes.noise, modes.unlearned, lr, batch, steps
    )
    half = 0.5 * np.ones(steps.size)
    return Terms(
        steps=steps,
        approximation=half * modes.unlearned,
        signal=half * signal,
        minibatch=half * minibatch,
        label=half * modes.label_noise * label,
        irreducible=0.5 * modes.label_noise,
    )


def power_terms(
    source: float,
    capacity: float,
    modes: float,
    unlearned: float,
    label_noise: float,
    lr: FloatArray,
    batch: FloatArray,
    steps: IntArray,
    *,
    constants: bool,
) -> Terms:
    """The law with power-law kernels, in O(n) whatever the schedule.

    Args:
        source: Source exponent s.
        capacity: Capacity exponent beta.
        modes: Number of modes M; only the approximation term knows it.
        unlearned: Twice the approximation risk, used with ``constants``.
        label_noise: sigma^2.
        lr: Rate of each update. Shape ``(n,)``.
        batch: Samples in each update. Shape ``(n,)``.
        steps: Increasing numbers of updates in 1..n. Shape ``(m,)``.
        constants: Whether to put the constants in; else all are 1.
    """
    q = 2 - 1 / capacity
    if constants:
        scale, half, approximation = 2.0, 0.5, 0.5 * unlearned
        e_0, k_0 = gamma_function(source) / capacity, gamma_function(q) / capacity
    else:
        scale, half, e_0, k_0 = 1.0, 1.0, 1.0, 1.0
        approximation = float(modes) ** (-source * capacity)
    after = np.cumsum(lr)
    before = np.concatenate([[0.0], after[:-1]])
    injected = k_0 * lr**2 / batch
    errors = e_0 * (1 + scale * before) ** -source

    def remembered(sources: FloatArray) -> FloatArray:
        return power_law_memory(lr, sources, steps, q, scale)

    return Terms(
        steps=steps,
        approximation=np.full(steps.size, approximation),
        signal=half * e_0 * (1 + scale * after[steps - 1]) ** -source,
        minibatch=half * remembered(injected * errors),
        label=half * label_noise * remembered(injected),
        irreducible=0.5 * label_noise,
    )


@compiled(inline="always", fastmath={"reassoc", "contract", "nsz"})
def _decay(x: float) -> float:
    """``exp(-x)`` for x of 0 or above, within 1e-13 up to 4, and next to nothing beyond 60.

    A series at x / 256 that is squared eight times: no branch, so that it runs in vector registers.
    """
    y = min(x, 60.0) / 256.0
    e = 1.0 - y / 4.0 * (1.0 - y / 5.0 * (1.0 - y / 6.0))
    e = 1.0 - y * (1.0 - y / 2.0 * (1.0 - y / 3.0 * e))
    for _ in range(8):
        e *= e
    return e


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _terms(
    rate: FloatArray,
    signal: FloatArray,
    noise: FloatArray,
    unlearned: float,
    lr: FloatArray,
    batch: FloatArray,
    steps: IntArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``e(t)``, ``sum eta^2/B K e`` and ``sum eta^2/B K`` at the steps."""
    n = rate.size
    left, made, label = signal.copy(), np.zeros(n), np.zeros(n)
    fade = np.ones(n)
    out = np.empty((3, steps.size))
    row = 0
    e = left.sum()
    last_lr = 0.0
    for k in range(steps[-1]):
        if lr[k] != last_lr:
            last_lr = lr[k]
            for j in range(n):
                fade[j] = _decay(2.0 * rate[j] * last_lr)
        injected = lr[k] * lr[k] / batch[k]
        error = e + unlearned
        e = all_made = all_label = 0.0
        for j in range(n):
            left[j] *= fade[j]
            made[j] = fade[j] * made[j] + injected * noise[j] * error
            label[j] = fade[j] * label[j] + injected * noise[j]
            e += left[j]
            all_made += made[j]
            all_label += label[j]
        if steps[row] == k + 1:
            out[0, row], out[1, row], out[2, row] = e, all_made, all_label
            row += 1
    return out[0], out[1], out[2]
