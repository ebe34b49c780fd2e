"""Predictions and measurements of the second trial side by side, and the figure."""

import json
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import losslaw as ll
from losslaw.drawing.axes import rows_below
from losslaw.drawing.style import INK, LETTERS, cycled, dressed, new_figure, quiet, titled
from losslaw.lab.training import complete
from losslaw.views import plot_schedule
from validation.page import markdown, save, sections
from validation.proof.measure import Measured, ends_of
from validation.proof_12000.train import CONFIG, HORIZON, PREDICTIONS, plan, schedules, seen

TITLES = {
    "design": "design",
    "wsd_1-sqrt": "WSD, 1-sqrt over the last 20 %",
    "wsd": "WSD, linear over the last 20 %",
    "wsd_1-sqrt_40": "WSD, 1-sqrt over the last 40 %",
    "linear": "linear to 0",
    "cosine": "cosine to 10 %",
}


@cache
def predictions() -> Any:
    """What was written before the runs."""
    return json.loads(PREDICTIONS.read_text(encoding="utf-8"))


@cache
def finals() -> dict[str, Measured]:
    """Measured losses after the last update, of the schedules that were trained."""
    ends = {
        name.removeprefix(f"{HORIZON}_"): end
        for name, end in ends_of(plan(), evaluations=1).items()
    }
    (shipped,) = ll.bundled_curves([f"cosine_peak3e-3_T{HORIZON}"])
    ends["cosine"] = Measured({0: float(shipped.loss[-1])})
    return {name: ends[name] for name in TITLES if name in ends}


def gains_of_design() -> dict[str, Measured]:
    """How much lower the design ends than each, by the seeds that both have."""
    design = finals().get("design", Measured({}))
    return {name: design.below(end) for name, end in finals().items() if name != "design"}


def _row(name: str, expected: dict[str, float], value: float, measured: Measured, sign: str = ""):
    lower, upper = expected["lower"], expected["upper"]
    row = [TITLES[name], f"{value:{sign}.4f}", f"{lower:{sign}.4f}..{upper:{sign}.4f}"]
    if not measured.by_seed:
        return [*row, "", "", "", ""]
    inside = "yes" if lower <= measured.mean <= upper else "no"
    return [*row, *measured.words(sign), f"{value - measured.mean:+.4f}", inside]


def losses() -> list[str]:
    """Final losses, nats per byte"""
    nothing = Measured({})
    body = [
        _row(name, expected, expected["loss"], finals().get(name, nothing))
        for name in TITLES
        for expected in [predictions()["final"][name]]
    ]
    head = ("schedule", "predicted", "90 % interval", "measured", "seeds 0, 1, 2", "off", "inside")
    return markdown(head, body)


def gains() -> list[str]:
    """Gains of the design: how much lower it ends, nats per byte"""
    nothing = Measured({})
    body = [
        _row(name, expected, expected["gain"], gains_of_design().get(name, nothing), "+")
        for name in TITLES
        if name != "design"
        for expected in [predictions()["gains"][name]]
    ]
    head = ("over", "predicted", "90 % interval", "measured", "seeds 0, 1, 2", "off", "inside")
    return markdown(head, body)


def certainty() -> list[str]:
    """What the mixture said of its own certainty

    Parts of the fitted logs were kept back, and foretold by each law fitted to the rest: the root
    mean square errors, in nats, and what each law counts after that.
    """
    trust = predictions()["trust"]
    members = [member["name"] for member in trust["members"]]
    body = [
        [test["what"], *(f"{test['rmse'][name]:.4f}" for name in members)]
        for test in trust["foretold"]
    ]
    body.append(["**weight**", *(f"{member['weight']:.3f}" for member in trust["members"])])
    return [f"> {trust['sentence']}", "", *markdown(("kept back", *members), body)]


def afterwards() -> list[str]:
    """Predicted minus measured final losses of seed 0: is it the level, or the order?

    `spread` is the standard deviation of a fit's errors over schedules: what is the same for all
    does not change which one is chosen; `would choose` is the schedule it puts first. `auto` is
    what this version expects from the same runs, and from those with the shipped run of 12,000
    updates at a constant rate; the laws after it are fitted alone.
    """
    names = [name for name, end in finals().items() if 0 in end.by_seed]
    ready = {name: complete(schedules()[name], CONFIG) for name in names}
    then = predictions()["final"]
    answers = {"as predicted before": [float(then[name]["loss"]) for name in names]}
    longer = [*seen(), *ll.bundled_curves([f"constant_peak3e-3_T{HORIZON}"])]
    fits = {"auto": ll.fit(seen()), "auto, and the constant run": ll.fit(longer)}
    fits |= {law: ll.fit(seen(), law, uncertainty=False) for law in ll.LAWS}
    for title, fit in fits.items():
        answers[title] = [float(fit.predict(ready[name], [HORIZON]).loss[0]) for name in names]
    measured = np.array([finals()[name].by_seed[0] for name in names])
    body: list[list[str]] = []
    for title, expected in answers.items():
        errors = np.array(expected) - measured
        first = TITLES[names[int(np.argmin(expected))]]
        body.append([title, *(f"{error:+.4f}" for error in errors), f"{errors.std():.4f}", first])
    return markdown(("fit", *(TITLES[name] for name in names), "spread", "would choose"), body)


def figure() -> Figure:
    """The schedules; the losses at their ends and the gains of the design, with their intervals."""
    drawn = new_figure(8.6, 3.0)
    left, middle, right = map(dressed, drawn.subplots(1, 3, width_ratios=(1, 0.8, 0.8)))
    names = list(finals())
    for i, name in enumerate(names):
        plot_schedule(schedules()[name], left, **cycled(i, lw=1.2 + (name == "design")))
    titled(left, "the schedules")
    _ends(middle, names, {n: predictions()["final"][n] for n in names}, "loss", finals())
    for i, label in enumerate(middle.get_yticklabels()):
        label.set_color(cycled(i)["color"])
    titled(middle, "final loss", side="right")
    _ends(right, names, predictions()["gains"], "gain", gains_of_design())
    right.axvline(0, color=INK, lw=0.8)
    right.set_yticklabels([])
    titled(right, "how much lower the design ends")
    told = "predicted: x and 90 % interval; measured: a mark for each seed"
    drawn.supxlabel(told, fontsize=LETTERS)
    return drawn


def _ends(
    ax: Axes, names: list[str], expected: Any, value: str, measured: dict[str, Measured]
) -> None:
    rows = rows_below(ax, [TITLES[name] for name in names])
    for i, name in enumerate(names):
        if name not in expected:
            continue
        told = expected[name]
        ax.plot([told["lower"], told["upper"]], [rows[i]] * 2, color=INK, lw=1)
        ax.plot(told[value], rows[i], "x", color=INK, ms=6)
        ends = list(measured[name].by_seed.values())
        marks = cycled(i, marks=True, ls="none", ms=4.5, alpha=0.8)
        ax.plot(ends, [rows[i]] * len(ends), **marks)
    quiet(ax, "nats per byte", "")


def table() -> str:
    """Predictions and measurements side by side; draws the figure too."""
    save(figure(), "proof_12000.png")
    missing = [run.label for run in plan() if not run.done]
    first = f"Not trained: {', '.join(missing)}. `--train` makes them.\n\n" if missing else ""
    return first + sections((losses, gains, certainty, afterwards), "proof_12000")
