"""Where a run in progress will end, on its plan and if its rate decayed now or later.

`forecast` fits what is known (the run so far, earlier runs of the same model, or a saved fit that
the run brings up to date), continues the run's schedule (`losslaw.forecasting.continuation`), and
predicts it and decays that begin now, or in time to end at the horizon. Where nobody says how long
the run is to be, decays that begin now are what is answered. Whether the run is where
it was predicted to be is the business of `losslaw.forecasting.band`.

Where several laws answer, all predictions of one forecast have the weights, and the trust, of one
question: the plan if it decays, else a decay that begins now. If even the interval of that is too
wide to be of use, no decays are compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from losslaw.curves import LossCurve, Runs, curve_of
from losslaw.curves.curve import after_numbers
from losslaw.errors import InputError, TooShort
from losslaw.fitting.cleaning import Cleaned, cleaned
from losslaw.fitting.fit import fit as fit_law
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.prediction import ADVISE, FittedCurve, Prediction
from losslaw.fitting.record import Fit
from losslaw.fitting.rules import Fittable, Rules, check_source
from losslaw.fitting.status import NOT_DETERMINED as OPEN
from losslaw.fitting.trust import Trust, useless
from losslaw.forecasting.band import Band, Predictor, against, rolling, spikes_in
from losslaw.forecasting.continuation import Plan, planned_if_known
from losslaw.forecasting.record import Ending, Forecast, When
from losslaw.forecasting.update import OfSize, Updated, held_shapes, known_until, updated
from losslaw.laws import Law
from losslaw.numerics.interval import Level
from losslaw.schedules import Schedule, ScheduleLike, decay_rates, schedule_of

# Losses after the warm-up below which nothing is forecast.
LEAST = 8
# Lengths of the decays tried, as shares of the steps so far.
SHARES = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40)
# A rate that is above the end of a decay by no more than this share of the largest rate is at its
# end: a cosine is, in the last 2 % of its updates; what is left changes no loss.
AT_END = 1e-3
# Steps at which the predicted rest of the run is reported.
PATH = 60
# Level of the interval that says whether there is any use in comparing decays.
TRUSTED = 0.9
# Fits of beginnings of a run that are kept, the latest.
KEEP = 8


class KeptFits:
    """Fits of the beginnings of a run, kept: a log that grows asks for the same ones again."""

    def __init__(self) -> None:
        self._fits: dict[tuple[object, ...], Fit] = {}

    def fit(self, part: LossCurve, law: Fittable, rules: Rules) -> Fit:
        """The fit of a beginning: made once, however often a growing log is read."""
        arrays = (part.steps, part.begins, part.loss, part.schedule.lr)
        key = (repr(law), rules, *[array.tobytes() for array in arrays])
        if key not in self._fits:
            while len(self._fits) >= KEEP:
                del self._fits[next(iter(self._fits))]
            self._fits[key] = rules.fit(part, law)
        return self._fits[key]


@dataclass(frozen=True, kw_only=True)
class _Decays:
    """The decays that are asked about; none where the rate is at their end already."""

    plan: Plan
    lengths: tuple[int, ...]
    shape: str
    final: float

    def after(self, wait: int, length: int) -> Schedule:
        """What is done, the rate held for ``wait`` updates, and a decay over ``length``."""
        fall = decay_rates(self.plan.rate, self.final, self.shape, length)
        done = self.plan.schedule.prefix(self.plan.now)
        return done.extended(np.concatenate([np.full(wait, self.plan.rate), fall]))

    @property
    def usual(self) -> int:
        """The length that is answered first: the middle one of those that end within the horizon.

        0: no decay is asked about.
        """
        left = np.inf if self.plan.horizon is None else self.plan.horizon - self.plan.now
        lengths = [each for each in self.lengths if each <= left] or self.lengths
        return lengths[len(lengths) // 2] if lengths else 0

    @property
    def reference(self) -> Schedule:
        """The question by which laws are weighed: the plan if it decays, else the usual decay."""
        horizon = self.plan.horizon
        if not self.lengths or (horizon is not None and self.plan.schedule.decays(horizon)):
            return self.plan.schedule
        return self.after(0, self.usual)


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What predicts, and how it came about; its trust, where it is not that of the predictor."""

    predictor: Fit | OfSize | Updated
    clean: Cleaned
    fit: Fit
    law: str
    band: Band
    sentence: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    trust: Trust | None = None


