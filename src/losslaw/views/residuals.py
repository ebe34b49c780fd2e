"""How far a fit is off along runs, in warm-up, at a steady rate, and in the decay."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import check_one_unit, in_brackets
from losslaw.drawing.axes import legend, update_axis
from losslaw.drawing.style import INK, UPDATE, axes_of, cycled, quiet
from losslaw.fitting import Fit
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PHASES = ("warm-up", "stable", "decay")
# A rate below this share of the highest so far has begun to fall.
STEADY = 0.98
# Points of a run that are drawn at most.
SHOWN = 600


def phases(schedule: Schedule, steps: IntArray) -> IntArray:
    """The phase of each step, as its place in `PHASES`. Shape ``(m,)``.

    >>> from losslaw import wsd
    >>> run = wsd(peak=1.0, horizon=10, warmup=2, cooldown=0.4)
    >>> [PHASES[i] for i in phases(run, np.array([1, 5, 9]))]
    ['warm-up', 'stable', 'decay']
    """
    falling = schedule.lr < STEADY * np.maximum.accumulate(schedule.lr)
    return np.where(steps <= schedule.warmup, 0, np.where(falling[steps - 1], 2, 1))


def plot_residuals(fit: Fit, curves: Sequence[LossCurve], ax: "Axes | None" = None) -> "Axes":
    """Predicted minus logged loss along runs, told apart by phase; the legend has the RMSE of each.

    Args:
        fit: The fit.
        curves: Runs, fitted or not.
        ax: Where to draw; ``None``: on new axes.

    Raises:
        InputError: losses of the runs are measured in something else than those of the fit.
    """
    check_one_unit([*fit.curves, *curves])
    ax = axes_of(ax, 2.1)
    steps: list[IntArray] = []
    errors: list[FloatArray] = []
    kinds: list[IntArray] = []
    for curve in curves:
        some = curve.some(np.unique(np.linspace(0, len(curve) - 1, SHOWN).astype(np.int64)))
        size = curve.model_size if fit.sizes else None
        told = fit.predict(some.schedule, some.steps, model_size=size, window=some.window)
        kept = some.steps >= fit.skip
        steps.append(some.steps[kept])
        errors.append((told.loss - some.loss)[kept])
        kinds.append(phases(some.schedule, some.steps)[kept])
    at, error, kind = map(np.concatenate, (steps, errors, kinds))
    for i in np.unique(kind).tolist():
        mine = kind == i
        rmse = np.sqrt(np.mean(error[mine] ** 2))
        mark = cycled(i, marks=True, ms=2.6, mew=0, ls="none")
        ax.plot(at[mine], error[mine], **mark, alpha=0.75, label=f"{PHASES[i]} (RMSE {rmse:.4f})")
    ax.axhline(0, color=INK, lw=0.8)
    quiet(ax, UPDATE, f"predicted $-$ logged{in_brackets(fit.unit)}")
    update_axis(ax, float(at.max(initial=1)))
    if error.size:
        far = 1.15 * max(float(np.quantile(np.abs(error), 0.99)), 1e-4)
        ax.set_ylim(-far, far)
    legend(ax, above=True, columns=2)
    return ax
