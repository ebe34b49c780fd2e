"""`report`: the answers that a page is made of, asked one after the other.

A question that these runs do not answer (no design where no law tells schedules apart) leaves a
sentence in its place: a report never fails for one of its parts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from losslaw.annealing import Annealed, annealed
from losslaw.curves import LossCurve, Runs, curves_of
from losslaw.curves.curve import check_one_unit
from losslaw.curves.described import description
from losslaw.designing import Design, design
from losslaw.designing.record import TOO_WIDE
from losslaw.errors import FitError, InputError
from losslaw.fitting import Fit, Scores, fit, score
from losslaw.forecasting import Forecast, forecast
from losslaw.forecasting.continuation import planned_if_known
from losslaw.laws import Law
from losslaw.numerics.horizon import check_horizon
from losslaw.numerics.interval import Level
from losslaw.progress import Progress, silent
from losslaw.reporting import sections
from losslaw.reporting.answers import Answers
from losslaw.reporting.page import HtmlReport, cut
from losslaw.schedules import parse_schedule
from losslaw.schedules.agreement import same_rate

T = TypeVar("T")

# Runs of which decays are told, those under way first.
MOST_FORECASTS = 3
# A log that goes to this share of its schedule is one of the whole run.
ENDED = 0.99


def report(
    runs: "Runs | Fit",
    curves: Runs = (),
    *,
    horizon: int | None = None,
    model_size: float | None = None,
    law: str | type[Law] = "auto",
    skip: int | None = None,
    level: float = 0.9,
    title: str | None = None,
    again: Sequence[str] = (),
    progress: Progress = silent,
) -> HtmlReport:
    """All that is known of runs as one page of HTML: doubts, fit, errors, decays, a design.

    Args:
        runs: Runs, given as for `losslaw.fit`, to which a law is fitted; or a fit.
        curves: With a fit, the logs to speak of: those that were fitted, or runs held out, on which
            the fit is scored. Without them there are no decays in the report.
        horizon: Updates of the schedule that is designed, and of runs under way of which nothing
            says how long they will be; ``None``: those of the longest run, planned ones among them.
        model_size: Parameters of the model it is designed for, where several sizes were fitted;
            ``None``: the largest.
        law: As in `losslaw.fit`.
        skip: As in `losslaw.fit`.
        level: Share of runs the intervals are meant to hold, in (0, 1).
        title: What the report is about; ``None``: how many runs.
        again: Command lines that make the report again, shown as they are.
        progress: Called with words as the work goes on.

    Returns:
        The report; ``report.save("report.html")`` writes it.

    Raises:
        InputError: runs that cannot be fitted, curves beside runs, or a horizon no run can have.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> runs = {curve.label: curve for curve in ll.bundled_curves()}
    >>> report = ll.report([runs["constant_peak3e-3_T4000"], runs["cosine_peak3e-3_T4000"]])
    >>> report.html.startswith("<!DOCTYPE html>"), len(report.html) < 2_000_000
    (True, True)
    """
    Level(level)
    if horizon is not None:
        if horizon < 1:
            raise InputError(
                f"horizon is {horizon:g}, expected a whole number of updates, at least 1"
            )
        check_horizon(horizon)
    progress("reading")
    if isinstance(runs, Fit):
        fitted, read, seen = runs, True, tuple(curves_of(curves))
        check_one_unit([*fitted.curves, *seen])
    else:
        if curves:
            raise InputError("curves are given beside a fit: give all runs first, or a fit first")
        seen, read = tuple(curves_of(runs)), False
        progress(f"fitting {len(seen)} runs")
        fitted = fit(seen, law, skip=skip)
    size = (model_size or fitted.sizes[-1].model_size) if fitted.sizes else None
    known = {curve.label for curve in fitted.curves}
    held_out = [curve for curve in seen if curve.label not in known]
    plans = {curve.label: _planned(curve) for curve in seen}
    longest = max([run.schedule.horizon for run in (*seen, *fitted.curves)] + [*plans.values()])
    answers = Answers(
        fit=fitted,
        curves=seen,
        read=read,
        held_out=_held_out(fitted, held_out, level, progress),
        annealed=_annealed(fitted, seen, level, progress),
        forecasts=tuple(_forecasts(fitted, seen, plans, horizon, level, progress)),
        design=_design(fitted, horizon or longest, size, level, progress),
        level=level,
        model_size=size,
    )
    progress("drawing")
    count = len(seen or fitted.curves)
    return HtmlReport(
        title=cut(title or f"Report of {count} {'run' if count == 1 else 'runs'}"),
        trust=fitted.trust,
        doubts=sections.doubts(answers),
        sections=sections.all_of(answers, again, progress),
    )


def _asked(question: Callable[[], T]) -> T | str:
    """The answer, or in a sentence why there is none."""
    try:
        return question()
    except (InputError, FitError) as error:
        return str(error)


def _held_out(
    fitted: Fit, curves: Sequence[LossCurve], level: float, progress: Progress
) -> Scores | str | None:
    if not curves:
        return None
    progress("scoring runs that were not fitted")
    return _asked(lambda: score(fitted, curves, unseen=True, level=level))


def _annealed(
    fitted: Fit, curves: Sequence[LossCurve], level: float, progress: Progress
) -> Annealed | str | None:
    if not curves:
        return None
    progress("what runs are worth")
    return _asked(lambda: annealed(curves, fit=fitted, level=level, path=True))


def _forecasts(
    fitted: Fit,
    curves: Sequence[LossCurve],
    plans: Mapping[str, int],
    horizon: int | None,
    level: float,
    progress: Progress,
) -> list[tuple[str, Forecast | str]]:
    """Of runs under way, and then of others whose rate never fell: decays, and their plans."""
    begun = {each.label for each in curves if plans[each.label] or not _complete(each)}
    asked = [each for each in curves if each.label in begun or not each.schedule.decays()]
    asked.sort(key=lambda each: (each.label not in begun, -int(each.steps[-1])))
    made: list[tuple[str, Forecast | str]] = []
    for curve in asked[:MOST_FORECASTS]:
        progress(f"decays of {cut(curve.label, 40)}")
        open_end = not plans[curve.label] and (horizon or 0) > int(curve.steps[-1])
        told = _asked(
            lambda curve=curve, updates=horizon if open_end else None: forecast(
                curve, updates, fit=fitted, level=level
            )
        )
        made.append((curve.label, told))
    return made


def _planned(curve: LossCurve) -> int:
    """Updates that a run under way will have; 0: it has ended, or nothing says it."""
    plan = _asked(lambda: planned_if_known(curve))
    return 0 if isinstance(plan, str) else plan.horizon or 0


def _complete(curve: LossCurve) -> bool:
    """Whether a run is not the beginning of a schedule that its rates tell."""
    told = description(curve)
    if told["schedule"] is None or told["complete"]:
        return True
    return int(curve.steps[-1]) >= ENDED * parse_schedule(told["schedule"]).horizon


def _design(
    fitted: Fit, horizon: int, size: float | None, level: float, progress: Progress
) -> Design | str:
    progress("designing a schedule")
    runs = [curve.schedule for curve in fitted.curves]
    peaks = sorted({run.peak_lr for run in runs})
    made = _asked(
        lambda: design(
            fitted,
            horizon,
            # Of several that were fitted the best, and none beyond them.
            peak=(peaks[0], peaks[-1]) if not same_rate(peaks[0], peaks[-1]) else None,
            model_size=size,
            level=level,
            progress=lambda words: progress(f"designing a schedule: {words}"),
        )
    )
    if isinstance(made, Design) and made.trust is not None and made.trust.refused:
        return f"{made.trust}; {TOO_WIDE}"
    return made