def forecast(
    curve: Runs,
    horizon: int | None = None,
    *,
    schedule: ScheduleLike | None = None,
    fit: Fit | None = None,
    earlier: Runs = (),
    law: str | type[Law] | None = None,
    optimizer: str | None = None,
    decay_over: Sequence[float] | None = None,
    decay_shape: str = "linear",
    final: float = 0.0,
    level: float = 0.9,
    skip: int | None = None,
    keep_all: bool = False,
    new_data: bool = False,
    kept: KeptFits | None = None,
) -> Forecast:
    """What will the loss of a run in progress be, on its plan, and if it decayed now or later?

    Args:
        curve: The run so far: a curve, or what `losslaw.read_curves` reads. If its schedule goes on
            after its last loss, that is its plan.
        horizon: Updates of the whole run; ``None``: those of the plan, or those that its log says,
            and where it says nothing decays that begin now are answered alone.
        schedule: The whole plan, as record or text; must agree with the run so far. ``None``: what
            the log shows is continued, see `losslaw.forecasting.continuation`.
        fit: An earlier fit, brought up to date by the run; see `losslaw.forecasting.update`.
        earlier: Earlier runs of the same model, fitted jointly with this one.
        law: Law to fit; ``None``: that of `losslaw.fit`.
        optimizer: What trained the model, in the place of what the logs say; as in `losslaw.fit`.
        decay_over: Lengths of the decays to try: updates (whole numbers) or shares of the steps so
            far (``float``); ``None``: 5 to 40 % of the steps so far, as long as they end within the
            horizon.
        decay_shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at which these decays end, and falls in progress that have no end.
        level: Share of runs the intervals are meant to hold, in (0, 1).
        skip: Points before this step are left out; ``None``: as in `losslaw.fit`.
        keep_all: Fit all points as they are; see `losslaw.fit`. The band sees them all either way.
        new_data: Whether this run has other data, or another order of them, than ``fit`` or
            ``earlier``: intervals are wider for it (`Fit.for_new_data`).
        kept: Where fits are kept for the next forecast of the same run, whose log has grown.

    Returns:
        The forecast; ``print`` shows it.

    Raises:
        InputError: a horizon behind the log, a plan that disagrees with the log, a rest that cannot
            be told though a horizon is given, nothing to ask (no horizon, and the rate is at its
            end), a log that is too short, or options that contradict each other.

    >>> import losslaw as ll
    >>> run = {curve.label: curve for curve in ll.bundled_curves()}["cosine_peak3e-3_T12000"]
    >>> forecast = ll.forecast(run.until(6000))
    >>> forecast.horizon, abs(forecast.final - run.final_loss) < 0.05
    (12000, True)
    """
    Level(level)
    (curve,), earlier = all_by([curve_of(curve)], optimizer), all_by(earlier, optimizer)
    check_sources(curve, fit, earlier, law, new_data)
    declared = None if schedule is None else schedule_of(schedule)
    check_length(curve, skip)
    plan = planned_if_known(curve, horizon, declared, final)
    rules = Rules(skip=skip, keep_all=keep_all)
    decays = _decays(plan, decay_over, decay_shape, final)
    reference = decays.reference
    basis = basis_of(
        curve, reference, rules, fit=fit, earlier=earlier, law=law, new_data=new_data, kept=kept
    )
    asked, trust = _asked(basis, reference)
    refused = trust is not None and trust.refused
    path: Prediction | None = None
    if plan.horizon is not None:
        steps = np.unique(np.linspace(plan.now + 1, plan.horizon, PATH).round().astype(np.int64))
        # Without other endings to compare it with, the plan's is answered for itself.
        alone = basis.predictor.settled(plan.schedule) if refused else basis.predictor
        path = replace(alone.predict(plan.schedule, steps, level), trust=trust)
    # What is fitted as it is may have diverged all the same.
    clean = cleaned(curve, skip or 0) if keep_all else basis.clean
    left = clean.diverged
    endings = () if refused or left is not None else _endings(decays, basis.predictor, level)
    doubts = asked.warnings if path is None else path.warnings
    warnings = list(dict.fromkeys([*plan.doubts, *curve.warnings, *basis.warnings, *doubts]))
    if basis.band.state in ("above", "below"):
        warnings.append(
            f"the run has been {basis.band.state} its band since step {basis.band.since:,}: if what"
            " happened there goes on, the forecast does not hold"
        )
    dense = basis.clean.averaged > 0 and left is None
    alone = fit is None and not earlier
    return Forecast(
        label=curve.label,
        unit=curve.unit,
        step=plan.now,
        loss=(basis.clean.curve if dense else curve).final_loss,
        averaged=int(basis.clean.counts[-3:].sum()) if dense else 3,
        plan=plan,
        level=level,
        path=path,
        band=basis.band,
        usual=decays.usual,
        endings=endings,
        decay=f"{decay_shape} to {final:g}",
        basis=basis.sentence,
        law=basis.law,
        trust=trust,
        changes=tuple(_changes(basis.fit, curve, trust, alone=alone)),
        notes=tuple(note for note in basis.notes if not repeats(note, warnings)),
        warnings=tuple(warnings),
        diverged=None if left is None else left[0],
    )


