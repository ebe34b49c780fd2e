"""Power-law kernel regression: the model world in which functional scaling laws are proved.

Features ``phi(x)`` have covariance ``H = diag(lambda_j)``, ``lambda_j = j^-capacity``. Labels are
``y = <phi(x), theta*> + noise * N(0, 1)``, ``lambda_j theta*_j^2 = j^-(1 + source * capacity)``.
The student ``f(x) = <v, W phi(x)>`` has ``modes`` parameters and learns by one-pass SGD from
``v = 0``: every batch is fresh. Its loss here is the risk ``E (f(x) - y)^2 / 2``, in which the
label noise keeps its share ``noise^2 / 2`` for ever. The methods of `KernelRegression` are
evaluators of one quantity, the risk along a schedule, and check each other: in expectation
(`MeanRisk`) and sample by sample (`SampledRisk`), of one problem (`Problem`) at rates at which it
is stable (`StableRates`); what a design asks of a law, it answers too (`FinalRisk`).
"""

from losslaw.drawing import Plotted
from losslaw.kernel.final_risk import FinalRisk
from losslaw.kernel.mean_risk import MeanRisk
from losslaw.kernel.sampled_risk import SampledRisk


class KernelRegression(MeanRisk, SampledRisk, FinalRisk, Plotted):
    """One-pass SGD on power-law kernel regression, in expectation and sample by sample.

    Args:
        source: Source exponent s > 0: how smooth the target is; large s is easy.
        capacity: Capacity exponent beta > 1: how fast the spectrum falls; large beta is low
            capacity. With finitely many ``ambient`` features any beta > 0.
        modes: Parameters M of the student, a whole number or ``math.inf``.
        noise: Standard deviation sigma >= 0 of the labels.
        features: ``top``: the student has the M leading features. ``random``: M Gaussian
            combinations of all features, rows of W with entries of variance 1/M, so that the
            eigenvalues of ``W H W'`` follow ``j^-beta``.
        distribution: Law of the independent coordinates of phi: ``gaussian``, ``uniform`` or
            ``laplace``, all hypercontractive.
        ambient: Number N of features there are, M <= N; a whole number or ``math.inf``.
        seed: Seed of the random features.
        spectrum: Eigenvalues lambda_j > 0 in place of a power law. Shape ``(N,)``.
        targets: Coefficients theta*_j that go with ``spectrum``. Shape ``(N,)``.

    Raises:
        InputError: a number is out of range.

    The same problem in other papers' symbols:

    ======================================== ================= ===================================
    paper                                    capacity beta     source s
    ======================================== ================= ===================================
    Li et al., arXiv:2509.19189              beta              s
    Caponnetto, De Vito 2007                 b                 c
    Cui et al., arXiv:2105.15004             alpha             2 r
    Bordelon et al., arXiv:2402.01092        b                 (a - 1) / b
    Paquette et al., arXiv:2405.15074        2 alpha           (2 alpha + 2 beta - 1) / (2 alpha)
    Lin et al., arXiv:2406.08466             a                 (b - 1) / a
    ======================================== ================= ===================================

    >>> from losslaw import KernelRegression, Schedule
    >>> world = KernelRegression(source=0.5, capacity=4.0, modes=1000, noise=1.0)
    >>> curve = world.mean_curve(Schedule([0.3] * 100), steps=[1, 10, 100])
    >>> curve.loss.round(4).tolist()
    [0.9881, 0.749, 0.6815]
    """
