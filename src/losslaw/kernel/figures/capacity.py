"""Higher capacity is more efficient, decay improves, a stable phase before the decay improves more.

The three claims of arXiv:2509.19189, Sec. 5, in exact risks. The first one compares models of
different capacity on *one target*. A target fixes ``lambda_j theta*_j^2 = j^-(1 + alpha)``, its
intrinsic difficulty ``alpha = s beta``, and so the source ``s = alpha / beta`` falls as beta grows
(at a fixed *source* the target changes with the model, and the comparison reads the other way). The
problem is easy while ``beta <= 1 + alpha``.

====================== ================== ============== ================== ================
risk exponent          data, easy         data, hard     compute, easy      compute, hard
====================== ================== ============== ================== ================
constant               alpha/(alpha+beta) the same       alpha/(1+alpha+beta) the same
decay                  alpha/(1+alpha)    alpha/beta     alpha/(2+alpha)    alpha/(1+beta)
====================== ================== ============== ================== ================

So at a constant rate every bit of capacity helps, and with a decay the exponent stops improving
once the problem is easy.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import FAINT, cycled, new_figure
from losslaw.kernel.agreement import Pair, best, scaling_pair
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    NAMES,
    THEORY,
    Axes,
    Figure,
    legend,
    log_log,
    quiet,
    short,
    theory_line,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.theory import Exponents, scaling
from losslaw.kernel.theory.scaling import Limited
from losslaw.numerics.arrays import FloatArray

SCHEDULES = ("constant", "exponential", "wsd")
# Of capacities.
SHADES = [cycled(i, marks=True) for i in (0, 5, 3, 1, 2, 6)]
# Budgets at which a model of fixed size is looked at.
AROUND = 9
SIDES: tuple[Limited, Limited] = ("data", "compute")
# Where exponents are measured: data, compute.
DECADES = ((1e11, 1e12), (1e17, 1e18))
LETTER = {"data": "D", "compute": "C"}


@dataclass(frozen=True)
class Entry:
    """The best risk of a schedule at a budget.

    Attributes:
        difficulty: alpha.
        capacity: beta.
        limited: What the budget counts.
        schedule: Its name.
        budget: D or C.
        modes: M, the best one if compute is limited, or a fixed one.
        risk: Excess risk.
        frontier: Whether M is the best one.
    """

    difficulty: float
    capacity: float
    limited: Limited
    schedule: str
    budget: float
    modes: float
    risk: float
    frontier: bool = True


@dataclass(frozen=True)
class Capacity:
    """Risk against data and against compute, models of several capacities on one target.

    Noise 1, batch 1, peaks up to .9 of the largest stable rate, everything else at its exact
    optimum; against compute, the frontier over M, with the runs of fixed M that it touches.

    Attributes:
        difficulties: alpha of the targets, one column of panels each.
        capacities: beta of the models.
        data: Samples.
        compute: Compute, M D.
        compared: An easy and a hard capacity of the first target, for constant rate, direct decay
            and WSD.
        modes: Sizes of the models whose own curves are drawn, first target and second capacity
            compared.
    """

    name: ClassVar[str] = "capacity"
    title: ClassVar[str] = "one target, several capacities: capacity, decay and a stable phase pay"

    difficulties: tuple[float, ...] = (0.6, 1.5)
    capacities: tuple[float, ...] = (1.2, 1.5, 2.0, 3.0, 5.0)
    data: tuple[float, ...] = (1e3, 1e4, 1e6, 1e8, 1e9, 1e11, 1e12)
    compute: tuple[float, ...] = (1e5, 1e7, 1e9, 1e11, 1e13, 1e15)
    compared: tuple[float, float] = (1.5, 3.0)
    modes: tuple[float, ...] = (10.0, 100.0, 1000.0)

    def run(self, work: Work) -> Result:
        """Tune everything, draw a panel for each target and budget, and two of the schedules."""
        first = self.difficulties[0]
        budgets: dict[Limited, tuple[float, ...]] = {"data": self.data, "compute": self.compute}
        work.expect(
            sum(map(len, budgets.values()))
            * (len(self.difficulties) * len(self.capacities) + 2 * len(self.compared))
            + len(self.modes) * AROUND
        )
        entries: list[Entry] = []

        def measure(
            alpha: float, beta: float, limited: Limited, schedule: str, modes: float | None = None
        ) -> None:
            at = budgets[limited]
            if modes is not None:  # from a hundred samples to a hundred times what M can learn
                ends = 100 * modes, 100 * modes ** (beta + 1)
                at = _places(*ends)
            for budget in at:
                found = best(
                    Exponents.at_difficulty(alpha, beta),
                    schedule,
                    budget,
                    limited=limited,
                    modes=modes,
                )
                place = alpha, beta, limited, schedule, budget, found.modes, found.risk
                entries.append(Entry(*place, frontier=modes is None))
                work.tick(1)

        for limited in SIDES:
            for alpha in self.difficulties:
                for beta in self.capacities:
                    work.say(f"{limited}: alpha = {alpha:g}, beta = {beta:g}")
                    measure(alpha, beta, limited, "wsd")
            for beta in self.compared:
                for schedule in ("constant", "exponential"):
                    measure(first, beta, limited, schedule)
        for modes in self.modes:
            measure(first, self.compared[1], "compute", "wsd", modes)

        figure = new_figure(4.2 * (len(self.difficulties) + 1), 7.6)
        axes = figure.subplots(2, len(self.difficulties) + 1, squeeze=False)
        for row, limited in zip(axes, SIDES, strict=True):
            for ax, alpha in zip(row, self.difficulties, strict=False):
                self._capacities_panel(ax, entries, limited, alpha)
            self._schedules_panel(row[-1], entries, limited)
        return self._result(figure, entries)

    def _capacities_panel(
        self, ax: Axes, entries: list[Entry], limited: Limited, alpha: float
    ) -> None:
        if limited == "compute" and alpha == self.difficulties[0]:
            for i, modes in enumerate(self.modes):
                one = [e for e in entries if not e.frontier and e.modes == modes]
                words = (
                    f"beta = {self.compared[1]:g}, M = {', '.join(f'{m:g}' for m in self.modes)}"
                )
                ax.plot(*_line(one), color=FAINT, lw=0.9, zorder=1, label=None if i else words)
        for beta, style in zip(self.capacities, SHADES, strict=False):
            curve = _line(_some(entries, alpha, beta, limited, "wsd"))
            side = "easy" if Exponents.at_difficulty(alpha, beta).easy else "hard"
            ax.plot(*curve, ms=3.5, lw=1.2, **style, label=f"beta = {beta:g}, {side}")
        log_log(ax)
        ax.set_xlabel("samples D" if limited == "data" else "compute C = M D")
        ax.set_ylabel("excess risk of the best WSD")
        legend(ax, loc="lower left", fontsize=7.5)
        quiet(ax, f"{limited}: one target, alpha = {alpha:g}")

    def _schedules_panel(self, ax: Axes, entries: list[Entry], limited: Limited) -> None:
        alpha = self.difficulties[0]
        for beta, dash, face in zip(self.compared, ("-", "--"), (None, "white"), strict=True):
            exponents = Exponents.at_difficulty(alpha, beta)
            for schedule in SCHEDULES:
                x, y = _line(_some(entries, alpha, beta, limited, schedule))
                if not x:
                    continue
                color = COLORS[schedule]
                side = "easy" if exponents.easy else "hard"
                ax.plot(
                    x, y, MARK[schedule] + dash, ms=3.5, lw=1.1, color=color, mfc=face or color,
                    label=f"beta = {beta:g} ({side}), {NAMES[schedule]}",
                )  # fmt: skip
                late = np.array(x[-3:])
                shape = [scaling(exponents, schedule, n, limited=limited).risk.value for n in late]
                theory_line(ax, late, shape, at=late[-1], through=y[-1], lw=0.8)
        ax.plot([], [], **{**THEORY, "lw": 0.8}, label="slope of the theory")
        log_log(ax)
        ax.set_xlabel("samples D" if limited == "data" else "compute C = M D")
        ax.set_ylabel("excess risk")
        legend(ax, loc="lower left", fontsize=7)
        quiet(ax, f"{limited}: schedules, alpha = {alpha:g}")

    def _result(self, figure: Figure, entries: list[Entry]) -> Result:
        numbers: dict[str, float] = {}
        rows: list[list[object]] = []
        pairs: dict[tuple[float, float, str, str], Pair] = {}
        for limited, decade in zip(SIDES, DECADES, strict=True):
            for alpha in self.difficulties:
                for beta in self.capacities:
                    exponents = Exponents.at_difficulty(alpha, beta)
                    side = "easy" if exponents.easy else "hard"
                    for schedule in ("constant", "wsd"):
                        pair = scaling_pair(exponents, schedule, decade, limited=limited)
                        pairs[alpha, beta, limited, schedule] = pair
                        place = [alpha, beta, exponents.source, side, limited, schedule]
                        rows.append([*place, *decade, -pair.measured, -pair.predicted])
        for entry in entries:
            if entry.schedule == "wsd" and entry.frontier:
                key = f"{entry.limited}_{entry.difficulty:g}_{entry.capacity:g}_{entry.budget:g}"
                numbers[key] = entry.risk
        numbers["worst_gap"] = max(abs(pair.gap) for pair in pairs.values())

        def said(alpha: float, limited: Limited, budget: float) -> str:
            here = [
                next(e.risk for e in _some(entries, alpha, beta, limited, "wsd")
                     if e.budget == budget)
                for beta in self.capacities
            ]  # fmt: skip
            return f"alpha = {alpha:g}: " + ", ".join(f"{risk:.1e}" for risk in here)

        at: dict[Limited, float] = {"data": self.data[-3], "compute": self.compute[-3]}
        lines = {
            limited: "; ".join(said(alpha, limited, at[limited]) for alpha in self.difficulties)
            for limited in SIDES
        }
        alpha, (easy, hard) = self.difficulties[0], self.compared
        ratios: list[str] = []
        for limited in SIDES:
            for beta in (easy, hard):
                final = [_some(entries, alpha, beta, limited, name)[-1].risk for name in SCHEDULES]
                numbers[f"decay_gain_{limited}_{beta:g}"] = final[0] / final[1]
                numbers[f"wsd_gain_{limited}_{beta:g}"] = final[1] / final[2]
                ratios.append(
                    f"{LETTER[limited]}, beta = {beta:g}: {final[0] / final[1]:.3g} and"
                    f" {final[1] / final[2]:.3g}"
                )
        low = [b for b in self.capacities if Exponents.at_difficulty(alpha, b).easy]
        slopes = ", ".join(f"{-pairs[alpha, b, 'data', 'wsd'].measured:.3f}" for b in low)
        flat = ", ".join(f"{-pairs[alpha, b, 'data', 'constant'].measured:.3f}" for b in low)
        paragraph = (
            "(i) One target, models of capacity beta = "
            + ", ".join(f"{beta:g}" for beta in self.capacities)
            + f" (a small beta is high capacity). Best WSD risk at {short(at['data'])} samples,"
            f" {lines['data']}. At compute {short(at['compute'])}, {lines['compute']}. Higher"
            " capacity is more efficient, in data and in compute, in both regimes. The nuance: with"
            f" a decay the exponent stops improving once the problem is easy (alpha = {alpha:g},"
            f" beta = {', '.join(f'{b:g}' for b in low)}: {slopes}, theory"
            f" {alpha / (1 + alpha):.3f}), and what capacity still buys is a constant; at a"
            f" constant rate it goes on ({flat}, theory alpha/(alpha + beta)). (ii) Decay improves,"
            f" (iii) WSD beats direct decay: at the largest budgets and alpha = {alpha:g}, risks of"
            " constant over exponential, and of exponential over WSD, are, against "
            + "; ".join(ratios)
            + f". All exponents are within {numbers['worst_gap']:.3f} of the theory at 1e11 to 1e12"
            " samples and 1e17 to 1e18 of compute."
        )
        header = ["difficulty", "capacity", "source", "regime", "limited", "schedule", "from", "to"]
        curves = [
            [e.difficulty, e.capacity, e.limited, e.schedule, e.budget, e.modes, e.risk]
            for e in entries
        ]
        names = ["difficulty", "capacity", "limited", "schedule", "budget", "modes", "excess_risk"]
        tables = {
            "": table(names, curves),
            "exponents": table([*header, "measured", "predicted"], rows),
        }
        return Result(figure=figure, tables=tables, paragraph=paragraph, numbers=numbers)


def _some(
    entries: list[Entry], alpha: float, beta: float, limited: Limited, schedule: str
) -> list[Entry]:
    place = alpha, beta, limited, schedule, True
    return [
        e for e in entries if (e.difficulty, e.capacity, e.limited, e.schedule, e.frontier) == place
    ]


def _places(first: float, last: float) -> tuple[float, ...]:
    places: FloatArray = np.geomspace(first, last, AROUND)
    return tuple(float(place) for place in places)


def _line(entries: list[Entry]) -> tuple[list[float], list[float]]:
    return [e.budget for e in entries], [e.risk for e in entries]