def _changes(fit: Fit, curve: LossCurve, trust: Trust | None, *, alone: bool) -> Iterator[str]:
    """What would change the answer, beyond what its trust and its warnings say."""
    if alone and trust is not None and trust.status != "confirmed":
        yield (
            "earlier runs of this model that decay, as logs or as a fit (--with, --fit);"
            f" {ADVISE} names the cheapest one to make"
        )
    if fit.mixture is None or curve.optimizer is not None:
        return
    ground = fit.mixture.ground
    if ground.optimizer is None and ground.home:
        yield (
            "another optimiser (--optimizer): the constants of AdamW are assumed, since the peak"
            " rates are such as AdamW has"
        )
    elif ground.optimizer is None:
        yield (
            "the name of the optimiser (--optimizer): nobody says it, and the peak rates are not"
            " such as AdamW usually has, so its constants are one guess among others"
        )


def repeats(note: str, warnings: Sequence[str]) -> bool:
    """Whether a note says what a warning says as well."""
    assumed = note.partition(" is assumed")
    return bool(assumed[1]) and any(each.startswith(f"{assumed[0]} is") for each in warnings)


def basis_of(
    curve: LossCurve,
    reference: Schedule,
    rules: Rules,
    *,
    fit: Fit | None = None,
    earlier: Sequence[LossCurve] = (),
    law: str | type[Law] | None = None,
    new_data: bool = False,
    kept: KeptFits | None = None,
) -> Basis:
    """What predicts a run in progress, its laws weighed by a reference question.

    The other arguments are those of `forecast`, after `check_sources` and `check_length`.
    """
    chosen: Fittable = "auto" if law is None else law
    kept = kept or KeptFits()
    if fit is None and not earlier:
        return _from_run(curve, chosen, rules, kept, reference, "this run alone")
    return _from_others(curve, fit, earlier, chosen, rules, kept, reference, new_data)


def check_sources(
    curve: LossCurve,
    fit: Fit | None,
    earlier: Sequence[LossCurve],
    law: str | type[Law] | None,
    new_data: bool,
) -> None:
    """Refuse sources of knowledge that contradict each other.

    Raises:
        InputError: they do.
    """
    check_source([curve], fit, earlier, law)
    if new_data and fit is None and not earlier:
        raise InputError(
            "new data are data that other runs did not have: give a fit (fit=, --fit) or earlier"
            " runs (earlier=, --with)"
        )


def trust_in(basis: Basis, reference: Schedule) -> Trust | None:
    """What stands behind the forecast, and whether its interval is too wide to be of use."""
    return _asked(basis, reference)[1]


def _asked(basis: Basis, reference: Schedule) -> tuple[Prediction, Trust | None]:
    """The answer to the reference question, and what stands behind the forecast."""
    prediction = basis.predictor.predict(reference, [reference.horizon], TRUSTED)
    trust, interval = basis.trust or prediction.trust, prediction.interval
    if trust is None or interval is None:
        return prediction, trust
    return prediction, replace(trust, refused=useless(interval, prediction.final))


def check_length(curve: LossCurve, skip: int | None) -> None:
    """Check that there are losses to speak of after the warm-up.

    Raises:
        TooShort: there are not, and from which step on there will be.
    """
    start = max(curve.schedule.warmup, skip or 0)
    count = int((curve.begins > start).sum())
    if count >= LEAST:
        return
    every = float(np.median(np.diff(curve.steps))) if len(curve) > 1 else 1.0
    possible = max(start, int(curve.steps[0])) + LEAST * every
    raise TooShort(
        f"the log is too short for a forecast of {curve.label!r}: {count} losses after step {start}"
        f" (warm-up or skip), expected at least {LEAST}; possible from about step {possible:.0f} on"
    )


def _from_run(
    curve: LossCurve,
    law: Fittable,
    rules: Rules,
    kept: KeptFits,
    reference: Schedule,
    sentence: str,
    warnings: tuple[str, ...] = (),
) -> Basis:
    """A fit of the run itself, judged by fits of its beginnings."""
    clean = rules.cleaned([curve])
    made = fit_law(clean.curves, law, skip=clean.skip, keep_all=True)
    fit = clean.remembered(made).settled(reference)
    band = rolling(curve, fit.skip, lambda part: kept.fit(part, law, rules))
    start = max(fit.skip, curve.schedule.warmup)
    return _basis(curve, clean.runs[0], fit, fit, band, start, sentence, warnings=warnings)


