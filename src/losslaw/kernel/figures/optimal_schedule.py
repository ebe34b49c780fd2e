"""The best schedule of all: searched without a form, beside the closed form.

Theory (arXiv:2602.06797) minimises signal plus noise over all schedules and finds, in intrinsic
time u left, ``gamma(u) = min(cap, c (1 + a u)^(1 - 1/(2 beta)))``; in updates ``n`` left that is

    gamma = min(cap, c (1 + a c n / (2 beta))^(2 beta - 1)),

the power ``(1 - z/N)^(2 beta - 1)`` down to a small final rate. Easy regime: over the whole run.
Hard regime: at the largest admissible rate first, and the tail takes a vanishing share of the run.
Here the exact mean risk of SGD is minimised over rates that are free at places all along the run,
joined smoothly, and the closed form is set beside it with its two constants tuned (a, c).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from losslaw.drawing.style import new_figure
from losslaw.kernel import LongSchedule, Piece, long_wsd
from losslaw.kernel.agreement import FreeForm, best, cap, final_risk, free_form
from losslaw.kernel.agreement.optimum import lowest
from losslaw.kernel.figures.shared import (
    COLORS,
    MARK,
    THEORY,
    Axes,
    Figure,
    legend,
    local_slopes,
    log_log,
    power_of_ten,
    quiet,
    short,
    theory_line,
)
from losslaw.kernel.figures.study import Result, Work, table
from losslaw.kernel.theory import Exponents, decay_fraction, optimal_relations, optimal_schedule
from losslaw.numerics.arrays import FloatArray

# A free search takes about as long as so many tunings.
SEARCH = 10
BLUES = ("#b9cbe8", "#84a3d6", "#4f7bc4", "#1f4e9e")


@dataclass(frozen=True)
class Form:
    """A tuned schedule.

    Attributes:
        run: The schedule.
        risk: Its final excess risk.
        tail: Share of the updates below the cap.
    """

    run: LongSchedule
    risk: float
    tail: float


@dataclass(frozen=True)
class Case:
    """One problem at one budget: the free optimum, and what some forms reach beside it.

    Attributes:
        updates: N.
        free: Rates free all along the run.
        closed: The closed form, a and c tuned.
        power: ``(1 - z)^(2 beta - 1)`` to zero, peak and tail tuned.
        cosine: Risk of a cosine to zero, peak tuned.
    """

    updates: float
    free: FreeForm
    closed: Form
    power: Form
    cosine: float

    @property
    def losses(self) -> dict[str, float]:
        """Risk of each form over that of the free optimum."""
        return {
            "closed": self.closed.risk / self.free.risk,
            "power": self.power.risk / self.free.risk,
            "cosine": self.cosine / self.free.risk,
        }


@dataclass(frozen=True)
class OptimalSchedules:
    """Free optimum against closed form in an easy and a hard problem; the tail in the hard one.

    The papers leave open: infinitely many modes, noise 1, batch 1, and rates up to .9 of the
    largest stable one (the cap). Up to 10^5 updates every rate is free; beyond, rates are free at
    places even in the logarithm of the intrinsic time left, more and more of them until that gains
    less than 3e-5, from a third of one unit before the end on: closer to the end nothing is
    forgotten, and the rate is held. The risk is within 1e-4 of the lowest there is.

    Attributes:
        easy: Source and capacity of the easy problem.
        hard: Those of the hard problem.
        budgets: Numbers of updates of the free optimum.
        tails: Numbers of updates at which the decay fraction of the hard problem is measured.
    """

    name: ClassVar[str] = "optimal-schedule"
    title: ClassVar[str] = "free-form optimum against (1-z/N)^(2 beta-1); the hard regime's tail"

    easy: tuple[float, float] = (1.0, 2.0)
    hard: tuple[float, float] = (0.5, 4.0)
    budgets: tuple[float, ...] = (1e4, 1e6, 1e8, 1e10)
    tails: tuple[float, ...] = (1e4, 1e6, 1e8, 1e10, 1e12, 1e15, 1e18)

    def run(self, work: Work) -> Result:
        """Search, tune, draw four panels."""
        problems = {"easy": Exponents(*self.easy), "hard": Exponents(*self.hard)}
        work.expect(2 * len(self.budgets) * (3 + SEARCH) + 2 * len(self.tails))
        by_problem: dict[str, list[Case]] = {}
        for name, exponents in problems.items():
            by_problem[name] = []
            for n in self.budgets:
                work.say(f"{name}: {_named(exponents)}, N = {short(n)}")
                by_problem[name].append(_case(work, exponents, n))
        hard = problems["hard"]
        work.say("the tail in the hard regime")
        tails: dict[str, list[float]] = {"power": [], "exponential": []}
        for n in self.tails:
            tails["power"].append(power_tail(hard, round(n)).tail)
            work.tick(1)
            tails["exponential"].append(best(hard, "wsd", n, precise=True).cooldown)
            work.tick(1)
        figure = new_figure(10.5, 8)
        (one, two), (three, four) = figure.subplots(2, 2)
        for ax, (name, exponents) in zip((one, two), problems.items(), strict=True):
            self._shape_panel(ax, exponents, by_problem[name], name)
        self._risk_panel(three, by_problem)
        self._tail_panel(four, hard, tails)
        return self._result(figure, problems, by_problem, tails)

    def _shape_panel(self, ax: Axes, exponents: Exponents, cases: list[Case], name: str) -> None:
        top = cap(exponents)
        for case, color in zip(cases, BLUES[-len(cases) :], strict=False):
            share = np.geomspace(1e-4, 1.0, 400)
            free = case.free.rate(share * case.updates)
            ax.plot(
                share, free / top, color=color, lw=2.4, label=f"N = {power_of_ten(case.updates)}"
            )
            ax.plot(share, rates_at(case.closed.run, share) / top, **{**THEORY, "lw": 0.9})
        ax.plot([], [], **THEORY, label="closed form, a and c tuned")
        g = 2 * exponents.capacity - 1
        # A guide beside the last curve.
        low, high = (0.12, 0.8) if exponents.easy else (0.05, 0.12)
        share = np.geomspace(low, high, 20)
        level = rates_at(cases[-1].closed.run, np.array([high]))[0] / top
        ax.plot(share, 0.12 * level * (share / high) ** g, color=COLORS["linear"], lw=1.3)
        ax.text(
            1.15 * share[8], 0.12 * level * (share[4] / high) ** g, f"slope {g:g}",
            color=COLORS["linear"], fontsize=9,
        )  # fmt: skip
        log_log(ax)
        ax.set_xlim(1e-4, 1.3)
        ax.set_xlabel("share of the updates left, $1 - z/N$")
        ax.set_ylabel("learning rate / largest allowed")
        legend(ax, loc="upper left", ncols=2, columnspacing=1.0)
        quiet(ax, f"{name}: {_named(exponents)}, free optimum")

    def _risk_panel(self, ax: Axes, by_problem: dict[str, list[Case]]) -> None:
        lines = {
            "closed": ("closed form, a and c tuned", "wsd"),
            "power": ("$(1-z/N)^{2\\beta-1}$, peak and tail tuned", "power"),
            "cosine": ("cosine to 0, peak tuned", "cosine"),
        }
        for (name, cases), dash, face in zip(
            by_problem.items(), ("-", "--"), (None, "white"), strict=True
        ):
            for key, (words, kind) in lines.items():
                ratio = [case.losses[key] for case in cases]
                style = {"ls": dash, "ms": 4, "color": COLORS[kind], "mfc": face or COLORS[kind]}
                ax.plot(self.budgets, ratio, MARK[kind], **style, label=f"{name}: {words}")
        ax.axhline(1, color="#000000", lw=0.8)
        ax.set_xscale("log")
        ax.set_ylim(0.98, 1.6)
        ax.set_xlabel("updates N, batch 1")
        ax.set_ylabel("final excess risk / that of the free optimum")
        legend(ax, loc="upper left", fontsize=7.5)
        quiet(ax, "what the forms cost")

    def _tail_panel(self, ax: Axes, hard: Exponents, tails: dict[str, list[float]]) -> None:
        budgets = np.array(self.tails)
        theory = {
            "power": [_closed(hard, n)["tail"] for n in budgets],
            "exponential": [decay_fraction(hard, n).value for n in budgets],
        }
        words = {"power": "power tail $(1-x)^{2\\beta-1}$", "exponential": "exponential tail"}
        for key, values in tails.items():
            ax.plot(budgets, values, MARK[key], ms=5, color=COLORS[key], label=words[key])
            theory_line(ax, budgets, theory[key], at=budgets[-1], through=values[-1])
        ax.plot([], [], **THEORY, label="theory, through the last point")
        log_log(ax)
        ax.set_ylim(None, 1.3)
        ax.set_xlabel("updates N, batch 1")
        ax.set_ylabel("best decay fraction of stable-then-decay")
        legend(ax, loc="lower left")
        quiet(ax, f"hard: {_named(hard)}, the tail vanishes")

    def _result(
        self,
        figure: Figure,
        problems: dict[str, Exponents],
        by_problem: dict[str, list[Case]],
        tails: dict[str, list[float]],
    ) -> Result:
        hard = problems["hard"]
        numbers: dict[str, float] = {}
        rows: list[list[object]] = []
        for name, exponents in problems.items():
            for case in by_problem[name]:
                risks = (case.free.risk, case.closed.risk, case.power.risk, case.cosine)
                place = (exponents.source, exponents.capacity, case.updates)
                rows.append([name, *place, *risks])
            for end, case in (("first", by_problem[name][0]), ("last", by_problem[name][-1])):
                numbers |= {f"{name}_{key}_{end}": value for key, value in case.losses.items()}
            # The middle of the decay: not its last stretch, not the approach to the cap.
            whole = by_problem[name][-1].closed.run.pieces[-1]
            time = whole.updates * whole.mean_rate
            numbers[f"{name}_slope"] = by_problem[name][-1].free.slope(
                min(1e3, 0.01 * time), 0.1 * time
            )
            numbers[f"{name}_slope_theory"] = 1 - 1 / (2 * exponents.capacity)
        last = self.tails[-2:]
        for key, power in (
            ("power", -(1 - 1 / hard.capacity - hard.source) / (2 - 1 / hard.capacity)),
            ("exponential", local_slopes(last, [decay_fraction(hard, n).value for n in last])[0]),
        ):
            numbers[f"tail_{key}"] = float(local_slopes(last, tails[key][-2:])[0])
            numbers[f"tail_{key}_theory"] = float(power)
        easy = problems["easy"]
        first, final = self.budgets[0], self.budgets[-1]
        paragraph = (
            f"Easy regime, (s, beta) = ({easy.source:g}, {easy.capacity:g}): the free optimum is a"
            f" power decay over the whole run. The closed form with its two constants tuned loses"
            f" {numbers['easy_closed_first'] - 1:.1%} of risk at {short(first)} updates and"
            f" {numbers['easy_closed_last'] - 1:.2%} at {short(final)};"
            f" (1-z/N)^{2 * easy.capacity - 1:g} to zero, {numbers['easy_power_first'] - 1:.1%}"
            f" and {numbers['easy_power_last'] - 1:.2%}. Against intrinsic time left the free rate"
            f" grows with the slope {numbers['easy_slope']:.3f} (theory 1 - 1/(2 beta) ="
            f" {numbers['easy_slope_theory']:.3f}). Hard regime, ({hard.source:g},"
            f" {hard.capacity:g}): it stays at the largest allowed rate and falls in a tail of"
            f" slope {numbers['hard_slope']:.3f} (theory {numbers['hard_slope_theory']:.3f}); the"
            f" closed form loses {numbers['hard_closed_first'] - 1:.1%} and then"
            f" {numbers['hard_closed_last'] - 1:.2%}. The tail vanishes: between"
            f" {short(last[0])} and {short(last[1])} updates the best decay fraction falls with"
            f" slope {numbers['tail_power']:.4f} for the power tail (theory"
            f" {numbers['tail_power_theory']:.4f}) and {numbers['tail_exponential']:.4f} for the"
            f" exponential one (theory, with its logarithm,"
            f" {numbers['tail_exponential_theory']:.4f})."
        )
        tail_rows = zip(self.tails, tails["power"], tails["exponential"], strict=True)
        tables = {
            "": table(
                [
                    "regime",
                    "source",
                    "capacity",
                    "updates",
                    "free",
                    "closed_form",
                    "power",
                    "cosine",
                ],
                rows,
            ),
            "schedules": self._schedules(problems, by_problem),
            "tail": table(["updates", "power_tail", "exponential_tail"], tail_rows),
        }
        return Result(figure=figure, tables=tables, paragraph=paragraph, numbers=numbers)

    def _schedules(self, problems: dict[str, Exponents], by_problem: dict[str, list[Case]]) -> str:
        share = np.geomspace(1e-6, 1.0, 121)
        rows: list[list[object]] = []
        for name in problems:
            for case in by_problem[name]:
                pair = case.free.rate(share * case.updates), rates_at(case.closed.run, share)
                for row in zip(share, *pair, strict=True):
                    rows.append([name, case.updates, *row])
        return table(["regime", "updates", "share_left", "free", "closed_form"], rows)


def _case(work: Work, exponents: Exponents, n: float) -> Case:
    closed = closed_form(exponents, round(n))
    work.tick(1)
    power = power_tail(exponents, round(n))
    work.tick(1)
    cosine = best(exponents, "cosine", n).risk
    work.tick(1)
    free = free_form(exponents, n)
    work.tick(SEARCH)
    return Case(n, free, closed, power, cosine)


def closed_form(exponents: Exponents, n: int) -> Form:
    """``min(cap, c (1 + a c n / (2 beta))^(2 beta - 1))``, n updates left, a and c tuned."""
    top, beta = cap(exponents), exponents.capacity

    def schedule(logs: FloatArray) -> tuple[LongSchedule, float]:
        c, a = min(math.exp(logs[0]), top), math.exp(logs[1])
        # Updates left where the form reaches the cap.
        reach = 2 * beta / (a * c) * math.expm1(math.log(top / c) / (2 * beta - 1))
        tail = int(min(max(math.ceil(reach), 1), n))

        def shape(z: FloatArray, y: FloatArray) -> FloatArray:
            left = np.maximum(y, 0) * tail
            growth = (2 * beta - 1) * np.log1p(a * c * left / (2 * beta))
            return c * np.exp(np.minimum(growth, math.log(top / c)))

        falling = Piece(tail, 1.0, 0.0, shape)
        stable = (Piece(n - tail, top),) if tail < n else ()
        return LongSchedule((*stable, falling)), tail / n

    start = optimal_schedule(exponents, float(n), cap=top)
    return _tuned(exponents, schedule, [math.log(start.final), math.log(2.0)])


def power_tail(exponents: Exponents, n: int) -> Form:
    """Stable, then ``(1 - x)^(2 beta - 1)`` to zero; peak and decay fraction tuned."""
    top, g = cap(exponents), 2 * exponents.capacity - 1

    def schedule(logs: FloatArray) -> tuple[LongSchedule, float]:
        peak, tail = min(math.exp(logs[0]), top), 1 / (1 + math.exp(-logs[1]))
        return long_wsd(peak, n, tail, 0.0, "power", g), tail

    closed = _closed(exponents, n)
    peak = min(2 * closed["peak"], top) if exponents.easy else top
    odds = 3.0 if exponents.easy else math.log(min(2 * closed["tail"], 0.5))
    return _tuned(exponents, schedule, [math.log(peak), odds])


def _tuned(
    exponents: Exponents,
    schedule: Callable[[FloatArray], tuple[LongSchedule, float]],
    start: list[float],
) -> Form:
    def height(logs: FloatArray) -> float:
        return math.log(final_risk(exponents, schedule(logs)[0]))

    logs = lowest(height, lowest(height, np.array(start)), width=0.2, precise=True)
    run, tail = schedule(logs)
    return Form(run, final_risk(exponents, run), tail)


def rates_at(run: LongSchedule, share: FloatArray) -> FloatArray:
    """Rates where the given shares of all updates are left."""
    return run.rate_with(share * run.horizon)


def _closed(exponents: Exponents, n: float) -> dict[str, float]:
    return {relation.quantity: relation.value for relation in optimal_relations(exponents, n)}


def _named(exponents: Exponents) -> str:
    return f"s = {exponents.source:g}, beta = {exponents.capacity:g}"
