"""The sections of a report, made of its answers; what to doubt comes first."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import after_numbers
from losslaw.curves.described import collapsed, description
from losslaw.designing import Design
from losslaw.designing.record import shape_in_words
from losslaw.fitting import Fit
from losslaw.fitting.prediction import NO_DECAY, FittedCurve
from losslaw.fitting.status import ASSUMED_FOR, NOT_DETERMINED, told
from losslaw.forecasting import Forecast
from losslaw.forecasting.record import REFUSAL
from losslaw.numerics.interval import Interval
from losslaw.progress import Progress
from losslaw.reporting.answers import Answers
from losslaw.reporting.page import (
    Commands,
    Listed,
    Part,
    Picture,
    Section,
    Table,
    Whole,
    Words,
    cut,
    table,
)
from losslaw.text import rounded, size_words
from losslaw.views.annealed import plot_annealed
from losslaw.views.designs import plot_design, plot_gains
from losslaw.views.dots import ROW
from losslaw.views.figures import Panel, stacked
from losslaw.views.forecasts import plot_forecast
from losslaw.views.predictions import BANDED, plot_fit, plot_terms
from losslaw.views.residuals import plot_residuals

# Runs of which curves are drawn, as many as have bands, and decays; tables have all.
MOST_DRAWN, MOST_ANNEALED = BANDED, 8
# Pairs of runs that are named, those first that can be told apart.
MOST_PAIRS = 6
# What stands behind a fit of a single law.
ALONE = "one law answers alone: its interval knows nothing of other laws"
# A parameter whose error is this share of it is hardly known.
HARDLY = 0.5


def doubts(answers: Answers) -> tuple[str, ...]:
    """All that speaks against believing the report, the weightiest first; each sentence once."""
    fit = answers.fit
    found = [ALONE if fit.trust is None else fit.trust.sentence]
    if not fit.status.converged:
        found.append(f"the fit {fit.status.ended}")
    found += [*fit.status.doubts, *told(fit.notes)[0]]
    found += collapsed([(curve.label, list(curve.warnings)) for curve in answers.curves])
    if answers.annealed is not None and not isinstance(answers.annealed, str):
        found += answers.annealed.warnings
    for label, each in answers.forecasts:
        if isinstance(each, Forecast):
            for warning in each.warnings:
                # What the fit lacks or assumes is no fault of the run that was asked about.
                of_the_fit = warning.startswith((NO_DECAY, ASSUMED_FOR))
                known = ASSUMED_FOR if warning.startswith(ASSUMED_FOR) else warning
                if not any(said.startswith(known) for said in found):
                    found.append(warning if of_the_fit else f"{label}: {warning}")
    if isinstance(answers.design, Design):
        trust = answers.design.trust
        if trust is not None and (fit.trust is None or trust.sentence != fit.trust.sentence):
            found.append(f"the designed schedule: {trust.sentence}")
    return tuple(answers.brief(each) for each in dict.fromkeys(found))


def all_of(answers: Answers, again: Sequence[str], progress: Progress) -> tuple[Section, ...]:
    """The sections, in their order."""
    made: list[Section] = []
    for name, title, parts in (
        ("doubts", "What to doubt", _doubts(answers)),
        ("read", "What was read and assumed", _read(answers)),
        ("fit", "What was fitted", _fitted(answers.fit)),
        ("held-out", "How well it foretells", _held_out(answers)),
        ("curves", "Curves and their bands", _curves(answers)),
        ("split", "What the losses are made of", _split(answers)),
        ("decay", "What decays now would give", _decays(answers)),
        ("design", "A schedule for next time", _designed(answers)),
        ("open", "What is not determined", _open(answers.fit)),
        (
            "again",
            "How to do it again",
            iter([Commands(lines=tuple(map(Whole, again)))] if again else []),
        ),
    ):
        found = tuple(_brief(part, answers) for part in parts)
        if found:
            progress(title.lower())
            made.append(Section(name=name, title=title, parts=found))
    return tuple(made)


def _brief(part: Part, answers: Answers) -> Part:
    """A part whose sentences have no long names in them."""
    if isinstance(part, Listed):
        return replace(part, sentences=tuple(map(answers.brief, part.sentences)))
    return replace(part, text=answers.brief(part.text)) if isinstance(part, Words) else part


def _doubts(answers: Answers) -> Iterator[Part]:
    yield Listed(words="", sentences=doubts(answers))


def _read(answers: Answers) -> Iterator[Part]:
    if not answers.curves:
        yield Words(
            text="A saved fit was read, and no logs: it remembers the schedules of its runs, not"
            " their losses. With the logs beside it the report has their errors and decays."
        )
        yield _remembered(answers.fit)
        return
    runs = [description(curve) for curve in answers.curves]
    yield table(
        "The runs",
        ("run", "points", "steps", "updates", "peak rate", "batch", "weight decay", "schedule"),
        [
            (
                cut(run["label"]),
                f"{run['points']:,}",
                f"{run['first_step']:,} .. {run['last_step']:,}",
                f"{run['horizon']:,}",
                f"{run['peak_lr']:.4g}",
                _values(run["batch"]),
                _values(run["weight_decay"]),
                _spec(run["schedule"], run["complete"]),
            )
            for run in runs
        ],
        words=(0, 7),
    )
    assumed = collapsed([(run["label"], run["assumptions"]) for run in runs])
    if assumed:
        yield Listed(words="Assumed to read them:", sentences=tuple(assumed))
    notes = told(answers.fit.notes)[1]
    if notes:
        yield Listed(words="Assumed or left out by the fit:", sentences=notes)


def _remembered(fit: Fit) -> Table:
    rows = [
        (cut(run.label), f"{run.schedule.horizon:,}", f"{run.schedule.peak_lr:.4g}")
        for run in fit.curves
    ]
    return table("The runs of the fit", ("run", "updates", "peak rate"), rows)


def _values(value: float | list[float] | None) -> str:
    if value is None:
        return "unknown"
    return " .. ".join(f"{each:g}" for each in (value if isinstance(value, list) else [value]))


def _spec(spec: str | None, complete: bool) -> str:
    if spec is None:
        return "not recognised"
    return spec if complete else f"beginning of {spec}"


def _fitted(fit: Fit) -> Iterator[Part]:
    count = "1 curve" if len(fit.curves) == 1 else f"{len(fit.curves)} curves"
    yield Words(
        text=f"{fit.law.title[:1].upper()}{fit.law.title[1:]} ({fit.law.name}), fitted to {count};"
        f" the search {fit.status.ended}."
    )
    trust = fit.trust
    if trust is not None:
        rows = [
            (name, law, f"{weight:.0%}") for name, law, weight in trust.members if weight > 0.005
        ]
        yield table("Laws that answer together", ("law", "formula", "counts"), rows)
    unknown = () if fit.uncertainty is None else fit.uncertainty.unknown
    largest = fit.which(fit.sizes[-1].model_size) if fit.sizes else ""
    specs, errors = {**fit.law.shapes(), **fit.law.amplitudes()}, fit.parameter_errors
    rows = [
        (
            name,
            _value(fit, name, errors.get(name), unknown),
            spec.meaning,
        )
        for name, spec in specs.items()
    ]
    yield table(
        f"Parameters of the {fit.law.title}{largest}",
        ("parameter", "value", "meaning"),
        rows,
        words=(0, 2),
    )
    if fit.sizes:
        names = [*fit.law.amplitudes()]
        yield table(
            "Amplitudes of each model size",
            ("parameters", *names),
            [
                (
                    size_words(each.model_size),
                    *[f"{getattr(each.law, name):.4g}" for name in names],
                )
                for each in fit.sizes
            ],
        )
    yield table(
        f"How close it is to what it was fitted to{_of(fit)} (end: predicted minus observed)",
        ("run", "points", "steps", "rmse", "end"),
        [
            (
                cut(run.label),
                f"{run.points:,}",
                f"{run.first_step:,} .. {run.last_step:,}",
                f"{run.rmse:.4f}",
                f"{run.final_error:+.4f}",
            )
            for run in fit.curves
        ],
    )


def _value(fit: Fit, name: str, error: float | None, unknown: Sequence[str]) -> str:
    """A parameter with its error, and whether it was fitted at all."""
    if name in unknown:
        return NOT_DETERMINED
    fixed = name not in fit.free and name not in fit.law.amplitudes()
    return f"{rounded(getattr(fit.law, name), error)}{' (fixed)' if fixed else ''}"


def _held_out(answers: Answers) -> Iterator[Part]:
    fit, scores = answers.fit, answers.held_out
    trust = fit.trust
    if trust is not None and trust.foretold:
        names = [name for name, _, weight in trust.members if weight > 0.005]
        rows = [
            (cut(what), *[_error(errors.get(name)) for name in names])
            for what, errors in trust.foretold
        ]
        yield Words(
            text="Parts of the logs were kept from the laws, and foretold: root mean square"
            f" errors{_of(fit)}."
        )
        yield table("Parts that were kept back", ("kept back", *names), rows)
    if fit.uncertainty is not None:
        yield Words(
            text=f"On schedules left out the {fit.law.title} errs by about"
            f" {fit.uncertainty.tau:.4f}{after_numbers(fit.unit)}; intervals have that in them."
        )
    if isinstance(scores, str):
        yield Words(text=f"Runs that were not fitted cannot be scored: {scores}.")
    elif scores is not None:
        yield table(
            f"Runs that were not fitted, after they leave every fitted schedule; errors{_of(fit)}",
            ("run", "points", "after update", "rmse", "end", "inside the interval"),
            [
                (
                    cut(run.label),
                    f"{run.points:,}",
                    f"{run.after:,}",
                    f"{run.rmse:.4f}",
                    f"{run.final_error:+.4f}",
                    "" if run.coverage is None else f"{run.coverage:.0%}",
                )
                for run in scores.curves
            ],
        )


def _of(fit: Fit) -> str:
    """In which unit losses and errors are, of a fit whose losses have one."""
    return f", in{unit}" if (unit := after_numbers(fit.unit)) else ""


def _error(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _curves(answers: Answers) -> Iterator[Part]:
    fit, drawn = answers.fit, _drawn(answers.curves)
    runs = drawn or fit.curves
    ends = [(run.label, _end(fit, run, answers)) for run in answers.curves or fit.curves]
    some = 0 < len(drawn) < len(answers.curves)
    most = f" Of {len(answers.curves)} runs the {len(drawn)} longest are drawn." if some else ""
    yield Picture.of(
        stacked([Panel(draw=lambda ax: plot_fit(fit, ax, curves=drawn, level=answers.level))]),
        f"Losses of {len(runs)} runs along their updates, as points, and the predicted curves as"
        " lines with bands; the table below has their ends.",
        f"Points are logged losses, lines are what the fit says, bands its {answers.level:.0%}"
        f" intervals.{most}",
    )
    if drawn:
        yield Picture.of(
            stacked([Panel(draw=lambda ax: plot_residuals(fit, drawn, ax), height=2.2)]),
            "Predicted minus logged losses along the updates, by phase of the schedule.",
            "What the fit misses: an error that stays on one side in a phase is the law's own.",
        )
    yield table(
        "Predicted loss at the end of each schedule, as far as it was logged",
        ("run", "updates", "predicted", f"{answers.level:.0%} interval", "logged there"),
        [(cut(label), *cells) for label, cells in ends],
    )


def _drawn(curves: Sequence[LossCurve]) -> tuple[LossCurve, ...]:
    """The runs that are drawn: the longest, in their order."""
    longest = sorted(curves, key=lambda each: -int(each.steps[-1]))[:MOST_DRAWN]
    return tuple(each for each in curves if each in longest)


def _end(fit: Fit, run: LossCurve | FittedCurve, answers: Answers) -> tuple[str, ...]:
    schedule, size = run.schedule, run.model_size
    told = fit.predict(schedule, [schedule.horizon], answers.level, size if fit.sizes else None)
    logged = ""
    if isinstance(run, LossCurve) and int(run.steps[-1]) >= 0.99 * schedule.horizon:
        logged = f"{run.final_loss:.4f}"
    return f"{schedule.horizon:,}", f"{told.final:.4f}", _ends(told.interval), logged


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else str(interval)


def _split(answers: Answers) -> Iterator[Part]:
    fit = answers.fit
    runs = [
        (run.label, fit.completed(run.schedule), run.model_size)
        for run in answers.curves or fit.curves
    ]
    label, longest, size = max(runs, key=lambda each: each[1].horizon)
    meanings = {name: spec.meaning for name, spec in fit.law.amplitudes().items()}
    yield Words(
        text=f"By the {fit.law.title} a loss is a sum: what no training removes, what training has"
        " yet to remove, what the rate of the moment adds or a decay takes away."
    )
    yield Picture.of(
        stacked([Panel(draw=lambda ax: plot_terms(fit, longest, ax, model_size=size), height=2.7)]),
        f"The terms of the predicted loss, one upon the other, along the schedule of {cut(label)}:"
        f" {'; '.join(f'{name}, {meaning}' for name, meaning in meanings.items())}.",
        f"Along the schedule of {cut(label)}{fit.which(size)}.",
    )
    rows: list[tuple[str, ...]] = []
    for name, schedule, size in runs:
        law, _ = fit.of_size(size)
        terms = law.decompose(schedule, np.array([schedule.horizon]))
        values = [float(each[-1]) for each in terms.values()]
        rows.append((cut(name), *[f"{each:+.4f}" for each in values], f"{sum(values):.4f}"))
    header = [f"{name}: {meanings[name]}" if name in meanings else name for name in meanings]
    yield table(f"At the end of each schedule{_of(fit)}", ("run", *header, "loss"), rows)


def _decays(answers: Answers) -> Iterator[Part]:
    found = answers.annealed
    if found is None:
        yield Words(text="Decays are told of logs: give them beside the fit.")
        return
    if isinstance(found, str):
        yield Words(text=f"What the runs are worth cannot be told: {found}.")
    else:
        kind = f"{found.cooldown.shape}, to {found.cooldown.final:g}"
        if len(found.runs) <= MOST_ANNEALED:
            yield Picture.of(
                stacked([Panel(draw=lambda ax: plot_annealed(found, ax), height=2.6)]),
                "The loss that each run would have if it were annealed, along its updates, below"
                " the logged loss; the table below has the ends.",
                f"Loss after a cooldown ({kind}) that begins at each update.",
            )
        yield table(
            f"Annealed from where they are ({kind})",
            ("run", "from update", "over", "loss", f"{found.level:.0%} interval", "logged now"),
            [
                (
                    cut(run.label),
                    f"{run.at:,}",
                    f"{run.over:,}" if run.over else "annealed already",
                    f"{run.loss:.4f}",
                    _ends(run.interval),
                    f"{run.raw:.4f}",
                )
                for run in found.runs
            ],
        )
        told = sorted(found.pairs, key=lambda pair: pair.verdict == "not told apart")
        if told:
            rest = f" ({MOST_PAIRS} of {len(told)} pairs)" if len(told) > MOST_PAIRS else ""
            yield Listed(
                words=f"Which is worth more{rest}:",
                sentences=tuple(
                    f"{pair.a} and {pair.b}, {pair.equal}: {pair.sentence}"
                    for pair in told[:MOST_PAIRS]
                ),
            )
    for label, each in answers.forecasts:
        if isinstance(each, str):
            yield Words(text=f"Decays of {cut(label)} cannot be told: {each}.")
            continue
        yield from _decays_of(each)


def _decays_of(told: Forecast) -> Iterator[Part]:
    """The end of one run on its plan, and the table of its decays."""
    if told.path is not None:
        level = f" ({told.level:.0%} interval {told.interval})" if told.interval else ""
        yield Words(
            text=f"{cut(told.label)} on its plan of {told.horizon:,} updates"
            f" ({told.plan.sentence}): {told.path.final:.4f}{level}{after_numbers(told.unit)}."
        )
    if not told.endings:
        why = REFUSAL if told.refused else (told.plan.sentence,)
        yield Listed(words=f"{cut(told.label)}, no decays:", sentences=tuple(why))
        return
    if told.path is not None:
        yield Picture.of(
            stacked([Panel(draw=lambda ax: plot_forecast(told, ax), height=2.6)]),
            f"The predicted loss of {cut(told.label)} on its plan, with a band, and the ends of"
            " decays; the table below has them.",
            f"{cut(told.label)} on its plan.",
        )
    best = told.best
    yield table(
        f"{cut(told.label)} at update {told.step:,}, loss {told.loss:.4f}: decays"
        f" ({told.decay}, from {told.plan.rate:.4g})",
        ("decay", "updates in all", "loss", f"{told.level:.0%} interval", "gain over holding"),
        [
            (
                f"{each}{' (lowest)' if each is best else ''}",
                f"{each.steps:,}",
                f"{each.loss:.4f}",
                _ends(each.interval),
                f"{each.gain:.4f}",
            )
            for each in told.endings
        ],
    )


def _designed(answers: Answers) -> Iterator[Part]:
    best = answers.design
    if isinstance(best, str):
        yield Words(text=f"No schedule is designed: {best.removesuffix('.')}.")
        return
    yield Words(
        text=f"For {best.schedule.horizon:,} updates{answers.fit.which(answers.model_size)}"
        f" at a peak of {best.peak:.4g} the lowest predicted final loss is {best.loss:.4f}"
        + (f" ({best.level:.0%} interval {best.interval})" if best.interval is not None else "")
        + f": {shape_in_words(best.schedule, best.task.given)}."
    )
    if best.simple is not None:
        yield Words(text=f"{str(best.simple)[:1].upper()}{str(best.simple)[1:]}.")
    yield Picture.of(
        stacked([Panel(draw=lambda ax: plot_design(best, ax), height=2.4)]),
        "The learning rates of the designed schedule and of usual ones along the updates; the table"
        " below has their losses.",
        "The designed schedule beside usual ones, each with its predicted final loss.",
    )
    rows = 0.8 + ROW * len(best.baselines)
    yield Picture.of(
        stacked([Panel(draw=lambda ax: plot_gains(best, ax), height=rows)]),
        "How much lower the design ends than each usual schedule, as dots with intervals; the table"
        " below has the numbers.",
        "What the design gains over each: an interval that holds 0 is no gain.",
    )
    ordered = sorted(best.baselines.values(), key=lambda each: each.loss)
    yield table(
        "Usual schedules under the same constraints",
        (
            "schedule",
            "loss",
            "gain of the design",
            f"its {best.level:.0%} interval",
            "verdict",
        ),
        [
            (
                each.name,
                f"{each.loss:.4f}",
                f"{each.gain:+.4f}",
                ""
                if each.interval is None
                else f"{each.interval.lower:+.4f} .. {each.interval.upper:+.4f}",
                "surely worse" if each.surely_worse else "not told apart",
            )
            for each in ordered
        ],
    )
    sentences = tuple(each for each in best.sentences if not each.startswith(ASSUMED_FOR))
    if sentences:
        yield Listed(words="Of this design:", sentences=sentences)


def _open(fit: Fit) -> Iterator[Part]:
    found = [each for each in fit.status.sentences if NOT_DETERMINED in each or "bound" in each]
    found += [
        f"{name} is known to {error / abs(getattr(fit.law, name)):.0%} only"
        for name, error in fit.parameter_errors.items()
        if math.isfinite(error) and error > HARDLY * abs(getattr(fit.law, name)) > 0
    ]
    if found:
        yield Listed(words="These runs leave open:", sentences=tuple(found))
    else:
        yield Words(text="These runs determine every parameter that was fitted.")
    yield Words(
        text="A parameter may be open where predictions are not: their intervals count what is"
        " open. How far one may be moved: losslaw profile RUNS --of NAME; which run would"
        " tell most: losslaw advise RUNS --for SPEC."
    )
