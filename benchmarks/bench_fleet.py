"""A fleet: groups on several processors.

Eight groups of three made runs, 4,000 updates each, annealed with `jobs` 1 and 2. `processor` is
that of the process and of its workers, `busy` processor seconds a second: how many processors
worked at a time. What else runs on the machine makes a fleet slower and `busy` smaller.

What limits it: each worker first pays for its imports, about as much as two groups take.
"""

import resource
import time

import numpy as np

from benchmarks.clock import markdown, seconds
from losslaw.curves import LossCurve
from losslaw.fleets import fleet
from losslaw.laws import Effective
from losslaw.schedules import constant

GROUPS, PEAKS = 8, (1e-3, 2e-3, 3e-3)
N = 4000


def runs() -> list[LossCurve]:
    """Stable runs of several models, with noise."""
    draws = np.random.default_rng(0)
    made: list[LossCurve] = []
    for group in range(GROUPS):
        law = Effective(L0=2.2 + 0.1 * group, A=0.55, N=45.0)
        for peak in PEAKS:
            schedule = constant(peak=peak, horizon=N, warmup=100, weight_decay=0.1)
            curve = law.curve(schedule, range(20, N + 1, 20), f"model{group}_peak{peak:g}")
            noise = draws.normal(0, 0.002, len(curve))
            made.append(curve.with_(loss=curve.loss + noise))
    return made


def used() -> float:
    """Processor seconds of this process and of its workers that have ended."""
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in each)


def table() -> str:
    """The same fleet with one worker and with two."""
    curves = runs()
    fleet(curves[: len(PEAKS)], group_by=r"model\d+")  # compiled code, imports
    rows: list[list[str]] = []
    first = 0.0
    for jobs in (1, 2):
        processor, begun = used(), time.perf_counter()
        fleet(curves, group_by=r"model\d+", jobs=jobs)
        wall, processor = time.perf_counter() - begun, used() - processor
        first = first or wall
        rows.append(
            [
                f"jobs {jobs}",
                seconds(wall),
                seconds(processor),
                f"{processor / wall:.2f}",
                f"{first / wall:.2f}",
            ]
        )
    return markdown(["fleet of 24 runs", "wall", "processor", "busy", "faster"], rows)


if __name__ == "__main__":
    print(table())
