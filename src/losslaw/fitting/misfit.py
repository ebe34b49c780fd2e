"""Whether a fit misses the curves that it was fitted to, and what such a miss often comes from.

A search that has converged has found the best parameters of a law, which may still be far from the
losses: the log then is not what it is taken for. What is missed is the root mean square error of a
run without its white noise. No law here misses a sound log by 2 % of its loss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import after_numbers
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.robust import robust_sd, white_noise

# Share of the loss, and of the white noise, that a run may be missed by.
MISSED = 0.02
# Share of the squares of errors that a few points make, or the beginning of a run, if they are it.
MOST = 0.8
# Share of the points that are few, and of a run that is its beginning.
FEW, BEGINNING = 0.1, 0.25
# Nats of a bit, and how near a ratio of losses is to that of their units.
BIT, NEAR = float(np.log(2)), 0.03
# How many times the peaks of the other runs a peak is in another unit.
OTHER_UNIT = 50.0
# Rates in steps of this share of their peak, at least, and in so many steps, are rounded.
COARSE, STEPS = 0.01, 5


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """How far a fit is from its curves.

    Attributes:
        sentence: Which runs are missed, by how much, and why if that is recognised; empty if none.
        whole: Whether all points together are missed, and not single runs only.
    """

    sentence: str = ""
    whole: bool = False


def misfit_of(curves: Sequence[LossCurve], errors: Sequence[FloatArray]) -> Misfit:
    """What a fit misses.

    Args:
        curves: What was fitted.
        errors: Predicted minus observed loss at the points of each, in nats.

    >>> import losslaw as ll
    >>> steps = np.arange(10, 1001, 10)
    >>> loss = 2 + steps**-0.5 + (steps > 600)
    >>> run = ll.LossCurve(ll.constant(peak=1e-3, horizon=1000, warmup=10), steps, loss, "a")
    >>> misfit_of([run], [2.3 + steps**-0.5 - loss]).sentence
    'misses a by 0.5 nats: the loss rises by 1.00 at step 610 (two runs or data sets in one log?)'
    """
    missed = [_missed(error) for error in errors]
    levels = [float(np.median(curve.loss)) for curve in curves]
    far = [
        k
        for k, (miss, level, error) in enumerate(zip(missed, levels, errors, strict=True))
        if miss > max(MISSED * level, white_noise(error))
    ]
    if not far:
        return Misfit()
    worst = max(far, key=lambda k: missed[k] / levels[k])
    why = _why(curves[worst], errors[worst], [each for each in curves if each is not curves[worst]])
    more = f" and {len(far) - 1} more by less" if len(far) > 1 else ""
    whole = _missed(np.concatenate(errors)) > MISSED * float(np.median(levels))
    unit = after_numbers(curves[worst].unit)
    said = f"misses {curves[worst].label} by {missed[worst]:.2g}{unit}{more}"
    return Misfit(sentence=f"{said}: {why}" if why else said, whole=whole)


def _missed(error: FloatArray) -> float:
    """Root mean square error without white noise, in nats."""
    return float(np.sqrt(max(np.mean(error**2) - white_noise(error) ** 2, 0.0)))


def _why(curve: LossCurve, error: FloatArray, others: Sequence[LossCurve]) -> str:
    """What the miss of a run comes from, where it is recognised; else nothing."""
    causes: tuple[Callable[[], str], ...] = (
        lambda: _unit(curve, others),
        lambda: _spike(curve, error),
        lambda: _joined(curve),
        lambda: _warmup(curve, error),
        lambda: _rounded(curve),
    )
    return next((said for cause in causes if (said := cause())), "")


def _unit(curve: LossCurve, others: Sequence[LossCurve]) -> str:
    """Losses in bits, or rates in another unit, than those of the other runs."""
    if not others:
        return ""
    peak = float(np.median([other.schedule.peak_lr for other in others]))
    times = curve.schedule.peak_lr / peak
    if not 1 / OTHER_UNIT < times < OTHER_UNIT:
        return f"its learning rates are {times:.2g} times those of the others (another unit?)"
    ratio = float(np.median(curve.loss) / np.median([np.median(other.loss) for other in others]))
    for factor, words in ((1 / BIT, "bits, theirs nats"), (BIT, "nats, theirs bits")):
        if abs(ratio / factor - 1) < NEAR:
            return f"its losses are {ratio:.3f} times those of the others ({words}?)"
    return ""


def _joined(curve: LossCurve) -> str:
    """A rise of the loss from one half of a window to the other that it does not come back from."""
    loss = curve.loss
    width = max(len(loss) // 20, 3)
    if len(loss) < 4 * width:
        return ""
    at = np.arange(width, len(loss) - width)
    before = np.array([np.median(loss[k - width : k]) for k in at])
    after = np.array([np.median(loss[k : k + width]) for k in at])
    k = int(np.argmax(after - before))
    rise = float((after - before)[k])
    steps = np.abs(np.diff(loss))
    if rise < max(MISSED * float(np.median(loss)), 8 * robust_sd(steps)):
        return ""
    place = at[k] - width + int(np.argmax(np.diff(loss[at[k] - width : at[k] + width]))) + 1
    return (
        f"the loss rises by {rise:.2f} at step {curve.steps[place]:,}"
        " (two runs or data sets in one log?)"
    )


def _spike(curve: LossCurve, error: FloatArray) -> str:
    """A few points that make most of the squares."""
    high = np.abs(error) > np.abs(error).max() / 2
    few = high.sum() <= max(FEW * error.size, 1)
    if not few or float(np.sum(error[high] ** 2)) < MOST * float(np.sum(error**2)):
        return ""
    steps = curve.steps[high]
    where = f"{steps.min():,}" if steps.size == 1 else f"{steps.min():,} to {steps.max():,}"
    if steps.max() < curve.steps[0] + BEGINNING * (curve.steps[-1] - curve.steps[0]):
        return ""
    return f"{steps.size} of its points make it, at steps {where} (spikes?)"


def _warmup(curve: LossCurve, error: FloatArray) -> str:
    """A miss in the beginning of a run of which no warm-up is known."""
    early = curve.steps < curve.steps[0] + BEGINNING * (curve.steps[-1] - curve.steps[0])
    if float(np.sum(error[early] ** 2)) < MOST * float(np.sum(error**2)):
        return ""
    known = "" if curve.schedule.warmup else ", and its log shows no warm-up (it may have had one)"
    return f"it is the beginning that is missed{known}; leave it out with a larger skip"


def _rounded(curve: LossCurve) -> str:
    """Rates that go in steps, as if they had been printed with two digits."""
    rates = np.unique(curve.schedule.lr)
    peak = rates[-1]
    steps = np.diff(rates)
    if rates.size <= STEPS or steps.min() < COARSE * peak:
        return ""
    if np.abs(rates / steps.min() - np.rint(rates / steps.min())).max() > 1e-6:
        return ""
    return f"its learning rates go in steps of {steps.min():.2g} (printed with too few digits?)"
