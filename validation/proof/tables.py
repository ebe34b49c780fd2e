"""Predictions and measurements side by side, and the figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.drawing.axes import rows_below, update_axis
from losslaw.drawing.style import INK, LETTERS, UPDATE, cycled, dressed, new_figure, quiet, titled
from losslaw.views import plot_schedule
from validation.page import markdown, save, sections
from validation.proof.measure import TITLES, finals, gain, predictions
from validation.proof.train import (
    COMMON,
    DESIGNS,
    LAST,
    LONG,
    ORDER,
    Planned,
    long_plan,
    schedules,
    seen_plan,
)


def losses() -> list[str]:
    """Final losses, nats per byte"""
    expected = predictions()["final"]
    body = [
        [
            TITLES[name],
            f"{expected[name]['loss']:.4f}",
            f"{expected[name]['lower']:.3f}..{expected[name]['upper']:.3f}",
            *finals()[name].words(),
            finals(1)[name].words()[0],
        ]
        for name in TITLES
    ]
    head = ("schedule", "predicted", "90 % interval", "measured", "seeds 0, 1, 2", "last alone")
    return markdown(head, body)


def gains() -> list[str]:
    """Gains of the designs: how much lower they end, nats per byte"""
    written = predictions()["gains"]
    body: list[list[str]] = []
    for name in DESIGNS:
        for other, expected in written[name].items():
            value, half = expected["gain"], expected["half"]
            measured = gain(name, other)
            inside = ""
            if measured.by_seed:
                inside = "yes" if abs(measured.mean - value) <= half else "no"
            interval = f"{value - half:+.3f}..{value + half:+.3f}"
            body.append(
                [
                    TITLES[name],
                    TITLES[other],
                    f"{value:+.4f}",
                    interval,
                    *measured.words("+"),
                    inside,
                    gain(name, other, 1).words("+")[0],
                ]
            )
    head = ("design", "over", "predicted", "90 % interval", "measured", "seeds 0, 1, 2", "inside")
    head = (*head, "last alone")
    return markdown(head, body)


def afterwards() -> list[str]:
    """Predicted minus observed final losses of seed 0: is it the cheap runs, or the law?"""
    cheap = [run.curve() for run in seen_plan()]
    long = {
        name: run.curve()
        for name in ORDER
        if (run := Planned(f"{name}_seed0", schedules()[name], 0)).done
    }
    both = [*cheap, *long.values()]
    fits: list[tuple[str, Sequence[LossCurve], str, list[str] | None]] = [
        ("auto", cheap, "auto", None),
        ("auto, on the long runs too", both, "auto", None),
        ("the same, r, a and q free", both, "auto", ["alpha", "r", "a", "q"]),
        *((law, cheap, law, None) for law in ll.LAWS if law != "effective"),
    ]
    then = predictions()["final"]
    answers = {"as predicted before": {name: float(then[name]["loss"]) for name in long}}
    for title, curves, law, free in fits:
        fitted = ll.fit(curves, law, free=free, uncertainty=False).law
        answers[title] = {
            name: float(fitted.predict(c.schedule, LAST).mean()) for name, c in long.items()
        }
    body: list[list[str]] = []
    for title, losses_of in answers.items():
        errors = {name: losses_of[name] - curve.final_loss for name, curve in long.items()}
        body.append(
            [
                title,
                *[f"{error:+.4f}" for error in errors.values()],
                f"{np.std(list(errors.values())):.4f}",
                TITLES[min(losses_of, key=lambda name: losses_of[name])],
            ]
        )
    head = ("fit", *[TITLES[name] for name in long], "spread", "would choose")
    return markdown(head, body)


def figure() -> Figure:
    """The schedules, their measured losses over the last half, and where they end."""
    drawn = new_figure(8.6, 3.6)
    left, middle, right = map(dressed, drawn.subplots(1, 3, width_ratios=(1, 1.1, 0.9)))
    expected = predictions()["final"]
    done = {run.label: run for run in long_plan() if run.done}
    shown = {name: title for name, title in TITLES.items() if finals()[name].by_seed}
    rows = rows_below(right, list(shown.values()))
    for i, (name, title) in enumerate(shown.items()):
        style = cycled(i, lw=2.2 if name in DESIGNS else 1.2)
        plot_schedule(schedules()[name], left, label=title, **style)
        curves = [
            done[f"{name}_seed{seed}"].curve() for seed in COMMON if f"{name}_seed{seed}" in done
        ]
        if len(curves) == len(COMMON):
            steps = curves[0].steps
            mean = np.mean([curve.loss for curve in curves], axis=0)
            middle.plot(steps[steps >= LONG // 2], mean[steps >= LONG // 2], **style)
        ends = list(finals()[name].by_seed.values())
        marks = cycled(i, marks=True, ls="none", ms=4.5, alpha=0.8)
        right.plot(ends, [rows[i]] * len(ends), **marks)
        right.plot(expected[name]["loss"], rows[i], "x", color=INK, ms=6)
    titled(left, "the schedules")
    drawn.legend(loc="outside lower center", ncols=4, fontsize=LETTERS, frameon=False)
    quiet(middle, UPDATE, "validation loss (nats per byte)")
    update_axis(middle, LONG, first=LONG // 2)
    titled(middle, "measured, mean of seeds 0 and 1")
    quiet(right, "final loss (nats per byte)", "")
    titled(right, "final: each seed, predicted (x)", side="right")
    return drawn


def table() -> str:
    """Predictions and measurements side by side; draws the figure too."""
    save(figure(), "proof.png")
    missing = [run.label for run in long_plan() if not run.done]
    first = f"Not trained: {', '.join(missing)}. `--train` makes them.\n\n" if missing else ""
    return first + sections((losses, gains, afterwards), "proof")
