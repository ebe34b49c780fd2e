"""Inverse questions: the run length for a loss, and the model size for a budget.

Both take one way to write a schedule of any length - a usual one, or a family with its knobs set
anew at every length - and look for the length. Predictions beyond the fitted runs get wider
intervals, and so do the lengths found there. Of a fit in which several laws answer together the
loss that a length is for is that of all of them; knobs and model sizes are searched with the
heaviest one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from scipy.optimize import brentq, minimize_scalar

from losslaw.designing.baselines import USUAL, baselines
from losslaw.designing.design import usual_peak, usual_warmup
from losslaw.designing.record import opening, trust_as_dict
from losslaw.designing.task import (
    LONGEST_DESIGNED,
    Constraints,
    Task,
    pose,
    refuse_blind,
)
from losslaw.designing.tuned_families import best_setting, family_named
from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.fitting import Fit
from losslaw.fitting.trust import Trust
from losslaw.numerics.arrays import check_positive
from losslaw.numerics.interval import Interval
from losslaw.schedules import Schedule
from losslaw.text import Report

FLOPS = 6.0  # for each parameter and token, forward and backward


@dataclass(frozen=True, kw_only=True, repr=False)
class Horizon(Report, Plotted):
    """The shortest run that reaches a loss.

    Attributes:
        loss: The loss asked for, in nats per token.
        updates: Updates of the run, warm-up included.
        schedule: Its schedule.
        family: The name of the schedule.
        level: Share of runs that the interval of the loss is meant to hold.
        shortest: Updates at which the lower end of the interval of the loss reaches it; ``None``
            without a fit's uncertainty.
        longest: Updates at which the upper end does; ``inf`` if it never does.
        trust: What stands behind the loss of that run; ``None`` where one law answers alone.
    """

    loss: float
    updates: int
    schedule: Schedule
    family: str
    level: float
    shortest: float | None
    longest: float | None
    trust: Trust | None = None

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "loss": self.loss,
            "updates": self.updates,
            "shortest": self.shortest,
            "longest": self.longest,
            "trust": trust_as_dict(self.trust),
            "family": self.family,
            "lr": self.schedule.lr.tolist(),
        }

    def __str__(self) -> str:
        lines = [
            *opening(self.trust),
            f"{self.updates:,} updates reach a loss of {self.loss:g}, schedule {self.family}",
        ]
        if self.shortest is not None and self.longest is not None:
            end = f"{self.longest:,}" if math.isfinite(self.longest) else "no end"
            lines.append(f"{self.level:.0%} interval of the length: {self.shortest:,} .. {end}")
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A model size and a run that spend a budget best.

    Attributes:
        model_size: Parameters of the model.
        samples: What the run sees: tokens for `compute_optimal`, else in units of the caller.
        updates: Updates of the run, where it is known what each of them sees.
        family: The name of its schedule.
        loss: Its loss, in nats per token.
        at_edge: Whether the size is the smallest or largest that was tried.
        fitted: Smallest and largest size that was fitted, where sizes were.
        trust: What stands behind the loss; ``None`` where one law answers alone.
    """

    model_size: float
    samples: float
    loss: float
    at_edge: bool
    updates: int | None = None
    family: str = ""
    fitted: tuple[float, float] | None = None
    trust: Trust | None = None

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "model_size": self.model_size,
            "tokens": self.samples,
            "updates": self.updates,
            "loss": self.loss,
            "trust": trust_as_dict(self.trust),
            "at_edge": self.at_edge,
            "family": self.family,
        }

    def __str__(self) -> str:
        run = "" if self.updates is None else f" ({self.updates:,} updates), schedule {self.family}"
        text = (
            f"{self.model_size:.3g} parameters, {self.samples:.3g} tokens{run}: predicted final"
            f" loss {self.loss:.4f}"
        )
        lines = [*opening(self.trust), text]
        if self.at_edge:
            lines.append(
                "note: the size is at the edge of those tried, a third to three times those fitted"
            )
        if self.fitted is not None:
            low, high = self.fitted
            if not low / 1.01 <= self.model_size <= 1.01 * high:
                lines.append(
                    f"note: the size is outside the fitted {low:.3g} .. {high:.3g}: its loss"
                    " follows their trend"
                )
        return "\n".join(lines)


