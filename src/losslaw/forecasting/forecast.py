"""Where a run in progress will end, on its plan and if its rate decayed now or later.

`forecast` fits what is known (the run so far, earlier runs of the same model, or a saved fit that
the run brings up to date), continues the run's schedule (`losslaw.forecasting.continuation`), and
asks about it and about decays that begin now, or in time to end at the horizon. Whether the run is
where it was predicted to be is the business of `losslaw.forecasting.band`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from losslaw.curves import LossCurve
from losslaw.errors import InputError, TooShort
from losslaw.fitting.fit import Fit, FittedCurve
from losslaw.fitting.fit import fit as fit_law
from losslaw.fitting.prediction import Prediction
from losslaw.forecasting.band import Band, Predictor, against, rolling, spikes_in
from losslaw.forecasting.continuation import Plan, extended, planned
from losslaw.forecasting.update import REPEAT, OfSize, Updated, held_shapes, updated
from losslaw.laws import Law
from losslaw.schedules import Schedule, decay_rates, parse_schedule

LEAST = 8
"""Losses after the warm-up below which nothing is forecast."""

SHARES = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40)
"""Lengths of the decays asked about, as shares of the steps so far."""

COMMON = 0.995
"""Correlation of the errors of two endings of one run.

Seen on constant runs of three peaks asked about 13 decays each: errors of the endings differed by
.0015 to .004 (standard deviation) where the 90 % interval of each was +-.06.
"""

KEEP = 8
"""Fits of beginnings that are kept."""

_kept: dict[tuple[object, ...], Fit] = {}

PATH = 60
"""Steps at which the predicted rest of the run is reported."""


@dataclass(frozen=True)
class Ending:
    """One way to end the run: hold the rate of now, then decay.

    Attributes:
        when: ``now``, or ``later``: the decay that ends at the horizon.
        start: Step after which the rate begins to fall.
        over: Updates of the decay.
        steps: Updates in all.
        loss: Predicted final loss.
        lower: Lower end of its interval; ``None`` if the fit carries no uncertainty.
        upper: Upper end.
        gain: What holding on for the same steps would leave, minus ``loss``.
        within: Whether it ends within the horizon.
    """

    when: str
    start: int
    over: int
    steps: int
    loss: float
    lower: float | None
    upper: float | None
    gain: float
    within: bool

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of the final loss; ``None`` if the fit carries no uncertainty."""
        if self.lower is None or self.upper is None:
            return None
        return self.lower, self.upper

    def __str__(self) -> str:
        if self.when == "now":
            return f"decay now over {self.over:,}"
        return f"hold to step {self.start:,}, decay over {self.over:,}"


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of a run in progress. Its text is the report.

    Attributes:
        label: Name of the run.
        step: Last step with a loss.
        loss: Loss there: mean of the last three.
        plan: The whole schedule, and what was assumed of its rest.
        path: Predicted losses from now to the horizon.
        band: Whether the run is where it was predicted to be.
        endings: Endings: decays now and later.
        decay: The decays in words.
        knowledge: What the forecast rests on, in words.
        law: Name of the law.
        notes: What was assumed.
        warnings: Why the forecast deserves less trust than others.
    """

    label: str
    step: int
    loss: float
    plan: Plan
    path: Prediction
    band: Band
    endings: tuple[Ending, ...]
    decay: str
    knowledge: str
    law: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def horizon(self) -> int:
        """Updates of the whole run."""
        return self.plan.horizon

    @property
    def level(self) -> float:
        """Level of the intervals."""
        return self.path.level

    @property
    def final(self) -> float:
        """Predicted loss at the horizon, on the plan."""
        return self.path.final

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of the final loss; ``None`` if the fit carries no uncertainty."""
        if self.path.lower is None or self.path.upper is None:
            return None
        return float(self.path.lower[-1]), float(self.path.upper[-1])

    @property
    def best(self) -> Ending | None:
        """The ending within the horizon with the lowest predicted loss; ``None``: the plan's."""
        within = [ending for ending in self.endings if ending.within]
        lowest = min(within, key=lambda ending: ending.loss, default=None)
        return lowest if lowest is not None and lowest.loss < self.final else None

    @property
    def ties(self) -> tuple[Ending, ...]:
        """Other endings within the horizon that do not differ from the best significantly.

        Two endings of one run share most of their error (`COMMON`), so they can be told apart
        where their intervals cannot.
        """
        best = self.best
        loss, interval = (self.final, self.interval) if best is None else (best.loss, best.interval)
        return tuple(
            each
            for each in self.endings
            if each.within
            and each is not best
            and _tie(self.level, each.loss, each.interval, loss, interval)
        )

    @property
    def plan_ties(self) -> bool:
        """Whether the plan's own ending does not differ from the best significantly."""
        best = self.best
        return best is None or _tie(self.level, best.loss, best.interval, self.final, self.interval)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; its keys are documented in docs/guides/forecast.md."""
        interval = self.interval or (None, None)
        best = self.best
        return {
            "label": self.label,
            "step": self.step,
            "loss": self.loss,
            "lr": self.plan.rate,
            "horizon": self.horizon,
            "level": self.level,
            "law": self.law,
            "knowledge": self.knowledge,
            "plan": self.plan.sentence,
            "final": {
                "loss": self.final,
                "lower": interval[0],
                "upper": interval[1],
                "lr": self.plan.schedule.final_lr,
            },
            "band": {**asdict(self.band), "spikes": [asdict(each) for each in self.band.spikes]},
            "decay": self.decay,
            "endings": [asdict(ending) for ending in self.endings],
            "best": None if best is None else asdict(best),
            "ties": [asdict(ending) for ending in self.ties],
            "plan_ties": self.plan_ties,
            "path": self.path.as_dict(),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        from losslaw.forecasting.outlook import outlook

        return outlook(self)


def _tie(
    level: float,
    loss: float,
    interval: tuple[float, float] | None,
    other: float,
    others: tuple[float, float] | None,
) -> bool:
    """Whether two endings of one run differ by no more than their errors explain.

    ``sd^2 = (sd1 - sd2)^2 + 2 (1 - COMMON) sd1 sd2 + 2 REPEAT^2``
    """
    z = float(ndtri(0.5 + level / 2))
    first, second = (
        0.0 if each is None else (each[1] - each[0]) / 2 / z for each in (interval, others)
    )
    if not np.isfinite([first, second]).all():
        return True
    variance = (first - second) ** 2 + 2 * (1 - COMMON) * first * second + 2 * REPEAT**2
    return bool(abs(loss - other) <= z * np.sqrt(variance))


@dataclass(frozen=True)
class _Knowledge:
    """What predicts, and how it came about."""

    predictor: Predictor
    fit: Fit
    band: Band
    sentence: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def forecast(
    curve: LossCurve,
    horizon: int | None = None,
    *,
    schedule: Schedule | str | None = None,
    fit: Fit | None = None,
    earlier: Sequence[LossCurve] = (),
    law: str | type[Law] | None = None,
    decay_over: Sequence[int] | None = None,
    decay_shape: str = "linear",
    final: float = 0.0,
    level: float = 0.9,
    skip: int | None = None,
) -> Forecast:
    """What will the loss of a run in progress be, on its plan, and if it decayed now or later?

    Args:
        curve: The run so far. If its schedule goes on after its last loss, that is its plan.
        horizon: Updates of the whole run; ``None``: those of the plan.
        schedule: The whole plan, as record or text; must agree with the run so far. ``None``: what
            the log shows is continued, see `losslaw.forecasting.continuation`.
        fit: An earlier fit, brought up to date by the run; see `losslaw.forecasting.update`.
        earlier: Earlier runs of the same model, fitted jointly with this one.
        law: Law to fit; ``None``: that of `losslaw.fit`.
        decay_over: Updates of the decays asked about; ``None``: 5 to 40 % of the steps so far, as
            long as they end within the horizon.
        decay_shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at which these decays end, and falls in progress that have no end.
        level: Share of runs the intervals are meant to hold, in (0, 1).
        skip: Points before this step are left out; ``None``: as in `losslaw.fit`.

    Returns:
        The forecast; ``print`` shows it.

    Raises:
        InputError: no horizon or one behind the log, a plan that disagrees with the log, a rest
            that cannot be told, a log that is too short, or options that contradict each other.

    >>> import losslaw as ll
    >>> run = {curve.label: curve for curve in ll.bundled_curves()}["cosine_peak3e-3_T12000"]
    >>> found = ll.forecast(run.until(6000))
    >>> found.horizon, abs(found.final - run.final_loss) < 0.05
    (12000, True)
    """
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}, expected a share between 0 and 1, such as 0.9")
    if fit is not None and (earlier or law is not None):
        other = "earlier runs" if earlier else "a law"
        raise InputError(f"a saved fit and {other} are both given: choose one")
    told = parse_schedule(schedule) if isinstance(schedule, str) else schedule
    _enough(curve, skip)
    plan = planned(curve, horizon, told, final)
    known = _knowledge(curve, fit, earlier, {} if law is None else {"law": law}, skip)
    steps = np.unique(np.linspace(plan.now + 1, plan.horizon, PATH).round().astype(np.int64))
    path = known.predictor.predict(plan.schedule, steps, level)
    endings = _endings(plan, known.predictor, decay_over, decay_shape, final, level)
    warnings = list(dict.fromkeys([*plan.doubts, *curve.warnings, *known.warnings, *path.warnings]))
    if known.band.state in ("above", "below"):
        warnings.append(
            f"the run has been {known.band.state} its band since step {known.band.since}: if what"
            " happened there goes on, the forecast does not hold"
        )
    return Forecast(
        curve.label,
        plan.now,
        curve.final_loss,
        plan,
        path,
        known.band,
        endings,
        f"{decay_shape} to {final:g}",
        known.sentence,
        known.fit.law.name,
        known.notes,
        tuple(warnings),
    )


def _enough(curve: LossCurve, skip: int | None) -> None:
    """Check that there are losses to speak of after the warm-up.

    Raises:
        TooShort: there are not, and from which step on there will be.
    """
    start = max(curve.schedule.warmup, skip or 0)
    count = int((curve.steps > start).sum())
    if count >= LEAST:
        return
    every = float(np.median(np.diff(curve.steps))) if len(curve) > 1 else 1.0
    possible = max(start, int(curve.steps[0])) + LEAST * every
    raise TooShort(
        f"the log is too short for a forecast of {curve.label!r}: {count} losses after step {start}"
        f" (warm-up or skip), expected at least {LEAST}; possible from about step {possible:.0f} on"
    )


def _knowledge(
    curve: LossCurve,
    fit: Fit | None,
    earlier: Sequence[LossCurve],
    law: dict[str, Any],
    skip: int | None,
) -> _Knowledge:
    if fit is None and not earlier:
        return _from_run(curve, law, skip, "this run alone")
    base = fit if fit is not None else fit_law(list(earlier), **law, skip=skip)
    start = max(curve.schedule.warmup, min(base.skip, int(curve.steps[-1]) // 3), skip or 0)
    what = "the saved fit" if fit is not None else "the earlier runs"
    count = f"{len(base.curves)} run" + ("s" if len(base.curves) != 1 else "")
    sizes = {each.model_size for each in base.curves}
    if curve.model_size is not None and len(sizes) == 1 and None not in sizes | {curve.model_size}:
        (size,) = sizes
        if size != curve.model_size:
            because = (
                f"this run's model has {curve.model_size:.4g} parameters, that of {what} {size:.4g}"
            )
            return _other_model(curve, base, skip, what, because)
    told = OfSize(base, curve.model_size)
    band = against(curve, told, start)
    if band.never:
        because = (
            f"this run was never where {what} said it would be ({band.by:+.3f} nats now): another"
            " model, data or batch size?"
        )
        return _other_model(curve, base, skip, what, because)
    if fit is None:
        joint = fit_law([_named(curve, earlier), *earlier], **law, skip=start)
        both = OfSize(joint, curve.model_size)
        band = _with_spikes(band, curve, both, start)
        sentence = f"this run and {count} before it, fitted together"
        return _Knowledge(both, joint, band, sentence, *_said(joint, earlier))
    sentence = f"a saved fit of {count}; of this run too little is known to change it"
    fresh = Updated(told, 0.0, 0.0, int(curve.steps[-1]))
    if band.state != "unknown":
        fresh = updated(told, curve, start)
        late = f"brought up to date by this run ({fresh.offset:+.4f} nats now)"
        sentence = f"a saved fit of {count}, {late}"
    band = _with_spikes(band, curve, fresh, start)
    return _Knowledge(fresh, fit, band, sentence, *_said(fit, fit.curves))


def _from_run(
    curve: LossCurve,
    law: dict[str, Any],
    skip: int | None,
    sentence: str,
    warnings: tuple[str, ...] = (),
) -> _Knowledge:
    """Knowledge that is fitted to the run itself, judged by fits of its beginnings."""
    found = fit_law(curve, **law, skip=skip)
    band = rolling(curve, found.skip, lambda part: _kept_fit(part, law, skip))
    notes, doubts = _said(found)
    band = _with_spikes(band, curve, found, max(found.skip, curve.schedule.warmup))
    return _Knowledge(found, found, band, sentence, notes, (*warnings, *doubts))


def _kept_fit(part: LossCurve, law: dict[str, Any], skip: int | None) -> Fit:
    """A fit of a beginning of the run: made once, however often a growing log is read."""
    arrays = (part.steps, part.loss, part.schedule.lr)
    key = (str(law), skip, *[array.tobytes() for array in arrays])
    if key not in _kept:
        while len(_kept) >= KEEP:
            del _kept[next(iter(_kept))]
        _kept[key] = fit_law(part, **law, skip=skip)
    return _kept[key]


def _other_model(
    curve: LossCurve, base: Fit, skip: int | None, what: str, because: str
) -> _Knowledge:
    """What models share of an earlier fit, its shapes; the amplitudes are this run's own."""
    law = {"law": type(base.law), "fixed": held_shapes(base)}
    sentence = f"the shapes of {what}, amplitudes fitted to this run"
    return _from_run(curve, law, skip, sentence, (because,))


