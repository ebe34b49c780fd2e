"""A constant rate with averaged iterates, against WSD: how risk falls with data.

A constant rate ``gamma`` has learned as much as its intrinsic time ``T = gamma D`` allows, and the
mean of the iterates over a share of the run forgets their noise: of every mode that had time to
come to rest a ``1/D`` is left, of ``T^(1/beta)`` modes together ``sigma^2 T^(1/beta) / D``. That is
the balance of the power decay (`losslaw.kernel.theory.scaling`, schedule ``average``), with no
logarithm and no beta to know:

    easy  D^-(s beta/(1+s beta)), rate D^-((1+s beta-beta)/(1+s beta));     hard  D^-s, largest rate

Peak and start of the tail average, and peak and memory of the exponential one, are tuned here in
the exact dynamics; the others as in the other studies. Derived here.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import cycled, new_figure
from losslaw.kernel.agreement import best, cap
from losslaw.kernel.agreement.optimum import lowest, world
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    NAMES,
    Axes,
    Figure,
    legend,
    local_slopes,
    log_log,
    quiet,
    short,
    theory_line,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.theory import Exponents, scaling
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import constant
from losslaw.schedules.averages import Ema, TailAverage

# The averages, beside the schedules.
AVERAGES = {"tail average": cycled(1, marks=True), "EMA": cycled(5, marks=True)}
SHADES = [cycled(i, marks=True) for i in range(4)]


@dataclass(frozen=True)
class Averaging:
    """Tail averages and EMA of a constant rate beside constant rate, WSD and power decay.

    Infinitely many modes, noise 1, batch 1, peaks up to .9 of the largest stable rate.

    Attributes:
        problems: Source and capacity; the first two are drawn, an easy and a hard one.
        budgets: Numbers of updates, each written out for an average.
    """

    name: ClassVar[str] = "averaging"
    title: ClassVar[str] = "a constant rate with averaged iterates against WSD, easy and hard"

    problems: tuple[tuple[float, float], ...] = ((1.0, 2.0), (0.5, 4.0), (1.0, 4.0), (0.3, 2.0))
    budgets: tuple[float, ...] = (1e3, 1e4, 1e5, 1e6)

    def run(self, work: Work) -> Result:
        """Tune everything, draw an easy and a hard problem, and all ratios to WSD."""
        work.expect(len(self.problems) * len(self.budgets))
        risks: dict[tuple[float, float], dict[str, list[float]]] = {}
        for problem in self.problems:
            exponents = Exponents(*problem)
            here: dict[str, list[float]] = {}
            for n in self.budgets:
                work.say(f"({problem[0]:g}, {problem[1]:g}), {short(n)} updates")
                for schedule in ("constant", "wsd", "power"):
                    here.setdefault(schedule, []).append(best(exponents, schedule, n).risk)
                for kind in ("tail average", "EMA"):
                    here.setdefault(kind, []).append(best_average(exponents, kind, round(n))[0])
                work.tick(1)
            risks[problem] = here
        figure = new_figure(12, 4.0)
        axes = figure.subplots(1, 3)
        for ax, problem in zip(axes[:2], self.problems, strict=False):
            self._risks_panel(ax, problem, risks[problem])
        self._ratios_panel(axes[2], risks)
        return self._result(figure, risks)

    def _risks_panel(
        self, ax: Axes, problem: tuple[float, float], risks: dict[str, list[float]]
    ) -> None:
        exponents = Exponents(*problem)
        for kind, values in risks.items():
            words = NAMES.get(kind, kind)
            style = AVERAGES.get(kind) or {"color": COLORS[kind], "marker": MARK[kind]}
            ax.plot(self.budgets, values, **style, ms=4, lw=1.2, label=words)
        shape = [scaling(exponents, "average", n).risk.value for n in self.budgets]
        last = risks["tail average"][-1]
        theory_line(ax, self.budgets, shape, at=self.budgets[-1], through=last,
                    label="theory of averages, through the last point")  # fmt: skip
        log_log(ax)
        ax.set_xlabel("updates D, batch 1")
        ax.set_ylabel("final excess risk, all tuned")
        legend(ax, loc="lower left")
        side = "easy" if exponents.easy else "hard"
        quiet(ax, f"{side}: s = {problem[0]:g}, beta = {problem[1]:g}")

    def _ratios_panel(
        self, ax: Axes, risks: dict[tuple[float, float], dict[str, list[float]]]
    ) -> None:
        for (problem, here), style in zip(risks.items(), SHADES, strict=False):
            side = "easy" if Exponents(*problem).easy else "hard"
            words = f"({problem[0]:g}, {problem[1]:g}), {side}"
            ratio = np.array(here["wsd"]) / np.array(here["tail average"])
            ax.plot(self.budgets, ratio, **style, ms=4, label=words)
        ax.axhline(1, color="#000000", lw=0.8)
        ax.set_xscale("log")
        ax.set_xlabel("updates D, batch 1")
        ax.set_ylabel("excess risk of WSD / of the tail average")
        legend(ax)
        quiet(ax, "WSD over a constant rate, tail averaged")

    def _result(
        self, figure: Figure, risks: dict[tuple[float, float], dict[str, list[float]]]
    ) -> Result:
        numbers: dict[str, float] = {}
        said: list[str] = []
        rows: list[list[object]] = []
        last = self.budgets[-2:]
        for problem, here in risks.items():
            exponents = Exponents(*problem)
            theory = scaling(exponents, "average", last[1]).risk.power
            assert theory is not None
            key = f"{problem[0]:g}_{problem[1]:g}"
            measured = -float(local_slopes(last, here["tail average"][-2:])[0])
            ratio = here["wsd"][-1] / here["tail average"][-1]
            numbers |= {
                f"slope_{key}": measured,
                f"theory_{key}": -theory.exponent,
                f"wsd_over_average_{key}": ratio,
                f"ema_over_average_{key}": here["EMA"][-1] / here["tail average"][-1],
                f"power_over_average_{key}": here["power"][-1] / here["tail average"][-1],
            }
            said.append(
                f"({problem[0]:g}, {problem[1]:g}), {'easy' if exponents.easy else 'hard'}:"
                f" {measured:.3f} ({-theory.exponent:.3f}) and {ratio:.2f}"
            )
            for i, n in enumerate(self.budgets):
                rows.append([*problem, n, *(values[i] for values in here.values())])
        paragraph = (
            "Tail averages of a constant rate, peak and start tuned, against data. Local slopes of"
            f" the excess risk at {short(last[0])} to {short(last[1])} updates (theory), and how"
            f" many times higher the risk of the best WSD is: {'; '.join(said)}. In the easy regime"
            " the average has the exponent of the best power decay without a logarithm and without"
            " knowing beta; in the hard one everything but the constant rate falls as D^-s, and the"
            " average stays at the largest rate. An exponential average, memory tuned, is"
            f" {min(v for k, v in numbers.items() if k.startswith('ema')):.2f} to"
            f" {max(v for k, v in numbers.items() if k.startswith('ema')):.2f} times higher."
        )
        header = ["source", "capacity", "updates", *next(iter(risks.values()))]
        return Result(
            figure=figure, tables={"": table(header, rows)}, paragraph=paragraph, numbers=numbers
        )


def best_average(exponents: Exponents, kind: str, updates: int) -> tuple[float, float, float]:
    """Lowest final risk of an average of a constant rate, its rate and its share of the run.

    Args:
        exponents: Source and capacity.
        kind: ``tail average``, over the last ``share`` of the run, or ``EMA``, whose memory
            ``1 / (1 - decay)`` is ``share`` of it.
        updates: Horizon.
    """
    problem, top = world(exponents), math.log(cap(exponents))
    guess = min(math.log(scaling(exponents, "average", float(updates)).peak.value), top - 0.1)

    def at(logs: FloatArray) -> tuple[float, float]:
        return math.exp(min(float(logs[0]), top)), 1 / (1 + math.exp(-float(logs[1])))

    def height(logs: FloatArray) -> float:
        peak, share = at(logs)
        window = max(share * updates, 1.0)
        average = (
            TailAverage(start=min(round(updates - window), updates - 1))
            if kind == "tail average"
            else Ema(decay=1 - 1 / max(window, 1.0))
        )
        run = constant(peak=peak, horizon=updates)
        risk = problem.excess_risk(run, average=average)[0]
        return math.log(risk) + max(float(logs[0]) - top, 0.0)

    start = np.array([guess, 0.5 if kind == "tail average" else -2.0])
    logs = lowest(height, start)
    return math.exp(height(logs)), *at(logs)
