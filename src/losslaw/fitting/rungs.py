"""The rungs of a ladder: of each model size the run that went farthest, and how it was annealed.

A scaling law in size through last losses takes for granted that all runs were annealed alike. A
cooldown too short in updates, or none, leaves a loss .02 to .2 above what the run is worth, and by
how much depends on the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.fitting.status import Note

# Runs of this share of the longest of their size have gone as far.
AS_FAR = 0.95
# Cooldowns whose lengths, as shares of the updates, differ by a factor of no more are alike.
ALIKE = 1.5
# So are rates at the end that differ by no more, as shares of the peak.
AS_LOW = 0.15
# A rate that has fallen by less has not been brought down.
FALLEN = 0.05


@dataclass(frozen=True, kw_only=True)
class Annealing:
    """How the rate of a run came down at its end.

    Attributes:
        updates: Updates since the last one at the peak; 0: the rate is still there.
        share: The same as a share of all updates.
        left: Rate at the end, as a share of the peak.
    """

    updates: int
    share: float
    left: float

    @classmethod
    def of(cls, curve: LossCurve) -> "Annealing":
        """Of a run, up to its last loss.

        >>> import losslaw as ll
        >>> run = ll.wsd(peak=1e-3, horizon=1000, cooldown=0.2)
        >>> print(Annealing.of(ll.LossCurve(run, [500, 1000], [3.0, 2.5])))
        200 (20%)
        """
        lr = curve.schedule.lr[: curve.steps[-1]]
        left = float(lr[-1] / lr.max())
        if left > 1 - FALLEN:
            return cls(updates=0, share=0.0, left=1.0)
        updates = lr.size - 1 - int(np.flatnonzero(lr >= lr.max() * (1 - 1e-9))[-1])
        return cls(updates=updates, share=updates / lr.size, left=left)

    def like(self, other: "Annealing") -> bool:
        """Whether two runs were annealed alike."""
        if not (self.updates and other.updates):
            return self.updates == other.updates
        longer, shorter = max(self.share, other.share), min(self.share, other.share)
        return longer <= ALIKE * shorter and abs(self.left - other.left) <= AS_LOW

    def __str__(self) -> str:
        if self.updates == 0:
            return "none"
        to = f" to {self.left:.0%}" if self.left >= 0.005 else ""
        return f"{self.updates:,} ({self.share:.0%}){to}"


def rungs_of(curves: Sequence[LossCurve]) -> dict[float, LossCurve]:
    """Of each known model size the run that went farthest, of several the lowest; sizes ascend."""
    sizes = sorted({curve.model_size for curve in curves if curve.model_size is not None})
    rungs: dict[float, LossCurve] = {}
    for size in sizes:
        runs = [curve for curve in curves if curve.model_size == size]
        farthest = max(int(run.steps[-1]) for run in runs)
        far = [run for run in runs if run.steps[-1] >= AS_FAR * farthest]
        rungs[size] = min(far, key=lambda run: run.final_loss)
    return rungs


def unlike_cooldowns(curves: Sequence[LossCurve]) -> Note | None:
    """A note where runs of several sizes were not annealed alike, or not at all."""
    rungs = rungs_of(curves)
    if len(rungs) < 2:
        return None
    each = {size: Annealing.of(run) for size, run in rungs.items()}
    first = next(iter(each.values()))
    if first.updates and all(first.like(one) for one in each.values()):
        return None
    none = not any(one.updates for one in each.values())
    how = "were not annealed" if none else "were annealed unlike each other"
    told = ", ".join(f"{size:.3g}: {one}" for size, one in each.items())
    return Note(
        text=f"the longest runs of the sizes {how} (cooldowns {told}), so a scaling law through"
        " their last losses would be wrong: losslaw ladder corrects them to one cooldown"
    )