def horizon_for(
    fit: Fit,
    loss: float,
    *,
    family: str = "wsd",
    tuned: bool = False,
    peak: float | None = None,
    warmup: float | None = None,
    batch: float | None = None,
    model_size: float | None = None,
    level: float = 0.9,
) -> Horizon:
    """How many updates a loss takes.

    Args:
        fit: A fit.
        loss: The loss to reach, in nats per token, above the irreducible one.
        family: A usual schedule (``losslaw.designing.USUAL``), or with ``tuned`` a family.
        tuned: Set the knobs of the family anew at every length.
        peak: Largest learning rate; ``None``: that of the fitted runs, if they have one.
        warmup: Updates of warm-up, or below 1 a share of the run; ``None``: that of the fitted
            runs, if they have one.
        batch: Sequences in each update; ``None``: that of the fitted runs.
        model_size: Parameters of the model, where several sizes were fitted.
        level: Share of runs that the interval of the loss is meant to hold.

    Raises:
        InputError: a loss below the irreducible one, or one that no run of up to two million
            updates reaches.

    >>> import losslaw as ll
    >>> law = ll.Effective(L0=2.0, A=0.5, N=47.0)
    >>> runs = [ll.constant(peak=1e-3, horizon=900), ll.linear(peak=1e-3, horizon=900)]
    >>> fit = ll.fit([law.curve(run, range(50, 901, 10), str(i)) for i, run in enumerate(runs)])
    >>> run = horizon_for(fit, 2.9, family="linear")
    >>> round(fit.predict(run.schedule, [run.updates]).final, 3)
    2.9
    """
    check_positive(loss=loss)
    warmup = usual_warmup(fit) if warmup is None else warmup
    write = _writer(fit, family, tuned, peak, warmup, batch, model_size)
    low = max(math.ceil(2 / (1 - warmup)) if 0 < warmup < 1 else int(warmup) + 2, 4)
    _refuse_irreducible(fit, loss, write(2 * low + 1000), model_size)

    # The three searches ask for the same lengths again.
    @cache
    def end(updates: int) -> _End:
        prediction = fit.predict(write(updates), [updates], level, model_size)
        interval = prediction.interval or Interval.around(prediction.final, 0.0, level=level)
        return _End(prediction.final, interval, prediction.trust)

    updates = _first(lambda n: end(n).loss, loss, low)
    if updates is None:
        reached = end(LONGEST_DESIGNED).loss
        raise InputError(
            f"no run of up to {LONGEST_DESIGNED:,} updates reaches a loss of {loss:g} (there it is"
            f" {reached:.4f}): ask for a higher loss, another peak, or a larger model"
        )
    if updates < fit.skip:
        raise InputError(
            f"a run of {updates:,} updates reaches a loss of {loss:g}, but the fit begins at step"
            f" {fit.skip:,}, where it is {end(fit.skip).loss:.4f}: ask for a loss below that, or"
            " fit with a smaller skip"
        )
    shortest = longest = None
    if fit.uncertainty is not None or fit.mixture is not None:
        shortest = _first(lambda n: end(n).interval.lower, loss, low)
        longest = _first(lambda n: end(n).interval.upper, loss, low)
        longest = math.inf if longest is None else longest
    return Horizon(
        loss=loss,
        updates=updates,
        schedule=write(updates),
        family=family,
        level=level,
        shortest=shortest,
        longest=longest,
        trust=end(updates).trust,
    )


class _End(NamedTuple):
    """How a run ends; the interval has no width where nothing is known of it."""

    loss: float
    interval: Interval
    trust: Trust | None


def _refuse_irreducible(
    fit: Fit, loss: float, schedule: Schedule, model_size: float | None
) -> None:
    """Refuse what lies below every loss of the laws: none of their terms may be a gain."""
    members = [fit] if fit.mixture is None else fit.mixture.members
    laws = [member.at_size(model_size)[0] for member in members]
    least = min(law.L0 for law in laws)
    if loss > least:
        return
    schedule = fit.completed(schedule)
    terms = [law.decompose(schedule, [schedule.horizon]) for law in laws]
    if all(term[0] >= 0 for each in terms for term in each.values()):
        raise InputError(
            f"no run reaches a loss of {loss:g}: the irreducible loss L0 of this fit is"
            f" {least:.4f}; ask for a higher loss, or fit a larger model"
        )


def _first(loss_at: Callable[[int], float], loss: float, low: int) -> int | None:
    """The least length at which the loss is reached; losses fall with the length."""
    if loss_at(low) <= loss:
        return low
    high = low
    while loss_at(high) > loss:
        if high >= LONGEST_DESIGNED:
            return None
        low, high = high, min(2 * high, LONGEST_DESIGNED)

    def excess(log: float) -> float:
        return loss_at(round(math.exp(log))) - loss

    # A tenth of an update at the lengths of small runs, a thousandth of a percent of long ones.
    root = brentq(excess, math.log(low), math.log(high), xtol=1e-5)
    updates = round(math.exp(root))
    while loss_at(updates) > loss:
        updates += max(1, round(2e-5 * updates))
    return updates


def _writer(
    fit: Fit,
    family: str,
    tuned: bool,
    peak: float | None,
    warmup: float,
    batch: float | None,
    model_size: float | None,
) -> Callable[[int], Schedule]:
    """The schedule of a length."""
    law, uncertainty = fit.at_size(model_size)
    if tuned or not law.blind_to_rates:
        refuse_blind(law, uncertainty)
    if peak is None:
        peak = usual_peak(fit)
    if not tuned and family not in USUAL:
        raise InputError(f"unknown schedule {family!r}: expected one of {', '.join(USUAL)}")
    chosen = family_named(family) if tuned else None
    decay = fit.usual_weight_decay

    def task(updates: int) -> Task:
        constraints = Constraints(
            horizon=updates,
            peak=peak,
            warmup=warmup,
            batch=fit.usual_batch if batch is None else batch,
            weight_decay=decay,
        )
        return pose(law, constraints)

    def write(updates: int) -> Schedule:
        asked = task(updates)
        if chosen is None:
            return baselines(asked)[family]
        return best_setting(asked, chosen).schedule

    return write


