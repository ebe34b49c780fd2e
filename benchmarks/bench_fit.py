"""Fits: three curves to a law, every start tried, the best three followed.

`plain` is `losslaw.fit` without intervals, `whole` with them: one further fit for each curve left
out. Starts are tried on blocks of updates and the best followed there; the last search takes every
update by itself (`every update`: all searches do, to the same optimum).

What limits them: with one shape to search, small linear algebra, a few hundred projections onto the
amplitudes; with more, passes over the schedule, which blocks of updates make cheap where runs are
long.
"""

import itertools
import time
from unittest import mock

import numpy as np

import losslaw as ll
from benchmarks.clock import best_of, markdown, seconds
from losslaw.fitting import search
from losslaw.fitting.record import Fit

BUNDLED = ("constant_peak3e-3_T4000", "cosine_peak3e-3_T4000", "wsd-linear-0.2_peak3e-3_T4000")


def made_curves() -> list[ll.LossCurve]:
    """Three runs of 24,000 updates as the effective-rate law has them, with noise of .001."""
    law = ll.Effective(L0=2.6, A=0.5, N=47.0)
    runs = {
        "cosine": ll.cosine(peak=3e-4, horizon=24_000, warmup=2160, final=3e-5),
        "constant": ll.constant(peak=3e-4, horizon=24_000, warmup=2160),
        "wsd": ll.wsd(peak=3e-4, horizon=24_000, warmup=2160, cooldown=0.2, final=3e-5),
    }
    noise = np.random.default_rng(0)
    curves: list[ll.LossCurve] = []
    for label, run in runs.items():
        steps = np.arange(2200, 24_001, 128)
        losses = law.predict(run, steps) * np.exp(1e-3 * noise.standard_normal(steps.size))
        curves.append(ll.LossCurve(run.with_(weight_decay=0.1), steps, losses, label))
    return curves


def starts(law: str) -> int:
    """Number of starting values of a law."""
    free = [spec.starts for spec in ll.LAWS[law].shapes().values() if spec.free]
    return len(list(itertools.product(*free)))


def at_every_update(curves: list[ll.LossCurve], law: str) -> tuple[Fit, float]:
    """The same fit without blocks, and its seconds."""
    with mock.patch.object(search, "BLOCK", 1), mock.patch.object(search, "BLOCKS", 10**9):
        begun = time.process_time()
        found = ll.fit(curves, law, uncertainty=False)
        return found, time.process_time() - begun


def measured(curves: list[ll.LossCurve], law: str) -> list[str]:
    """A row of the table."""
    found = ll.fit(curves, law, uncertainty=False)
    plain = best_of(3, lambda: ll.fit(curves, law, uncertainty=False))
    whole = best_of(2, lambda: ll.fit(curves, law))
    exact, slow = at_every_update(curves, law)
    return [
        law,
        str(starts(law)),
        seconds(plain),
        seconds(whole),
        seconds(slow),
        f"{slow / plain:.1f}",
        f"{exact.objective / found.objective - 1:+.0e}",
        "converged" if found.status.converged else "did not converge",
    ]


def auto(curves: list[ll.LossCurve]) -> list[str]:
    """Seconds of the default fit, without and with intervals."""
    plain = best_of(2, lambda: ll.fit(curves, uncertainty=False))
    return [seconds(plain), seconds(best_of(2, lambda: ll.fit(curves)))]


def ten_runs() -> list[ll.LossCurve]:
    """Ten runs of 50,000 updates at two peaks, as the effective-rate law has them, with noise."""
    law = ll.Effective(L0=2.6, A=0.5, N=47.0, alpha=0.52)
    noise = np.random.default_rng(0)
    steps = np.arange(200, 50_001, 200)
    curves: list[ll.LossCurve] = []
    for i in range(10):
        peak = (3e-4, 6e-4)[i % 2]
        common = {"peak": peak, "horizon": 50_000, "warmup": 2000}
        run = (
            ll.constant(**common),
            ll.cosine(**common, final=peak / 10),
            ll.wsd(**common, cooldown=0.1 + 0.05 * i, final=0.0),
        )[i % 3]
        scatter = 5e-4 * noise.standard_normal(steps.size) + 5e-4 * noise.standard_normal()
        losses = law.predict(run, steps) * np.exp(scatter)
        curves.append(ll.LossCurve(run.with_(weight_decay=0.1), steps, losses, f"run {i}"))
    return curves


def table() -> str:
    """Every law on the bundled curves, where they are installed, and on longer ones."""
    sets: dict[str, list[ll.LossCurve]] = {}
    try:
        sets["bundled runs"] = ll.bundled_curves(BUNDLED)
    except ll.InputError as error:
        print(f"without the bundled runs: {error}")
    sets["made-up runs"] = made_curves()
    parts: list[str] = []
    for title, curves in sets.items():
        points = sum(len(curve) for curve in curves)
        horizon = max(curve.schedule.horizon for curve in curves)
        rows = [measured(curves, law) for law in ll.LAWS]
        rows.append(["auto", "", *auto(curves), "", "", "", "chosen among recipes"])
        header = ["law", "starts", "plain", "whole", "every update", "ratio", "objective there"]
        text = markdown([*header, "status"], rows)
        parts.append(f"### Three {title}: {points} points, {horizon:,} updates\n\n{text}")
    curves = ten_runs()
    text = markdown(["law", "plain", "whole"], [["auto", *auto(curves)]])
    parts.append(f"### Ten made-up runs: 2,500 points, 50,000 updates each, two peaks\n\n{text}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(table())
