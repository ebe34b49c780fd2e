"""What a run in progress is asked, and the numbers that answer it, as the commands work them out.

Run as a program, ``python -m losslaw.live.answer`` answers a question that is pickled on standard
input with one line of JSON, at low priority: see `losslaw.live.watcher`.
"""

import json
import math
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from losslaw.annealing.annealed import annealed
from losslaw.curves import LossCurve, read_curves
from losslaw.errors import FitError, InputError, TooShort
from losslaw.forecasting.forecast import SHARES, forecast
from losslaw.forecasting.record import Forecast
from losslaw.live.question import Question
from losslaw.numerics.interval import Interval
from losslaw.schedules import Schedule

# Is told why a part of an answer is left out.
Doubt = Callable[[str], None]
# Rates that a plan says are those of the log if they differ by no more than this share.
SAME_RATE = 1e-4
# How much it gives way: with 19 it would never end where all cores are busy.
NICE = 10


def _logged(question: Question) -> LossCurve:
    """The run as it is read from such a log."""
    columns = {"step": question.steps, "lr": question.lr, "loss": question.loss}
    (curve,) = read_curves(columns, lr_is="used", loss_is="mean", **question.facts)
    return curve.with_(label=question.label)


def _planned(question: Question, curve: LossCurve, doubt: Doubt) -> LossCurve | None:
    """The curve with its plan as its schedule; ``None``: none is known that the run keeps."""
    if question.ahead is None:
        return None
    begun, rates = question.ahead
    past = curve.schedule
    if begun > past.horizon or begun + rates.size < past.horizon:
        doubt(f"the plan is of updates {begun + 1:,} to {begun + rates.size:,}, not of this run")
        return None
    if begun:
        whole = past.prefix(begun).extended(rates)
    else:
        batch, decay = (question.facts.get(name) for name in ("batch", "weight_decay"))
        whole = Schedule(rates, batch, decay, question.facts.get("warmup"))
    apart = np.abs(whole.lr[question.steps - 1] - question.lr)
    worst = int(apart.argmax())
    if apart[worst] <= SAME_RATE * whole.peak_lr:
        return curve.with_(schedule=whole)
    step, rate = int(question.steps[worst]), float(question.lr[worst])
    doubt(
        f"the run does not keep its plan: at step {step:,} the rate was {rate:.4g}, planned"
        f" {whole.lr[step - 1]:.4g}"
    )
    return None


def answer(question: Question, doubt: Doubt = lambda words: None) -> dict[str, float]:
    """The metrics of a run: see docs/guides/live.md. Nothing: it is too short yet.

    Args:
        question: What is known of the run, and asked.
        doubt: Called with why a part of the answer is left out.

    Raises:
        InputError: none of the questions can be asked of this run.
        FitError: nothing could be fitted.
    """
    try:
        logged = _logged(question)
    except TooShort:
        return {}
    planned = _planned(question, logged, doubt)
    curve = logged if planned is None else planned
    found: dict[str, float] = {}
    problems: list[InputError | FitError] = []
    sources: dict[str, Any] = {"earlier": question.earlier, "fit": question.fit}
    for ask in (
        lambda: _of_forecast(
            _forecast(question, curve, sources, doubt), question.decay_over or SHARES
        ),
        lambda: _of_annealed(question, curve, sources),
    ):
        try:
            found |= dict(ask())
        except (InputError, FitError) as error:
            problems.append(error)
    if found:
        found["losslaw/step"] = float(question.steps[-1])
    elif problems and not isinstance(problems[0], TooShort):
        raise problems[0]
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _forecast(
    question: Question, curve: LossCurve, sources: Mapping[str, Any], doubt: Doubt
) -> Forecast:
    """The forecast of the plan; where its rest cannot be told, of decays that begin now."""
    options: dict[str, Any] = {
        "decay_over": question.decay_over, "final": question.final,
        "decay_shape": question.shape, **question.asked, **sources,
    }  # fmt: skip
    try:
        return forecast(curve, question.horizon, **options)
    except TooShort:
        raise
    except InputError as error:
        if question.horizon is None:
            raise
        doubt(f"where the plan ends is not foretold: {error}")
        return forecast(curve, **options)


def _of_forecast(made: Forecast, lengths: Sequence[float]) -> Iterator[tuple[str, float]]:
    """The numbers of a forecast; decays are called by the lengths that were asked for."""
    yield "losslaw/loss", made.loss
    if made.final is not None:
        yield from _with_ends("losslaw/end", made.final, made.interval)
    now = {ending.over: ending for ending in made.endings if ending.when == "now"}
    for length in lengths:
        share = isinstance(length, float)
        ending = now.get(max(round(length * made.step), 1) if share else int(length))
        if ending is not None:
            name = f"losslaw/decay_{100 * length:g}pct" if share else f"losslaw/decay_{length}"
            yield from _with_ends(name, ending.loss, ending.interval)
            yield f"{name}_gain", ending.gain
    yield "losslaw/confirmed", float(made.confirmed)
    yield "losslaw/off_band", made.band.by if made.band.since is not None else 0.0


def _of_annealed(
    question: Question, curve: LossCurve, sources: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """The annealed loss now."""
    options: dict[str, Any] = {
        "final": question.final,
        "shape": question.shape,
        **question.asked,
        **sources,
    }
    (run,) = annealed(curve, over=question.over, **options).runs
    yield from _with_ends("losslaw/annealed", run.loss, run.interval)


def _with_ends(name: str, loss: float, interval: Interval | None) -> Iterator[tuple[str, float]]:
    yield name, loss
    if interval is not None:
        yield f"{name}_lower", interval.lower
        yield f"{name}_upper", interval.upper


def main() -> None:
    """Answer the question on standard input."""
    if hasattr(os, "nice"):  # Windows has none
        os.nice(NICE)
    try:
        doubts: list[str] = []
        told: dict[str, object] = {
            "metrics": answer(pickle.load(sys.stdin.buffer), doubts.append),
            "doubts": doubts,
        }
    except Exception as error:
        told = {"problem": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