def compute_optimal(
    fit: Fit,
    compute: float,
    *,
    batch: float,
    sequence_length: int,
    family: str = "wsd",
    tuned: bool = False,
    peak: float | None = None,
    warmup: float | None = None,
    sizes: tuple[float, float] | None = None,
) -> Pair:
    """The model size and number of tokens that spend ``6 * size * tokens`` operations best.

    Args:
        fit: A fit over several model sizes.
        compute: The budget, in floating-point operations.
        batch: Sequences in each update.
        sequence_length: Tokens in a sequence.
        family: See `horizon_for`.
        tuned: See `horizon_for`.
        peak: Largest learning rate, the same for all sizes; ``None``: that of the fitted runs.
        warmup: Updates of warm-up, or below 1 a share of the run; ``None``: that of the fitted
            runs, if they have one.
        sizes: Smallest and largest size to try; ``None``: a third of the smallest one fitted to
            three times the largest.

    Raises:
        InputError: a fit of one size, or a budget too small or too large for its models.
    """
    known = sorted({curve.model_size for curve in fit.curves if curve.model_size is not None})
    if not fit.sizes:
        raise InputError(
            "the best size for a budget needs a fit over several model sizes: fit curves of more"
            " than one, with their sizes"
        )
    check_positive(compute=compute, batch=batch, sequence_length=sequence_length)
    ramp = usual_warmup(fit) if warmup is None else warmup
    if ramp < 0:
        raise InputError(f"warmup is {ramp}, expected 0 or above")
    low, high = (known[0] / 3, 3 * known[-1]) if sizes is None else sizes
    most = compute / (FLOPS * batch * sequence_length * (ramp + 4))
    if most < low:
        raise InputError(
            f"{compute:g} operations are less than a run of {low:g} parameters takes: give more,"
            " or smaller sizes"
        )

    # Sizes so small that their runs would never end are left out.
    low = max(low, compute / (FLOPS * batch * sequence_length * LONGEST_DESIGNED))
    if low > high:
        raise InputError(
            f"{compute:g} operations are more than {LONGEST_DESIGNED:,} updates of {high:g}"
            " parameters: give a larger batch, or larger sizes"
        )

    def run(size: float, tokens: float) -> Schedule:
        write = _writer(fit, family, tuned, peak, ramp, batch, size)
        # No more than the budget.
        return fit.completed(write(int(tokens // (batch * sequence_length))))

    def loss(size: float, tokens: float) -> float:
        return fit.at_size(size)[0].quick(run(size, tokens))

    best = best_pair(loss, compute, low, min(high, most))
    schedule = run(best.model_size, best.samples)
    end = fit.predict(schedule, [schedule.horizon], model_size=best.model_size)
    return replace(
        best,
        loss=end.final,
        updates=round(best.samples / (batch * sequence_length)),
        family=family,
        fitted=(known[0], known[-1]),
        trust=end.trust,
    )


def best_pair(
    loss: Callable[[float, float], float], compute: float, low: float, high: float
) -> Pair:
    """Minimise ``loss(size, samples)`` along ``6 * size * samples = compute``.

    Args:
        loss: Any loss of a size and a number of samples.
        compute: The budget.
        low: Smallest size.
        high: Largest size.

    >>> pair = best_pair(lambda size, samples: 1 / size + 1 / samples, 600.0, 1.0, 100.0)
    >>> round(pair.model_size, 3), round(pair.samples, 3)
    (10.0, 10.0)
    """

    def along(log: float) -> float:
        size = math.exp(log)
        return loss(size, compute / (FLOPS * size))

    # The loss has one valley in the log of the size; whole updates make steps in it, which a first
    # look at a few sizes does not stumble over.
    count = 13
    ends = math.log(low), math.log(high)
    grid = [ends[0] + (ends[1] - ends[0]) * i / (count - 1) for i in range(count)]
    values = [along(log) for log in grid]
    i = min(range(count), key=values.__getitem__)
    around = grid[max(i - 1, 0)], grid[min(i + 1, count - 1)]
    end: Any = minimize_scalar(along, bounds=around, method="bounded", options={"xatol": 1e-5})
    log = float(end.x) if float(end.fun) < values[i] else grid[i]
    size = math.exp(log)
    edge = min(log - ends[0], ends[1] - log) < 1e-3
    return Pair(
        model_size=size,
        samples=compute / (FLOPS * size),
        loss=min(float(end.fun), values[i]),
        at_edge=edge,
    )
