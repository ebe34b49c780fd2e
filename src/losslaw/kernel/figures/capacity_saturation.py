"""Shapes that cannot use the capacity: linear and cosine decays beside the optimal power.

With the shape ``(1-z)^g`` of the decay fixed and only the peak tuned, SGD behaves like a model of
capacity ``alpha = min(beta, g + 1)`` (arXiv:2602.06797): risk ``N^-(s alpha/(1 + s alpha))`` if
``s >= 1 - 1/alpha``. Linear to zero has alpha = 2 at most, cosine to zero 3, and any final rate
above zero 1 in the end. The risks here are exact means of SGD at the best peak, at any horizon.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import INK, new_figure
from losslaw.kernel.agreement import Pair, best, scaling_pair, slope
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    THEORY,
    Axes,
    Figure,
    legend,
    local_slopes,
    power_of_ten,
    quiet,
    short,
    theory_line,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.theory import Exponents, effective_capacity, scaling

Decade = tuple[float, float]


@dataclass(frozen=True)
class CapacitySaturation:
    """Linear, cosine and power decays, and floors under them.

    The papers leave open: infinitely many modes, noise 1 and batch 1, so that nothing but data is
    limited; s = 1, easy for every shape, where the loss of capacity shows in the exponent (in the
    hard regime all shapes have ``N^-s``); peaks up to .9 of the largest stable rate.

    Attributes:
        source: s.
        capacities: Of the middle panel; the first one in the other two.
        budgets: Numbers of updates in the left and right panels.
        near: A decade that can be run.
        far: A decade in which theory has set in.
        exponents: g of the middle panel.
        floors: Final rates as shares of the peak, right panel.
    """

    name: ClassVar[str] = "capacity-saturation"
    title: ClassVar[str] = "shape-fixed linear, cosine and power decays: the capacity they can use"

    source: float = 1.0
    capacities: tuple[float, ...] = (4.0, 2.0)
    budgets: tuple[float, ...] = tuple(10.0**k for k in range(3, 13))
    near: Decade = (1e6, 1e7)
    far: Decade = (1e23, 1e24)
    exponents: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
    floors: tuple[float, ...] = (0.1, 0.01)

    def run(self, work: Work) -> Result:
        """Tune every peak, draw three panels."""
        low = Exponents(self.source, self.capacities[0])
        shapes = {"linear": 1.0, "cosine": 2.0, "power": 2 * low.capacity - 1}
        work.expect(
            len(self.budgets) * (len(shapes) + len(self.floors))
            + 2 * len(self.capacities) * len(self.exponents)
        )
        risks: dict[str, list[float]] = {}
        for shape in shapes:
            work.say(f"{shape} decay")
            risks[shape] = [self._risk(work, low, shape, n) for n in self.budgets]
        for floor in self.floors:
            work.say(f"a floor of {floor:g}")
            risks[f"cosine_floor_{floor:g}"] = [
                self._risk(work, low, "cosine", n, floor) for n in self.budgets
            ]
        work.say("every shape, every capacity")
        used = {
            (beta, decade): [
                self._capacity(work, Exponents(self.source, beta), g, decade)
                for g in self.exponents
            ]
            for beta in self.capacities
            for decade in (self.near, self.far)
        }
        slopes = {
            shape: scaling_pair(low, "power", self.far, exponent=g) for shape, g in shapes.items()
        }
        figure = new_figure(12, 3.9)
        one, two, three = figure.subplots(1, 3)
        self._risks_panel(one, low, shapes, risks)
        self._capacity_panel(two, used)
        self._floor_panel(three, risks)
        return _result(self, figure, slopes, risks, used)

    def _risk(
        self, work: Work, exponents: Exponents, shape: str, budget: float, floor: float = 0.0
    ) -> float:
        risk = best(exponents, shape, budget, floor=floor).risk
        work.tick(1)
        return risk

    def _capacity(self, work: Work, exponents: Exponents, g: float, decade: Decade) -> Pair:
        """Capacity that explains the slope: ``sigma = s alpha / (1 + s alpha)`` for alpha."""
        relation = scaling(exponents, "power", decade[1], exponent=g).risk
        assert relation.power is not None
        first, last = (best(exponents, "power", n, exponent=g).risk for n in decade)
        steep = -slope(decade, (first, last), relation.power.log_power)
        work.tick(1)
        return Pair(steep / (1 - steep) / self.source, effective_capacity(exponents, g).value)

    def _risks_panel(
        self,
        ax: Axes,
        low: Exponents,
        shapes: dict[str, float],
        risks: dict[str, list[float]],
    ) -> None:
        budgets = np.array(self.budgets)
        labels = {
            "linear": f"linear: alpha = {min(2.0, low.capacity):g}",
            "cosine": f"cosine: alpha = {min(3.0, low.capacity):g}",
            "power": f"$(1-z)^{{{shapes['power']:g}}}$: alpha = {low.capacity:g}",
        }
        optimal = low.source * low.capacity / (1 + low.source * low.capacity)
        flat = budgets**optimal
        for shape, g in shapes.items():
            ax.plot(
                budgets,
                risks[shape] * flat,
                MARK[shape],
                ms=4,
                color=COLORS[shape],
                label=labels[shape],
            )
            theory = [scaling(low, "power", n, exponent=g).risk.value for n in budgets]
            theory_line(
                ax, budgets, theory * flat, at=budgets[-1], through=risks[shape][-1] * flat[-1]
            )
        ax.plot([], [], **THEORY, label="theory, through the last point")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("updates N, batch 1")
        ax.set_ylabel(f"final excess risk $\\times\\, N^{{{optimal:.2g}}}$, best peak")
        legend(ax, loc="upper left")
        quiet(ax, f"s = {low.source:g}, beta = {low.capacity:g}")

    def _capacity_panel(self, ax: Axes, used: "dict[tuple[float, Decade], list[Pair]]") -> None:
        g = np.linspace(0.2, max(self.exponents) * 1.03, 300)
        for beta, kind in zip(self.capacities, ("power", "linear"), strict=False):
            color = COLORS[kind]
            ax.plot(g, np.minimum(beta, g + 1), **{**THEORY, "color": color, "lw": 1.2})
            for decade, face in ((self.near, "white"), (self.far, color)):
                values = [pair.measured for pair in used[beta, decade]]
                words = (
                    f"beta = {beta:g}, N = {power_of_ten(decade[0])} to {power_of_ten(decade[1])}"
                )
                ax.plot(self.exponents, values, MARK[kind], ms=5, mfc=face, mec=color, label=words)
        ax.plot([], [], **THEORY, label="min(beta, g + 1)")
        ax.set_xlabel("exponent g of the decay $(1-z)^g$")
        ax.set_ylabel("effective capacity, solved from the slope")
        ax.set_ylim(0, max(self.capacities) + 2.2)
        legend(ax, loc="upper left", ncols=1, fontsize=7.5)
        quiet(ax, "capacity that a decay can use")

    def _floor_panel(self, ax: Axes, risks: dict[str, list[float]]) -> None:
        middle = np.sqrt(np.array(self.budgets[1:]) * np.array(self.budgets[:-1]))
        lines = [("cosine", "to zero", "v-", COLORS["cosine"])]
        kinds = ("linear", "power")
        for floor, kind in zip(self.floors, kinds, strict=False):
            lines.append(
                (
                    f"cosine_floor_{floor:g}",
                    f"to {floor:.0%} of the peak",
                    MARK[kind] + "-",
                    COLORS[kind],
                )
            )
        for key, words, style, color in lines:
            steep = -local_slopes(self.budgets, risks[key])
            ax.plot(middle, steep, style, ms=4, lw=1.2, color=color, label=words)
        levels: dict[float, float] = {}
        above = {3.0: 0.006, 1.0: -0.018}
        for alpha, words in ((3.0, "alpha = 3"), (1.0, "alpha = 1, as a constant rate")):
            levels[alpha] = self.source * alpha / (1 + self.source * alpha)
            ax.axhline(levels[alpha], **THEORY)
            ax.text(
                middle[-1], levels[alpha] + above[alpha], words, fontsize=8, color=INK, ha="right"
            )
        ax.set_xscale("log")
        ax.set_ylim(levels[1.0] - 0.05, levels[3.0] + 0.12)
        ax.set_xlabel("updates N, batch 1")
        ax.set_ylabel("local slope $-\\,d\\log\\mathrm{risk}\\,/\\,d\\log N$")
        legend(ax, loc="upper left", ncols=3, fontsize=7.5, columnspacing=1.0)
        quiet(ax, "cosine with a final rate above zero")


def _result(
    study: CapacitySaturation,
    figure: Figure,
    slopes: dict[str, Pair],
    risks: dict[str, list[float]],
    used: dict[tuple[float, Decade], list[Pair]],
) -> Result:
    gaps = {
        decade: max(
            abs(pair.gap) for (_, where), pairs in used.items() if where == decade for pair in pairs
        )
        for decade in (study.near, study.far)
    }
    said = ", ".join(
        f"{-pair.measured:.4f} for {shape} (theory {-pair.predicted:.4f})"
        for shape, pair in slopes.items()
    )
    ends = " and ".join(
        f"{-local_slopes(study.budgets[-2:], risks[f'cosine_floor_{floor:g}'][-2:])[0]:.3f}"
        f" with a floor of {floor:.0%}"
        for floor in study.floors
    )
    plain = -local_slopes(study.budgets[-2:], risks["cosine"][-2:])[0]
    betas = " and ".join(f"{beta:g}" for beta in study.capacities)
    constant = study.source / (1 + study.source)
    paragraph = (
        f"At (s, beta) = ({study.source:g}, {study.capacities[0]:g}), with only the peak tuned, the"
        f" exact mean risk falls between {short(study.far[0])} and {short(study.far[1])} updates"
        f" with the slopes {said}, logarithms divided out. Solved for the capacity that explains"
        f" the slope, decays (1-z)^g at beta = {betas} have min(beta, g+1) within"
        f" {gaps[study.far]:.2f}; between {short(study.near[0])} and {short(study.near[1])} updates"
        f" they are still up to {gaps[study.near]:.2f} away. Slowest to arrive are exponents just"
        " above beta - 1, whose correction N^-(1/beta - 1/(g+1)) hardly falls. A linear decay"
        " forgets like a model"
        " of capacity 2, a cosine like one of capacity 3, whatever the model has. A final rate"
        f" above zero is not seen early and decides in the end: up to {short(study.budgets[-1])}"
        f" updates the slope of cosine is {plain:.3f} to zero, {ends}; a constant rate has"
        f" {constant:.3f}."
    )
    numbers = {f"slope_{shape}": pair.measured for shape, pair in slopes.items()}
    numbers |= {f"theory_{shape}": pair.predicted for shape, pair in slopes.items()}
    numbers |= {"worst_capacity_gap": gaps[study.far], "near_capacity_gap": gaps[study.near]}
    rows = [
        [beta, decade[0], decade[1], g, pair.measured, pair.predicted]
        for (beta, decade), pairs in used.items()
        for g, pair in zip(study.exponents, pairs, strict=True)
    ]
    header = ["capacity", "from_updates", "to_updates", "exponent", "measured", "predicted"]
    return Result(
        figure=figure,
        tables={
            "": table(["updates", *risks], zip(study.budgets, *risks.values(), strict=True)),
            "effective": table(header, rows),
        },
        paragraph=paragraph,
        numbers=numbers,
    )