def _said(
    fit: Fit, earlier: Sequence[LossCurve | FittedCurve] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes and warnings of a fit, as far as they matter here.

    That some directions of the parameters are open is in the width of the intervals, and a note.
    """
    # Which early points of other runs were left out says nothing of this one.
    others = tuple(f"{each.label}: " for each in earlier)
    notes = [note for note in fit.notes if not (others and note.startswith(others))]
    notes += [f"the fit: {sentence}" for sentence in fit.status.sentences]
    doubts = () if fit.status.converged else ("the fit did not converge",)
    return tuple(notes), doubts


def _named(curve: LossCurve, others: Sequence[LossCurve]) -> LossCurve:
    """The run, under a name that none of the others has."""
    labels = {other.label for other in others}
    return curve.with_(label=f"{curve.label} (this run)") if curve.label in labels else curve


def _with_spikes(band: Band, curve: LossCurve, predictor: Predictor, start: int) -> Band:
    """The band with the spikes after step ``start``, measured from what is known of the run."""
    if int(curve.steps[-1]) <= start:
        return band
    part = curve.after(start)
    told = predictor.predict(part.schedule, part.steps)
    return replace(band, spikes=spikes_in(part, told.loss))


def _endings(
    plan: Plan,
    predictor: Predictor,
    decay_over: Sequence[int] | None,
    shape: str,
    final: float,
    level: float,
) -> tuple[Ending, ...]:
    """Decays now and later, in order of length; none where the rate is there already."""
    left, rate = plan.horizon - plan.now, plan.rate
    if not np.isfinite(final) or final < 0:
        raise InputError(f"final rate of the decays is {final:g}, expected 0 or above")
    if decay_over is None:
        lengths = sorted({round(share * plan.now) for share in SHARES})
        lengths = [length for length in lengths if 1 <= length <= left] or [left]
    else:
        lengths = sorted(set(decay_over))
        if not lengths or lengths[0] < 1:
            raise InputError(f"decay over {lengths[:1] or 'nothing'}, expected at least 1 update")
    # Checked whether or not the rate has somewhere to go.
    decay_rates(max(rate, final, 1e-300), final, shape, 1)
    if final > rate:
        raise InputError(
            f"final rate of the decays is {final:.4g}, above the rate {rate:.4g} at step"
            f" {plan.now}, where they begin: give a lower one"
        )
    if rate == final:
        return ()
    ends = sorted({plan.horizon, *[plan.now + length for length in lengths]})
    held = predictor.predict(plan.held(ends[-1]), ends, level)
    holding = dict(zip(ends, held.loss.tolist(), strict=True))
    done = plan.schedule.prefix(plan.now)
    endings: list[Ending] = []
    for length in lengths:
        fall = decay_rates(rate, final, shape, length)
        for when in ("now", "later"):
            wait = 0 if when == "now" else left - length
            if when == "later" and wait <= 0:  # that is now, or it has passed
                continue
            whole = extended(done, np.concatenate([np.full(wait, rate), fall]))
            end = whole.horizon
            told = predictor.predict(whole, [end], level)
            bounded = told.lower is not None and told.upper is not None
            endings.append(
                Ending(
                    when,
                    plan.now + wait,
                    length,
                    end,
                    told.final,
                    float(told.lower[-1]) if bounded else None,  # pyright: ignore
                    float(told.upper[-1]) if bounded else None,  # pyright: ignore
                    holding[end] - told.final,
                    end <= plan.horizon,
                )
            )
    return tuple(endings)