def _from_others(
    curve: LossCurve,
    fit: Fit | None,
    earlier: Sequence[LossCurve],
    law: Fittable,
    rules: Rules,
    kept: KeptFits,
    reference: Schedule,
    new_data: bool,
) -> Basis:
    """A saved fit or earlier runs, as far as they are of this model, with what this run adds."""
    base = fit if fit is not None else rules.fit(list(earlier), law)
    base = base.for_new_data() if new_data else base
    early = max(min(base.skip, int(curve.steps[-1]) // 3), rules.skip or 0)
    start = max(curve.schedule.warmup, early)
    # What a fit was made of it has not foretold.
    held = None if fit is None else known_until(fit, curve)
    news = start if held is None else max(start, held)
    what = "the saved fit" if fit is not None else "the earlier runs"
    unit = after_numbers(curve.unit)
    of_size = OfSize(base, curve.model_size)
    because = _other_size(curve, base, what)
    band = Band(state="unknown") if because else against(curve, of_size, news)
    if band.never and held is None:
        because = (
            f"this run was never where {what} said it would be ({band.by:+.3f}{unit} now): another"
            " model, data or batch size?"
        )
    if because:
        # What models share of an earlier fit, its shapes; the amplitudes are this run's own.
        sentence = f"the shapes of {what}, amplitudes fitted to this run"
        shapes = held_shapes(base)
        basis = _from_run(curve, shapes, rules, kept, reference, sentence, (because,))
        return replace(basis, trust=None if base.mixture is None else _of_another(base, because))
    count = f"{len(base.curves)} run" + ("s" if len(base.curves) != 1 else "")
    if fit is None:
        runs = [_named(curve, earlier), *earlier]
        clean = rules.cleaned(runs, start)
        joint = fit_law(clean.curves, law, skip=start, keep_all=True)
        joint = joint.for_new_data() if new_data else joint
        sentence = f"this run and {count} before it, fitted together"
        predictor = OfSize(joint, curve.model_size).settled(reference)
        run = clean.runs[0]
        basis = _basis(curve, run, predictor, joint, band, start, sentence, earlier)
        return replace(basis, notes=(*map(str, clean.notes), *basis.notes))
    of_size = of_size.settled(reference)
    fresh = Updated(fit=of_size, offset=0.0, believed=0.0, now=int(curve.steps[-1]))
    if held is not None:
        count += f", this one among them up to step {held:,}"
    sentence = f"a saved fit of {count}; of this run too little is known to change it"
    clean = rules.cleaned([curve], start)
    if band.state != "unknown":
        fresh = updated(of_size, clean.curves[0], news if held is None else news + 1)
        late = f"brought up to date by this run ({fresh.offset:+.4f}{unit} now)"
        sentence = f"a saved fit of {count}, {late}"
    basis = _basis(curve, clean.runs[0], fresh, fit, band, start, sentence, fit.curves)
    return replace(basis, notes=(*map(str, clean.notes), *basis.notes))


def _other_size(curve: LossCurve, base: Fit, what: str) -> str:
    """The sentence on a run whose model is of another size than all that were fitted, or none."""
    sizes = {each.model_size for each in base.curves}
    if curve.model_size is None or len(sizes) != 1:
        return ""
    (size,) = sizes
    if size is None or size == curve.model_size:
        return ""
    return f"this run's model has {curve.model_size:.4g} parameters, that of {what} {size:.4g}"


def _of_another(base: Fit, because: str) -> Trust:
    """What stands behind shapes that were fitted to another model: nothing that was tested."""
    return Trust(
        status="not confirmed",
        sentence=f"not confirmed: {because}",
        members=((base.law.title, base.law.name, 1.0),),
        foretold=(),
    )


def _basis(
    curve: LossCurve,
    clean: Cleaned,
    predictor: Fit | OfSize | Updated,
    fit: Fit,
    band: Band,
    start: int,
    sentence: str,
    earlier: Sequence[LossCurve | FittedCurve] = (),
    warnings: tuple[str, ...] = (),
) -> Basis:
    """The basis with the spikes of the run after step ``start``, measured from what predicts it."""
    if int(curve.begins[-1]) > start:
        part = curve.after(start)
        predicted = predictor.predict(part.schedule, part.steps, window=part.window)
        band = replace(band, spikes=spikes_in(part, predicted.loss))
    doubts = () if fit.status.converged else ("the fit did not converge",)
    return Basis(
        predictor=predictor,
        clean=clean,
        fit=fit,
        law=fit.law.name,
        band=band,
        sentence=sentence,
        notes=_notes(fit, earlier),
        warnings=(*warnings, *doubts),
    )


def _notes(fit: Fit, earlier: Sequence[LossCurve | FittedCurve]) -> tuple[str, ...]:
    """Notes of a fit, as far as they matter here.

    Which directions of the parameters are open is of no use here: it is in the intervals.
    """
    # Which early points of other runs were left out says nothing of this one.
    others = {each.label for each in earlier}
    notes = [str(note) for note in fit.notes if note.label not in others]
    doubts = [text for text in fit.status.doubts if OPEN not in text]
    if len(doubts) < len(fit.status.doubts):
        doubts.append("what these curves leave open of its parameters is in the intervals")
    return (*notes, *[f"the fit: {sentence}" for sentence in doubts])


def _named(curve: LossCurve, others: Sequence[LossCurve]) -> LossCurve:
    """The run, under a name that none of the others has."""
    labels = {other.label for other in others}
    return curve.with_(label=f"{curve.label} (this run)") if curve.label in labels else curve


def _decays(plan: Plan, decay_over: Sequence[float] | None, shape: str, final: float) -> _Decays:
    """The decays to be compared, checked.

    Raises:
        InputError: lengths below 1, a shape that is none, a final rate that cannot be one, or
            nothing to ask.
    """
    left, rate = None if plan.horizon is None else plan.horizon - plan.now, plan.rate
    if not np.isfinite(final) or final < 0:
        raise InputError(f"final rate of the decays is {final:g}, expected 0 or above")
    if decay_over is None:
        lengths = sorted({max(round(share * plan.now), 1) for share in SHARES})
        if left is not None:
            lengths = [length for length in lengths if length <= left] or [left]
    else:
        lengths = sorted({_length(each, plan.now) for each in decay_over})
        if not lengths or lengths[0] < 1:
            raise InputError(f"decay over {lengths[:1] or 'nothing'}, expected at least 1 update")
    # Checked whether or not the rate has somewhere to go.
    decay_rates(max(rate, final, 1e-300), final, shape, 1)
    if final > rate:
        raise InputError(
            f"final rate of the decays is {final:.4g}, above the rate {rate:.4g} at step"
            f" {plan.now}, where they begin: give a lower one"
        )
    annealed = rate - final <= AT_END * float(plan.schedule.lr[: plan.now].max())
    if annealed and plan.horizon is None:
        raise InputError(
            f"the learning rate is {rate:.4g} at step {plan.now:,}, where decays end: there is"
            " nothing to ask; if the run goes on, give a horizon (horizon=, --horizon), or ask"
            " losslaw continue what more updates would buy"
        )
    chosen = () if annealed else tuple(lengths)
    return _Decays(plan=plan, lengths=chosen, shape=shape, final=final)


def _length(over: float, now: int) -> int:
    """Updates of a decay: themselves, or a share of those so far; 0 where that is none."""
    if isinstance(over, Integral):
        return int(over)
    return max(round(over * now), 1) if 0 < over < np.inf else 0


def _endings(decays: _Decays, predictor: Predictor, level: float) -> tuple[Ending, ...]:
    """Decays now and later, in order of length."""
    if not decays.lengths:
        return ()
    plan, horizon = decays.plan, decays.plan.horizon
    totals = {plan.now + length for length in decays.lengths}
    ends = sorted(totals if horizon is None else totals | {horizon})
    held = predictor.predict(plan.held(ends[-1]), ends, level)
    holding = dict(zip(ends, held.loss.tolist(), strict=True))
    endings: list[Ending] = []
    for length in decays.lengths:
        waits: list[tuple[When, int]] = [("now", 0)]
        left = 0 if horizon is None else horizon - plan.now
        if left > length:  # otherwise that is now, or it has passed
            waits.append(("later", left - length))
        for when, wait in waits:
            whole = decays.after(wait, length)
            prediction = predictor.predict(whole, [whole.horizon], level)
            endings.append(
                Ending(
                    when=when,
                    start=plan.now + wait,
                    over=length,
                    steps=whole.horizon,
                    loss=prediction.final,
                    interval=prediction.interval,
                    gain=holding[whole.horizon] - prediction.final,
                    within=None if horizon is None else whole.horizon <= horizon,
                )
            )
    return tuple(endings)
