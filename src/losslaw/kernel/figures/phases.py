"""The 4 + 3 phases of compute-optimal training: the plane, with exponents measured all over it.

Without label noise, at a constant rate and with random features out of finitely many, what compute
buys depends on source and capacity in seven ways (`losslaw.kernel.theory.phases`,
arXiv:2405.15074). Here every point of the plane that is marked was measured: the lowest exact risk
over the size of the student, at two amounts of compute, and the slope between them.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import INK, cycled, new_figure
from losslaw.errors import InputError
from losslaw.kernel.agreement.phases import Frontier, frontier
from losslaw.kernel.figures.shared import Axes, legend, power_of_ten, quiet, short
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.theory import phase
from losslaw.kernel.theory.phases import TURN
from losslaw.numerics.arrays import FloatArray

# Greys of the phases, no two neighbours alike.
SHADES = {
    "Ia": "#f7f7f7",
    "Ib": "#e2e2e2",
    "Ic": "#f7f7f7",
    "II": "#dcdcdc",
    "III": "#ededed",
    "IVa": "#f7f7f7",
    "IVb": "#d6d6d6",
}
# Where their names stand: capacity and source.
PLACES = {
    "Ia": (1.9, 0.25),
    "Ib": (0.42, 0.25),
    "Ic": (0.3, 3.75),
    "II": (3.3, 1.16),
    "III": (1.9, 3.75),
    "IVa": (0.76, 3.75),
    "IVb": (0.541, 3.75),
}
# Differences of exponents: up to the first a point is on theory, beyond the last it is far.
NEAR, FAR = 0.003, 0.01


# Exponents of ten of the amounts of compute: below there is no best size, above no digit is left.
DECADES = 4, 24


@dataclass(frozen=True)
class Phases:
    """Phase map, and how measured exponents come to those of theory as compute grows.

    Random features out of four times as many, batch 1, half the largest stable rate, no label
    noise; the size is tuned.

    Attributes:
        capacities: Of the points on the map.
        sources: Of the points on the map.
        problems: Source and capacity of one problem in each phase, followed along compute.
        compute: The two amounts between which the points on the map are measured.
        decades: Amounts of compute of the followed problems, exponents of ten.
    """

    name: ClassVar[str] = "phases"
    title: ClassVar[str] = "the 4 + 3 phases without label noise, exponents measured over the plane"

    capacities: tuple[float, ...] = (0.25, 0.4, 0.55, 0.75, 0.9, 1.3, 2.0, 3.0)
    sources: tuple[float, ...] = (0.3, 0.6, 1.25, 2.0, 3.0)
    problems: tuple[tuple[float, float], ...] = (
        (0.5, 1.5),
        (0.5, 0.8),
        (2.0, 0.4),
        (1.2, 1.5),
        (2.0, 1.5),
        (2.0, 0.8),
        (2.0, 0.55),
    )
    compute: tuple[float, float] = (1e15, 1e16)
    decades: tuple[float, ...] = (6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0)

    def __post_init__(self) -> None:
        amounts = {"compute": np.log10(self.compute) if min(self.compute) > 0 else np.zeros(1)}
        for name, tens in {**amounts, "decades": np.array(self.decades)}.items():
            low, high = DECADES
            if tens.size < 2 or (np.diff(tens) <= 0).any() or tens[0] < low or tens[-1] > high:
                raise InputError(
                    f"{name} is {','.join(f'{each:g}' for each in getattr(self, name))}, expected"
                    f" amounts that grow, two or more, from 1e{low} to 1e{high}"
                    + (" (exponents of ten)" if name == "decades" else "")
                )

    def run(self, work: Work) -> Result:
        """Measure every point, draw the plane and the way to the limit."""
        plane = [(s, beta) for beta in self.capacities for s in self.sources]
        spans = list(pairwise(10.0**k for k in self.decades))
        work.expect(len(plane) + len(self.problems) * len(spans))
        points: list[Frontier] = []
        for s, beta in plane:
            work.say(f"source {s:g}, capacity {beta:g}")
            points.append(frontier(s, beta, self.compute))
            work.tick(1)
        followed: dict[tuple[float, float], list[Frontier]] = {}
        for problem in self.problems:
            work.say(f"phase {phase(*problem).name}")
            for span in spans:
                followed.setdefault(problem, []).append(frontier(*problem, span))
                work.tick(1)
        figure = new_figure(12, 4.8)
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        self._map_panel(left, plane, points)
        self._follow_panel(right, followed)
        rows = [
            _row(*problem, found)
            for problem, found in [
                *zip(plane, points, strict=True),
                *((problem, found) for problem, all_ in followed.items() for found in all_),
            ]
        ]
        header = ["source", "capacity", "difficulty", "phase", "from_compute", "to_compute"]
        header += ["risk_exponent", "risk_theory", "modes_exponent", "modes_theory", "best_modes"]
        return Result(
            figure=figure,
            tables={"": table(header, rows)},
            paragraph=self._paragraph(points, followed),
            numbers=self._numbers(points, followed),
        )

    def _map_panel(
        self, ax: Axes, plane: list[tuple[float, float]], points: list[Frontier]
    ) -> None:
        beta = np.geomspace(0.2, 4.2, 400)
        s = np.geomspace(0.2, 4.2, 400)
        index = {name: i for i, name in enumerate(SHADES)}
        names: FloatArray = np.array([[index[phase(y, x).name] for x in beta] for y in s], float)
        from matplotlib.colors import ListedColormap

        shades = ListedColormap(list(SHADES.values()))
        ax.pcolormesh(beta, s, names, cmap=shades, vmin=-0.5, vmax=6.5, rasterized=True)
        line = {"color": INK, "lw": 0.9}
        ax.axhline(1, **line)
        ax.axvline(1, **line)
        for x in (0.5, TURN):
            ax.plot([x, x], [1, 4.2], **line)
        right = np.geomspace(1, 4.2, 100)
        ax.plot(right, 2 - 1 / right, **line)
        for name, place in PLACES.items():
            ax.text(*place, name, fontsize=10.5, color=INK, ha="center", va="center", weight="bold")
        gaps = np.array([found.risk.gap for found in points])
        at: FloatArray = np.array(plane)
        for mark, face, words, lies in (
            ("o", "white", f"within {NEAR:g} of theory", abs(gaps) <= NEAR),
            ("^", "white", "risk falls slower than theory", (gaps > NEAR) & (gaps <= FAR)),
            ("^", INK, f"slower, by more than {FAR:g}", gaps > FAR),
            ("v", "white", "risk falls faster than theory", (gaps < -NEAR) & (gaps >= -FAR)),
            ("v", INK, f"faster, by more than {FAR:g}", gaps < -FAR),
        ):
            style = {"ls": "", "marker": mark, "ms": 7, "mec": INK, "mfc": face, "label": words}
            ax.plot(at[lies, 1], at[lies, 0], **style)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ticks = (0.2, 0.5, 1, 2, 4)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(_fixed(ticks))
            axis.set_minor_locator(_fixed(()))
            axis.set_major_formatter("{x:g}")
        ax.set_xlim(0.2, 4.2)
        ax.set_ylim(0.2, 4.2)
        ax.set_xlabel("capacity beta")
        ax.set_ylabel("source s")
        span = " to ".join(power_of_ten(c) for c in self.compute)
        legend(ax, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
        ax.set_title(f"slope of the risk, compute {span}, and theory", loc="left", fontsize=10)

    def _follow_panel(self, ax: Axes, followed: dict[tuple[float, float], list[Frontier]]) -> None:
        for i, (problem, found) in enumerate(followed.items()):
            middle = [float(np.sqrt(each.compute[0] * each.compute[1])) for each in found]
            words = f"{found[0].phase.name}: s = {problem[0]:g}, beta = {problem[1]:g}"
            gaps = [each.risk.gap for each in found]
            ax.plot(middle, gaps, **cycled(i, marks=True), ms=4, lw=1.2, label=words)
        ax.axhline(0, color="#000000", lw=0.8)
        ax.set_xscale("log")
        ax.set_xlabel("compute C = modes × updates")
        ax.set_ylabel("risk exponent, measured minus theory")
        legend(ax, loc="upper right")
        quiet(ax, "the way to the limit, one problem in each phase")

    def _numbers(
        self, points: list[Frontier], followed: dict[tuple[float, float], list[Frontier]]
    ) -> dict[str, float]:
        numbers: dict[str, float] = {}
        for found in followed.values():
            last = found[-1]
            name = last.phase.name
            numbers[f"risk_{name}"] = last.risk.measured
            numbers[f"risk_theory_{name}"] = last.risk.predicted
            numbers[f"modes_{name}"] = last.size.measured
            numbers[f"modes_theory_{name}"] = last.size.predicted
        gaps = np.abs([point.risk.gap for point in points])
        numbers["map_median_gap"] = float(np.median(gaps))
        numbers["map_worst_gap"] = float(gaps.max())
        return numbers

    def _paragraph(
        self, points: list[Frontier], followed: dict[tuple[float, float], list[Frontier]]
    ) -> str:
        last = [found[-1] for found in followed.values()]
        said = ", ".join(
            f"{each.phase.name} {each.risk.measured:.4f} ({each.risk.predicted:.4f})"
            for each in last
        )
        sizes = ", ".join(
            f"{each.phase.name} {each.size.measured:.3f} ({each.size.predicted:.3f})"
            for each in last
        )
        gaps = np.abs([point.risk.gap for point in points])
        worst = points[int(np.argmax(gaps))]
        early = max((found[0] for found in followed.values()), key=lambda each: abs(each.risk.gap))
        slow = (
            " Slowest is phase IVb: what is left out at its limit dies as a power of compute of"
            " about -0.03, so that no compute there is will show it."
            if any(each.phase.name == "IVb" for each in last)
            else ""
        )
        return (
            "One problem in each phase, without label noise, at half the largest stable rate, with"
            " random features out of four times as many and the best size at each amount of"
            f" compute. Slopes of the exact risk between {short(last[0].compute[0])} and"
            f" {short(last[0].compute[1])}, theory in brackets: {said}. Of the best size: {sizes}."
            f" Over the {len(points)} points of the map, between {short(self.compute[0])} and"
            f" {short(self.compute[1])}, the risk's exponent is off by {np.median(gaps):.4f} in the"
            f" median and by {gaps.max():.3f} at most, in phase {worst.phase.name}. Where"
            f" people compute it is further: {early.risk.gap:+.3f} in phase {early.phase.name}"
            f" between {short(early.compute[0])} and {short(early.compute[1])}.{slow}"
        )


def _row(source: float, capacity: float, found: Frontier) -> list[object]:
    return [
        source,
        capacity,
        source * capacity,
        found.phase.name,
        *found.compute,
        *found.risk,
        *found.size,
        found.modes[1],
    ]


def _fixed(ticks: tuple[float, ...]) -> object:
    from matplotlib.ticker import FixedLocator

    return FixedLocator(ticks)
