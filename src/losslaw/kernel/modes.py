"""What one-pass SGD sees of a least-squares problem: a list of modes.

In the eigenbasis of the student's covariance the mean dynamics needs three numbers a mode, and
keeps one. With ``m_j = E (v_j - v*_j)^2``, the state is ``x_j = lambda_j m_j``, its share of twice
the excess risk; the mode is given by its ``rate`` lambda_j, its ``signal`` x_j at the start, and
its ``noise`` lambda_j^2. The numbers add: one node of a quadrature rule that stands for many modes
of nearly one rate has the sum of their signals and of their noises, and every evaluator of this
package runs on true modes and on such nodes alike.
"""

from dataclasses import dataclass

import numpy as np

from losslaw.numerics.arrays import FloatArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Modes:
    """Modes of a problem, or nodes that stand for them.

    Twice the excess risk is ``sum_j x_j + unlearned``, and the risk is half of it plus half the
    ``label_noise``.

    Args:
        rate: Eigenvalues lambda_j of the covariance of the student's features, > 0. Shape ``(n,)``.
        signal: ``lambda_j m_j`` at the start, >= 0. Shape ``(n,)``.
        noise: ``lambda_j^2``, or sums of it, >= 0. Shape ``(n,)``.
        unlearned: Twice the excess risk that no student reaches, ``A >= 0``.
        label_noise: Variance sigma^2 of the labels, >= 0.
        kurtosis: ``E phi_j^4 / lambda_j^2``; 3 for Gaussian features.
    """

    rate: FloatArray
    signal: FloatArray
    noise: FloatArray
    unlearned: float
    label_noise: float
    kurtosis: float = 3.0

    @property
    def floor(self) -> float:
        """``A + sigma^2``: what drives the gradient noise when every mode is learned."""
        return self.unlearned + self.label_noise

    @property
    def own_noise(self) -> float:
        """Share of ``lambda_j^2 m_j`` in a mode's gradient noise: kurtosis - 2, 1 if Gaussian."""
        return self.kurtosis - 2.0

    def risk(self, total: FloatArray) -> FloatArray:
        """Risk ``(X + A + sigma^2) / 2`` for ``X = sum_j x_j``."""
        return 0.5 * (np.asarray(total) + self.floor)
