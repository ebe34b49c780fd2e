"""An earlier fit of the same model, brought up to date by a run in progress.

A saved fit keeps no losses, so the run cannot be fitted together with its curves. What the run
says is how far it is from what the fit predicted for it, and errors along a run are correlated:

    L(s) = fit(s) + m * n/s,  m = mean of (observed - fit) over the later half of the run, shrunk

after ``n`` of the ``s`` updates. Of what was tried (``python -m validation progress``)
this is never much worse than the fit alone, and better where the fit is off. ``m`` without ``n/s``
is much worse early in a run of another peak, and so are amplitudes fitted to the run with the
shapes of the fit held: the beginning of a run does not tell L0 from A.

A run that was never where the fit said belongs to another model. `held_shapes` then keeps of the
fit what models share, and the amplitudes are fitted to the run.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.fitting.cleaning import cleaned
from losslaw.fitting.prediction import Prediction
from losslaw.fitting.record import Fit
from losslaw.fitting.uncertainty import REPEAT
from losslaw.laws import Query, Recipe
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Level
from losslaw.schedules import Schedule

# At which the fit says how far it may be off before a run brings it up to date.
LEVEL = Level(0.9)


@dataclass(frozen=True, kw_only=True)
class Updated:
    """A fit, and how far a run is from it.

    Attributes:
        fit: The earlier fit.
        offset: Observed minus predicted loss late in the run so far, shrunk, in nats.
        believed: Share of a departure that is: 1 - its error squared over its prior's.
        now: Updates done.
    """

    fit: "Fit | OfSize"
    offset: float
    believed: float
    now: int

    def settled(self, schedule: Schedule) -> "Updated":
        """The same, its laws weighed by the end of this schedule."""
        return replace(self, fit=self.fit.settled(schedule))

    def predict(
        self,
        schedule: Schedule,
        steps: ArrayLike | None = None,
        level: float = 0.9,
        *,
        window: ArrayLike | None = None,
    ) -> Prediction:
        """Loss of a schedule that begins like the run, with an interval."""
        prediction = self.fit.predict(schedule, steps, level, window=window)
        memory = np.minimum(self.now / prediction.steps, 1.0)
        loss = prediction.loss + self.offset * memory
        if prediction.lower is None or prediction.upper is None:
            return replace(prediction, loss=loss)
        # Were errors a process with correlation n/s, knowing one would leave 1 - (n/s)^2 of the
        # variance. Measured, errors shrink by less: a fifth at three quarters of a run.
        narrower = np.sqrt(1 - self.believed * memory**4)

        def half(wide: FloatArray) -> FloatArray:
            # Nothing observed makes a run surer than what two runs of one schedule differ by.
            return np.maximum(wide * narrower, np.minimum(wide / Level(level).quantile, REPEAT))

        below, above = prediction.loss - prediction.lower, prediction.upper - prediction.loss
        lower = np.where(np.isfinite(below), np.maximum(loss - half(below), 0.0), -np.inf)
        return replace(prediction, loss=loss, lower=lower, upper=loss + half(above))


@dataclass(frozen=True)
class OfSize:
    """A fit, as it predicts one model size.

    Attributes:
        fit: The fit.
        model_size: Parameters of the model, if known; it counts where several were fitted.
    """

    fit: Fit
    model_size: float | None

    def settled(self, schedule: Schedule) -> "OfSize":
        """The fit whose laws count in all answers what they count at the end of this schedule."""
        return replace(self, fit=self.fit.settled(schedule, self.model_size))

    def predict(
        self,
        schedule: Schedule,
        steps: ArrayLike | None = None,
        level: float = 0.9,
        *,
        window: ArrayLike | None = None,
    ) -> Prediction:
        """Loss of a schedule, with an interval."""
        return self.fit.predict(schedule, steps, level, self.model_size, window=window)


def updated(fit: Fit | OfSize, curve: LossCurve, skip: int) -> Updated:
    """The fit, brought up to date by the points of a run from step ``skip`` on."""
    part = curve.some(curve.begins >= skip)
    prediction = fit.predict(part.schedule, part.steps, LEVEL.share, window=part.window)
    late = slice(len(part) // 2, None)
    departure = (part.loss - prediction.loss)[late]
    believed = 1.0
    lower, upper = prediction.lower, prediction.upper
    if lower is not None and upper is not None and np.isfinite(upper[late]).all():
        prior = float(np.mean((upper - lower)[late])) / 2 / LEVEL.quantile
        error = float(departure.std()) / np.sqrt(3) + REPEAT  # half a run: three points' worth
        believed = prior**2 / (prior**2 + error**2)
    offset = believed * float(departure.mean())
    return Updated(fit=fit, offset=offset, believed=believed, now=int(curve.steps[-1]))


def known_until(fit: Fit, curve: LossCurve) -> int | None:
    """The step up to which this very run is among those of a fit; ``None``: it is not.

    A fit keeps no losses, but what it missed them by: of no other run is it the same.
    """
    for known in fit.curves:
        last = known.last_step
        if last > curve.steps[-1] or last < curve.steps[0]:
            continue
        if not np.allclose(curve.schedule.lr[:last], known.schedule.lr[:last], rtol=1e-6, atol=0):
            continue
        part = curve.until(last)
        if known.averaged or known.left_out:
            part = cleaned(part, fit.skip).curve
        part = part.some(part.steps >= known.first_step)
        if len(part) != known.points:
            continue
        law, _ = fit.at_size(known.model_size)
        error = law.loss(Query.of(known.schedule, part.steps, part.window)) - part.loss
        seen = float(np.sqrt(np.mean(error**2))), float(error[-3:].mean())
        if np.allclose(seen, (known.rmse, known.final_error), rtol=1e-3, atol=1e-3 * known.rmse):
            return last
    return None


def held_shapes(fit: Fit) -> Recipe:
    """How amplitudes are fitted anew while the shapes and settings of a fit are held."""
    names = [*fit.law.shapes(), *fit.law.settings()]
    return Recipe(type(fit.law), fixed={name: getattr(fit.law, name) for name in names})
