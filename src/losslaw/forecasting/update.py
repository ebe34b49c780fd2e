"""An earlier fit of the same model, brought up to date by a run in progress.

A saved fit keeps no losses, so the run cannot be fitted together with its curves. What the run
says is how far it is from what the fit predicted for it, and errors along a run are correlated:

    L(s) = fit(s) + m * n/s,  m = mean of (seen - fit) over the later half of the run, shrunk

after ``n`` of the ``s`` updates asked about. Of what was tried (``python -m validation.progress``)
this is never much worse than the fit alone, and better where the fit is off. ``m`` without ``n/s``
is much worse early in a run of another peak, and so are amplitudes fitted to the run with the
shapes of the fit held: the beginning of a run does not tell L0 from A.

A run that was never where the fit said belongs to another model. `held_shapes` then keeps of the
fit what models share, and the amplitudes are fitted to the run.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.fitting.fit import Fit
from losslaw.fitting.prediction import Prediction
from losslaw.forecasting.band import Predictor
from losslaw.schedules import Schedule

HALF_WIDTH = 1.645
"""Half-width of a 90 % interval in standard deviations."""

REPEAT = 1e-3
"""What two runs of one schedule differ by, in nats: nothing seen makes a run surer than this."""


@dataclass(frozen=True)
class Updated:
    """A fit, and how far a run is from it.

    Attributes:
        fit: The earlier fit.
        offset: Seen minus predicted loss late in the run so far, shrunk, in nats.
        trust: Share of a departure that is believed: 1 - its error squared over its prior's.
        now: Updates done.
    """

    fit: Predictor
    offset: float
    trust: float
    now: int

    def predict(
        self, schedule: Schedule, steps: ArrayLike | None = None, level: float = 0.9
    ) -> Prediction:
        """Loss of a schedule that begins like the run, with an interval."""
        told = self.fit.predict(schedule, steps, level)
        memory = np.minimum(self.now / told.steps, 1.0)
        loss = told.loss + self.offset * memory
        if told.lower is None or told.upper is None:
            return replace(told, loss=loss)
        # Were errors a process with correlation n/s, knowing one would leave 1 - (n/s)^2 of the
        # variance. Measured, errors shrink by less: a fifth at three quarters of a run.
        narrower = np.sqrt(1 - self.trust * memory**4)
        least = (told.upper - told.loss) / HALF_WIDTH  # one standard deviation at 90 %
        half = np.maximum((told.upper - told.loss) * narrower, np.minimum(least, REPEAT))
        return replace(told, loss=loss, lower=loss - half, upper=loss + half)


@dataclass(frozen=True)
class OfSize:
    """A fit, asked about one model size.

    Attributes:
        fit: The fit.
        model_size: Parameters of the model, if known; it counts where several were fitted.
    """

    fit: Fit
    model_size: float | None

    def predict(
        self, schedule: Schedule, steps: ArrayLike | None = None, level: float = 0.9
    ) -> Prediction:
        """Loss of a schedule, with an interval."""
        return self.fit.predict(schedule, steps, level, self.model_size)


def updated(fit: Predictor, curve: LossCurve, skip: int) -> Updated:
    """The fit, brought up to date by the points of a run from step ``skip`` on."""
    keep = curve.steps >= skip
    told = fit.predict(curve.schedule, curve.steps[keep], 0.9)
    late = slice(int(keep.sum()) // 2, None)
    departure = (curve.loss[keep] - told.loss)[late]
    trust = 1.0
    if told.upper is not None and np.isfinite(told.upper[late]).all():
        prior = float(np.mean((told.upper - told.loss)[late])) / HALF_WIDTH
        error = float(departure.std()) / np.sqrt(3) + REPEAT  # half a run: three points' worth
        trust = prior**2 / (prior**2 + error**2)
    return Updated(fit, trust * float(departure.mean()), trust, int(curve.steps[-1]))


def held_shapes(fit: Fit) -> dict[str, Any]:
    """The shapes and settings of a fit, to be held while the amplitudes are fitted anew."""
    names = [*fit.law.shapes(), *fit.law.settings()]
    return {name: getattr(fit.law, name) for name in names}
