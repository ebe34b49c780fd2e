"""Runs in progress: final errors from their beginnings, what a saved fit adds, and the band.

`losslaw.forecast` is asked as by a user, who gives the log and the horizon and nothing else (the
first 25 % and 50 % of six cosines): the rest of the schedule is recognised, and the law is chosen
by what the log shows. Errors are predicted minus observed, mean of the last three losses, in nats.
"""

from collections.abc import Callable, Iterator

import numpy as np
from rich.progress import track

from losslaw.curves import LossCurve, bundled_curves
from losslaw.fitting import Fit, fit
from losslaw.fitting.problem import usual_skip
from losslaw.forecasting import forecast
from losslaw.forecasting.band import rolling
from losslaw.forecasting.update import held_shapes, updated
from losslaw.schedules import Schedule
from validation.protocols import (
    PEAKS,
    PUBLIC_ALL,
    PUBLIC_FITTED,
    SIZES,
    Trial,
    decay_start,
    peak_fitted,
    public,
    raw,
    schaipp,
    schaipp_labels,
)
from validation.public_runs import labels

SHARES = (0.25, 0.5)
# Every third of the 85, for what takes long.
THIRD = 3


def cosines() -> Iterator[tuple[str, LossCurve, int]]:
    """The six runs: what they are called, the whole run, and its horizon."""
    for size in SIZES:
        yield size, public(size, "cosine_72000"), 72000
    for peak in PEAKS:
        yield f"peak {peak}", schaipp(f"124M_cosine-to-10pct_peak{peak}_T50000"), 50000


def beginning(curve: LossCurve, share: float, horizon: int) -> LossCurve:
    """The run as its log was after a share of its horizon: nothing of what came later."""
    part = curve.until(int(share * horizon))
    return part.with_(schedule=part.schedule.prefix(int(part.steps[-1])))


def run_in_progress() -> Iterator[Trial]:
    """The first 25 % and 50 % of a cosine; held out is the rest of the same run."""
    for share in SHARES:
        for name, curve, horizon in cosines():
            part = beginning(curve, share, horizon)
            skip = 2176 if name in SIZES else 1000
            yield Trial(f"{name}, {share:.0%}", [part], [(curve, int(part.steps[-1]))], skip)


def end_error(predict: Callable[[Schedule, np.ndarray], np.ndarray], curve: LossCurve) -> float:
    """Predicted minus observed loss, mean of the last three."""
    at = curve.steps[-3:]
    return float(np.mean(predict(curve.schedule, at) - curve.loss[-3:]))


