"""The scaling table of the paper, every entry measured: local slopes beside their closed forms.

The entries are those of arXiv:2509.19189, Section 5, with the power decay of arXiv:2602.06797: risk
against data, the model as large as it likes, and against compute ``C = M D``; hyper-parameters at
their numerical optimum in the exact mean dynamics. A slope is measured between two budgets a decade
apart; where theory has a logarithm, it is divided out first. Two decades, one that can be run and
one far out, show which deviations are errors and which only fade.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from losslaw.drawing.style import FAINT, new_figure
from losslaw.kernel.agreement import Pair, scaling_pair
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    NAMES,
    Axes,
    Figure,
    legend,
    power_of_ten,
    quiet,
    short,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.theory import Exponents, regime
from losslaw.kernel.theory.scaling import Limited

Decade = tuple[float, float]
BAND = 0.01
# Schedules whose exponents theory knows.
Scheduled = Literal["constant", "exponential", "wsd", "power"]


@dataclass(frozen=True)
class Entry:
    """One entry of the table at one decade."""

    exponents: Exponents
    schedule: str
    limited: Limited
    decade: Decade
    pair: Pair


@dataclass(frozen=True)
class ScalingTable:
    """Four schedules, six problems on both sides of the boundary, data- and compute-limited.

    The papers leave open: noise 1, batch 1, peaks up to .9 of the largest stable rate; the decays
    end at peak / D, as theory has it; the power decay has the exponent ``2 beta - 1``.

    Attributes:
        problems: Source and capacity of each.
        data: Two decades of samples, near and far.
        compute: Two decades of compute.
        schedules: Names of the schedules.
    """

    name: ClassVar[str] = "scaling-table"
    title: ClassVar[str] = "measured slopes of the risk against theory, by data and by compute"

    problems: tuple[tuple[float, float], ...] = (
        (1.0, 1.5),
        (1.0, 2.0),
        (1.0, 4.0),
        (0.3, 2.0),
        (0.5, 4.0),
        (0.3, 4.0),
    )
    data: tuple[Decade, Decade] = ((1e5, 1e6), (1e11, 1e12))
    compute: tuple[Decade, Decade] = ((1e8, 1e9), (1e17, 1e18))
    schedules: tuple[Scheduled, ...] = ("constant", "exponential", "wsd", "power")

    def run(self, work: Work) -> Result:
        """Measure every entry, draw the deviations from theory."""
        sides: dict[Limited, tuple[Decade, Decade]] = {"data": self.data, "compute": self.compute}
        work.expect(len(self.problems) * len(self.schedules) * 4)
        entries: list[Entry] = []
        for limited, decades in sides.items():
            for source, capacity in self.problems:
                exponents = Exponents(source, capacity)
                for schedule in self.schedules:
                    work.say(f"{limited}: ({source:g}, {capacity:g}), {NAMES[schedule]}")
                    for decade in decades:
                        pair = scaling_pair(exponents, schedule, decade, limited=limited)
                        entries.append(Entry(exponents, schedule, limited, decade, pair))
                        work.tick(1)
        figure = new_figure(11, 6.6)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, (limited, decades) in zip(axes, sides.items(), strict=True):
            self._panel(ax, [entry for entry in entries if entry.limited == limited], decades)
        axes[0].set_yticks(*self._rows())
        axes[0].set_title("data-limited: risk ~ D to the minus exponent", loc="left", fontsize=10)
        axes[1].set_title(
            "compute-limited: risk ~ C to the minus exponent, C = M D", loc="left", fontsize=10
        )
        return self._result(figure, entries)

    def _rows(self) -> tuple[list[float], list[str]]:
        places, words = list[float](), list[str]()
        for i, (source, capacity) in enumerate(self.problems):
            side = regime(Exponents(source, capacity)).name
            places.append(-i * (len(self.schedules) + 1) - (len(self.schedules) - 1) / 2)
            words.append(f"s = {source:g}\nbeta = {capacity:g}\n{side}")
        return places, words

    def _panel(self, ax: Axes, entries: list[Entry], decades: tuple[Decade, Decade]) -> None:
        places = {
            (Exponents(*problem), schedule): -i * (len(self.schedules) + 1) - k
            for i, problem in enumerate(self.problems)
            for k, schedule in enumerate(self.schedules)
        }
        ax.axvspan(-BAND, BAND, color="#f0efe6", zorder=0)
        ax.axvline(0, color="#000000", lw=0.8)
        for entry in entries:
            place = places[entry.exponents, entry.schedule]
            color, far = COLORS[entry.schedule], entry.decade == decades[1]
            ax.plot(
                -entry.pair.gap, place, MARK[entry.schedule], ms=5, mec=color,
                mfc=color if far else "white", zorder=3 if far else 2,
            )  # fmt: skip
            if far:
                ax.text(
                    1.01, place, f"{-entry.pair.predicted:.3f}", fontsize=7, va="center",
                    transform=ax.get_yaxis_transform(), color=color,
                )  # fmt: skip
        for schedule in self.schedules:
            ax.plot([], [], MARK[schedule], ms=5, color=COLORS[schedule], label=NAMES[schedule])
        for decade, face in zip(decades, ("white", FAINT), strict=True):
            words = f"{power_of_ten(decade[0])} to {power_of_ten(decade[1])}"
            ax.plot([], [], "o", ms=5, mec=FAINT, mfc=face, label=words)
        ax.set_xlim(-0.055, 0.055)
        ax.set_xlabel("measured exponent minus theory's (at the right)")
        legend(ax, loc="lower center", bbox_to_anchor=(0.5, -0.24), ncols=3, fontsize=7.5)
        quiet(ax)
        ax.grid(False, axis="y")

    def _result(self, figure: Figure, entries: list[Entry]) -> Result:
        numbers: dict[str, float] = {}
        said: list[str] = []
        for limited, decades in (("data", self.data), ("compute", self.compute)):
            for decade, key in zip(decades, ("near", "far"), strict=True):
                here = [e for e in entries if e.limited == limited and e.decade == decade]
                worst = max(here, key=lambda entry: abs(entry.pair.gap))
                inside = sum(abs(entry.pair.gap) <= BAND for entry in here)
                numbers[f"worst_{limited}_{key}"] = -worst.pair.gap
                numbers[f"inside_{limited}_{key}"] = inside / len(here)
                said.append(
                    f"{limited}-limited, {short(decade[0])} to {short(decade[1])}: {inside} of"
                    f" {len(here)} exponents within {BAND:g} of theory, the worst off by"
                    f" {-worst.pair.gap:+.4f} ({NAMES[worst.schedule]} at"
                    f" ({worst.exponents.source:g}, {worst.exponents.capacity:g}))"
                )
        paragraph = (
            "Exponents e of the lowest mean risk, N^-e, as local slopes with the logarithms divided"
            f" out, for {len(self.schedules)} schedules and {len(self.problems)} problems. "
            + "; ".join(said)
            + ". What is outside"
            " at the near decade moves towards theory at the far one; the slowest is WSD in the"
            " hard regime, whose decay fraction still shrinks and leaves a correction that falls as"
            " slowly as that fraction."
        )
        header = [
            "source", "capacity", "regime", "schedule", "limited", "from", "to", "measured",
            "predicted", "gap",
        ]  # fmt: skip
        rows = [
            [
                entry.exponents.source,
                entry.exponents.capacity,
                regime(entry.exponents).name,
                entry.schedule,
                entry.limited,
                *entry.decade,
                entry.pair.measured,
                entry.pair.predicted,
                entry.pair.gap,
            ]
            for entry in entries
        ]
        return Result(
            figure=figure, tables={"": table(header, rows)}, paragraph=paragraph, numbers=numbers
        )
