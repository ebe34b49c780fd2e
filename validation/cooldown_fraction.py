"""How long a cooldown should be: what laws say of its share of the run, and what was measured.

The public grid of linear cooldowns to zero: one model of 124M, five peak learning rates, up to four
horizons, shares of .1, .2, .4 and .8 of the run, all branched off the constant run of their peak.
Each law is fitted peak by peak, to the constant run, the cosine of 25,000 updates and the shortest
cooldown of .2 (the protocol `one peak`; at 3e-3 there is no cosine), and asked about all cooldowns
of that peak, one of which it has seen.

Logs end 200 updates before the horizon, where the rate is still up to 13 % of the peak: losses are
those at that step, one logged value, seen and predicted alike. The best share *seen* is the lowest
point of the parabola through the best of the four and its neighbours, in the log of the share; it
is `<.1` or `>.8` where that lies outside. That of a law is searched from .02 to .98. The *cost* of
a law's choice is what the measured losses, along a monotone curve through the four points, have
there above the lowest of them; a choice outside .1 to .8 counts as the nearer end. *Order*: pairs
of cooldowns of one peak and horizon whose losses differ by .002 or more (two runs of one schedule
differ by .001 to .002), and how many of them a law puts in the right order.

The momentum law lets a cooldown of more than a few thousand updates gain hardly more (its constant
.999 is held, as in its paper), so the share it would choose falls with the horizon. The best one
measured rises with the horizon at all peaks but the lowest, where it hardly moves, and rises with
the peak: the effective-rate law says so, on one clock or two, and its choice costs little. At 2e-3
it still chooses too short.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy.interpolate import PchipInterpolator

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.fitting import Fit, fit
from validation.page import markdown
from validation.protocols import PEAKS, peak_fitted, schaipp, schaipp_labels

LAWS = ("momentum", "multipower", "oneclock", "effective")
SHARES = (0.1, 0.2, 0.4, 0.8)
ASKED = np.round(np.arange(0.02, 0.981, 0.01), 2)
APART = 0.002
FITTED = {
    "0.0001": [
        "124M_constant_peak0.0001_T50000",
        "124M_cosine-to-10pct_peak0.0001_T25000",
        "124M_wsd-linear-0.2_peak0.0001_T25000",
    ],
    **{peak: peak_fitted(peak) for peak in PEAKS},
    "0.003": ["124M_constant_peak0.003_T50000", "124M_wsd-linear-0.2_peak0.003_T50000"],
}


@dataclass(frozen=True)
class Cell:
    """The cooldowns of one peak and horizon, measured.

    Attributes:
        peak: As the labels have it.
        horizon: Updates of the schedules.
        curves: One for each of `SHARES`.
    """

    peak: str
    horizon: int
    curves: tuple[LossCurve, ...]

    @property
    def step(self) -> int:
        """The last one with a loss."""
        return int(self.curves[0].steps[-1])

    @property
    def seen(self) -> np.ndarray:
        """Measured losses. Shape ``(4,)``."""
        return np.array([curve.loss[-1] for curve in self.curves])

    @property
    def best(self) -> float:
        """The best share, from the parabola through the best of the four and its neighbours."""
        i = min(max(int(np.argmin(self.seen)), 1), len(SHARES) - 2)
        a, b, _ = np.polyfit(np.log(SHARES[i - 1 : i + 2]), self.seen[i - 1 : i + 2], 2)
        return float(np.exp(-b / (2 * a)))

    @property
    def inside(self) -> bool:
        """Whether the best share is among those that were run."""
        return SHARES[0] <= self.best <= SHARES[-1]

    def cost(self, share: float) -> float:
        """What a share costs beyond the best of the four, along the measured losses."""
        at = np.log(np.clip(share, SHARES[0], SHARES[-1]))
        return float(PchipInterpolator(np.log(SHARES), self.seen)(at) - self.seen.min())

    def predicted(self, law: str) -> np.ndarray:
        """What a law says of the four. Shape ``(4,)``."""
        result = fitted(law, self.peak)
        return np.array(
            [result.predict(curve.schedule, [self.step]).loss[0] for curve in self.curves]
        )

    def choice(self, law: str) -> float:
        """The share that a law would choose."""
        result = fitted(law, self.peak)
        peak = self.curves[0].schedule.peak_lr
        return float(
            min(
                ASKED,
                key=lambda share: result.predict(
                    ll.wsd(peak=peak, horizon=self.horizon, warmup=300, cooldown=float(share)),
                    [self.step],
                ).loss[0],
            )
        )


@cache
def fitted(law: str, peak: str) -> Fit:
    """A law fitted to the runs of a peak that are known."""
    return fit([schaipp(label) for label in FITTED[peak]], law, skip=1000, uncertainty=False)


def cells() -> list[Cell]:
    """All peaks and horizons."""
    out: list[Cell] = []
    for peak in FITTED:
        labels = schaipp_labels(f"124M_wsd-linear-0.1_peak{peak}_*")
        for horizon in sorted(int(label.rsplit("_T", 1)[1]) for label in labels):
            curves = tuple(
                schaipp(f"124M_wsd-linear-{share}_peak{peak}_T{horizon}") for share in SHARES
            )
            out.append(Cell(peak, horizon, curves))
    return out


def powers(grid: list[Cell], shares: list[float]) -> list[str]:
    """Powers of the horizon and of the peak in the best share, where that was measured."""
    rows = [(cell, share) for cell, share in zip(grid, shares, strict=True) if cell.inside]
    factors = [[1.0, np.log(cell.horizon), np.log(float(cell.peak))] for cell, _ in rows]
    found = np.linalg.lstsq(np.array(factors), np.log([share for _, share in rows]), rcond=None)[0]
    return [f"{found[1]:+.2f}", f"{found[2]:+.2f}"]


def table() -> str:
    """Best shares, errors on losses, and a summary."""
    grid = cells()
    choices = {law: [cell.choice(law) for cell in grid] for law in LAWS}
    shares: list[list[str]] = []
    losses: list[list[str]] = []
    costs: dict[str, list[float]] = {law: [] for law in LAWS}
    ordered: dict[str, list[bool]] = {law: [] for law in LAWS}
    errors: dict[str, list[float]] = {law: [] for law in LAWS}
    for i, cell in enumerate(grid):
        best = f"{cell.best:.2f}" if cell.inside else "<.1" if cell.best < SHARES[0] else ">.8"
        row = [cell.peak, f"{cell.horizon:,}", *[f"{loss:.4f}" for loss in cell.seen], best]
        for law in LAWS:
            choice, predicted = choices[law][i], cell.predicted(law)
            costs[law].append(cell.cost(choice))
            missed = predicted - cell.seen
            errors[law] += (missed - missed.mean()).tolist()
            ordered[law] += [
                bool((predicted[a] < predicted[b]) == (cell.seen[a] < cell.seen[b]))
                for a, b in combinations(range(len(SHARES)), 2)
                if abs(cell.seen[a] - cell.seen[b]) >= APART
            ]
            row.append(f"{choice:.2f}")
            cellwise = [f"{error:+.4f}" for error in missed]
            losses.append([cell.peak, f"{cell.horizon:,}", law, *cellwise])
        shares.append(row)
    summary = [
        [
            law,
            *powers(grid, choices[law]),
            f"{sum(ordered[law])} of {len(ordered[law])}",
            f"{np.sqrt(np.mean(np.square(errors[law]))):.4f}",
            f"{np.mean(costs[law]):.4f}",
            f"{max(costs[law]):.4f}",
        ]
        for law in LAWS
    ]
    summary.insert(0, ["measured", *powers(grid, [cell.best for cell in grid]), "", "", "", ""])
    named = [f"{share:g}" for share in SHARES]
    return "\n".join(
        [
            "## The best share",
            "",
            "Measured losses at four shares, the best share seen, and that of each law.",
            "",
            *markdown(("peak", "updates", *named, "seen", *LAWS), shares),
            "",
            "## Which law is right",
            "",
            "*Horizon*, *peak*: powers by which the best share goes with them, over the rows whose",
            "measured one is inside .1 to .8. *Differences*: root mean square error of the four",
            "losses of a peak and horizon about their mean. *Cost*: of the law's choice, in nats.",
            "",
            *markdown(
                ("law", "horizon", "peak", "order", "differences", "mean cost", "largest"), summary
            ),
            "",
            "## Predicted minus measured loss at each share",
            "",
            *markdown(("peak", "updates", "law", *named), losses),
            "",
        ]
    )