def forecast_table() -> str:
    """Final errors of `losslaw.forecast`, given the log and the horizon alone."""
    lines = [
        "## The log alone",
        "",
        "`losslaw forecast LOG --horizon N` after a share of the run; the end of the log against",
        "the forecast at its last step.",
        "",
        "| run | 25 %: error | 90 % half-width | 50 %: error | half-width |",
        "|---|---|---|---|---|",
    ]
    worst = dict.fromkeys(SHARES, 0.0)
    for name, curve, horizon in track(list(cosines()), description="forecasts"):
        cells: list[str] = []
        for share in SHARES:
            result = forecast(beginning(curve, share, horizon), horizon)
            at = result.path.steps.astype(float)
            last = curve.steps[-3:].astype(float)
            error = float(np.mean(np.interp(last, at, result.path.loss) - curve.loss[-3:]))
            half = np.nan if result.interval is None else result.interval.half_width
            worst[share] = max(worst[share], abs(error))
            cells += [f"{error:+.4f}", f"{half:.4f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append("| worst | " + " | ".join(f"{worst[share]:.4f} | " for share in SHARES) + "|")
    return "\n".join(lines)


def update_table() -> str:
    """What a saved fit is worth, by ways of bringing it up to date."""
    fits = {size: fit([public(size, name) for name in PUBLIC_FITTED]) for size in SIZES}
    fits |= {peak: fit([schaipp(name) for name in peak_fitted(peak)]) for peak in PEAKS}
    pairs: dict[str, list[tuple[Fit, LossCurve]]] = {"same peak": [], "another peak": []}
    pairs["another size"] = []
    for size in SIZES:
        for name in ("cosine_72000", "constant_72000"):
            run = public(size, name)
            pairs["same peak"].append((fits[size], run))
            pairs["another size"] += [(fits[other], run) for other in SIZES if other != size]
    for peak in PEAKS:
        for label in schaipp_labels(f"124M_*_peak{peak}_T50000"):
            for other in PEAKS if "constant" not in label else ():
                kind = "same peak" if other == peak else "another peak"
                pairs[kind].append((fits[other], schaipp(label)))
    lines = [
        "## A saved fit, brought up to date by the run",
        "",
        "Mean and worst absolute final error. *Alone*: the fit says all. *Offset*: the run's late",
        "departure from it is added. *Fading*: the same times n/s, what `forecast --fit` does for",
        "a run of the fitted model; *inside*: share of ends in its 90 % interval. *Shapes*: shapes",
        "of the fit, amplitudes fitted to the run, what it does for another model. *Run*: no fit.",
        "",
        "| fit and run | share | alone | offset | fading | inside | shapes | run |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, those in pairs.items():
        for share in (0.1, 0.25, 0.5, 0.75):
            rows = [_ways(known, run, share) for known, run in those]
            columns = np.array([errors for errors, _ in rows]).T
            cells = [f"{np.abs(each).mean():.4f} / {np.abs(each).max():.4f}" for each in columns]
            cells.insert(3, f"{np.mean([inside for _, inside in rows]):.2f}")
            lines.append(f"| {kind} ({len(rows)}) | {share:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ways(known: Fit, run: LossCurve, share: float) -> tuple[list[float], bool]:
    """Final errors of five ways, and whether the third one's interval holds the end."""
    part = beginning(run, share, run.schedule.horizon)
    start = max(part.schedule.warmup, min(known.skip, int(part.steps[-1]) // 3))
    fresh = updated(known, part, start)
    shapes = fit(part, held_shapes(known), uncertainty=False)
    alone = fit(part, uncertainty=False)
    prediction = fresh.predict(run.schedule, run.steps[-1:])
    half = np.inf if prediction.upper is None else float(prediction.upper[-1] - prediction.loss[-1])
    errors = [
        end_error(lambda s, at: known.predict(s, at).loss, run),
        end_error(lambda s, at: known.predict(s, at).loss + fresh.offset, run),
        end_error(lambda s, at: fresh.predict(s, at).loss, run),
        end_error(lambda s, at: shapes.predict(s, at).loss, run),
        end_error(lambda s, at: alone.predict(s, at).loss, run),
    ]
    return errors, abs(errors[2]) <= half


def healthy_runs() -> dict[str, list[LossCurve]]:
    """Every run there is."""
    return {
        "bundled": bundled_curves(),
        "25M-400M": [public(size, name) for size in SIZES for name in PUBLIC_ALL],
        "33M-360M, validation": [schaipp(label) for label in schaipp_labels("*")],
        "124M, raw training loss": [raw(label) for label in labels("schaipp_llama_train")],
    }


def injected(curve: LossCurve, kind: str) -> LossCurve:
    """The run with something wrong after 60 % of its steps."""
    last = int(curve.steps[-1])
    at = int(0.6 * last)
    late = np.clip((curve.steps - at) / (last - at), 0, None)
    change = {
        "healthy": 0.0 * late,
        "+.03": 0.03 * (late > 0),
        "+.1": 0.1 * (late > 0),
        "-.1": -0.1 * (late > 0),
        "slowly to +.1": 0.1 * late,
    }[kind]
    return curve.with_(loss=curve.loss + change)


def band_table() -> str:
    """How often the band is left, by healthy runs and by others."""
    kinds = ("healthy", "+.03", "+.1", "-.1", "slowly to +.1")
    lines = [
        "## The band",
        "",
        "Runs whose band is left at their end, judged by fits of their own beginnings. The others",
        "are the same runs with their losses changed after 60 % of the steps; in brackets where",
        "that is said to have begun, median. Of the 85 every third is changed.",
        "",
        f"| runs | {' | '.join(kinds)} |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    for name, runs in healthy_runs().items():
        known: dict[tuple[str, int, float], Fit] = {}

        def once(part: LossCurve, known: dict[tuple[str, int, float], Fit] = known) -> Fit:
            key = (part.label, int(part.steps[-1]), float(part.loss.sum()))
            if key not in known:
                known[key] = fit(part)
            return known[key]

        cells: list[str] = []
        for kind in kinds:
            chosen = runs[::THIRD] if len(runs) > 50 and kind != "healthy" else runs
            since: list[float] = []
            for run in track(chosen, description=f"{name}, {kind}"):
                changed = injected(run, kind)
                band = rolling(changed, usual_skip([changed]), once)
                if band.since is not None:
                    since.append(band.since / int(run.steps[-1]))
            where = f" ({np.median(since):.2f})" if since and kind != "healthy" else ""
            cells.append(f"{len(since)} of {len(chosen)}{where}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def endings_table() -> str:
    """How far the errors of several endings of one run differ."""
    lines = [
        "## Endings of one run",
        "",
        "A constant run up to a step, held out are all WSD runs that leave it later: mean error of",
        "their ends, standard deviation between them, mean 90 % half-width of each.",
        "",
        "| peak | up to step | endings | mean error | between | half-width |",
        "|---|---|---|---|---|---|",
    ]
    for peak in PEAKS:
        whole = schaipp(f"124M_constant_peak{peak}_T50000")
        for until in (12000, 27500):
            part = whole.until(until)
            result = fit(part.with_(schedule=part.schedule.prefix(int(part.steps[-1]))))
            errors: list[float] = []
            widths: list[float] = []
            for label in schaipp_labels(f"124M_wsd-*_peak{peak}_T*"):
                if decay_start(label) < until:
                    continue
                run = schaipp(label)
                prediction = result.predict(run.schedule, run.steps[-3:])
                errors.append(float(np.mean(prediction.loss - run.loss[-3:])))
                if prediction.upper is not None:
                    widths.append(float(np.mean(prediction.upper - prediction.loss)))
            lines.append(
                f"| {peak} | {until} | {len(errors)} | {np.mean(errors):+.4f}"
                f" | {np.std(errors, ddof=1):.4f} | {np.mean(widths):.4f} |"
            )
    return "\n".join(lines)


def table() -> str:
    """All of it."""
    made = (forecast_table, update_table, band_table, endings_table)
    return "\n\n".join(make() for make in made)
