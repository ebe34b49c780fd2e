"""Where fitted runs stand: what is known of a question from the runs alone, before any law.

An interval far from what was fitted is wider: at another peak, later in intrinsic time, after a
longer decay than any that was seen. `Ground` keeps what those distances are measured from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import NATS, shared_unit
from losslaw.laws import Query
from losslaw.laws.effective import KNOWN
from losslaw.laws.variety import far_apart, within

# Peaks at which AdamW in standard parametrisation is at home.
HOME = (3e-4, 4e-3)
# Peaks between which constants hold best.
USUAL = (4.8e-4, 2e-3)
# Runs of fewer updates are short.
SHORT = 5_000
# Peaks this close, in the log, are one.
SAME_PEAK = 0.02


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the fitted runs are.

    Attributes:
        runs: How many there are.
        level: Median loss of the second halves of the runs, in nats: errors go with it.
        peaks: Peak learning rates that were reached while losses were seen.
        updates: Updates of the longest run that were seen.
        farthest: Largest intrinsic time at which a loss was fitted.
        farthest_decay: The same of runs whose rate fell; 0: none did.
        warmup_known: Whether all runs have a warm-up.
        optimizer: ``adamw`` or ``other``, as it was said; ``None``: not known.
        decayed: Peaks of the runs whose rate fell; empty: none did, or nobody remembers.
        losses: How many losses were fitted; 0: nobody remembers.
        unit: What they are measured in.
    """

    runs: int
    level: float
    peaks: tuple[float, ...]
    updates: int
    farthest: float
    farthest_decay: float
    warmup_known: bool
    optimizer: str | None = None
    decayed: tuple[float, ...] = ()
    losses: int = 0
    unit: str = NATS

    @classmethod
    def of(cls, curves: Sequence[LossCurve], optimizer: str | None = None) -> "Ground":
        """Of these runs."""
        late = np.concatenate([curve.loss[len(curve) // 2 :] for curve in curves])
        peaks = {curve.peak_seen for curve in curves}
        ends = [float(Query(curve.schedule, curve.steps).seen_time[-1]) for curve in curves]
        decays = [curve.schedule.decays(int(curve.steps[-1])) for curve in curves]
        return cls(
            runs=len(curves),
            level=float(np.median(late)),
            peaks=tuple(sorted(peaks)),
            updates=max(int(curve.steps[-1]) for curve in curves),
            farthest=max(ends),
            farthest_decay=max(
                (end for end, decay in zip(ends, decays, strict=True) if decay), default=0.0
            ),
            warmup_known=all(curve.schedule.warmup > 0 for curve in curves),
            optimizer=optimizer,
            losses=sum(len(curve) for curve in curves),
            unit=shared_unit(curves),
            decayed=tuple(
                sorted(
                    {curve.peak_seen for curve, decay in zip(curves, decays, strict=True) if decay}
                )
            ),
        )

    @property
    def decays(self) -> bool:
        """Whether a fitted run decays."""
        return self.farthest_decay > 0

    @property
    def short(self) -> bool:
        """Whether no run has as many updates as pre-training usually has."""
        return self.updates < SHORT

    @property
    def home(self) -> bool:
        """Whether AdamW's constants are to be expected: it was said, or the peaks are its own."""
        if self.optimizer is not None:
            return self.optimizer == "adamw"
        return at_home(self.peaks)

    @property
    def known(self) -> bool:
        """Whether the peaks are at least such as AdamW has been seen at."""
        return within(self.peaks, KNOWN)

    @property
    def from_home(self) -> float:
        """Of the fitted peaks from AdamW's own, the least, in the log; 0 where none is known."""
        if not self.known or self.partly_home:
            return 0.0
        low, high = HOME
        return min(abs(math.log(peak / (low if peak < low else high))) for peak in self.peaks)

    @property
    def partly_home(self) -> bool:
        """Whether one of the peaks, at least, is AdamW's own."""
        return any(at_home([peak]) for peak in self.peaks)

    @property
    def wide(self) -> bool:
        """Whether the peaks lie further apart than AdamW's own do."""
        return far_apart(self.peaks)

    def distance(self, peak: float) -> float:
        """Of a peak from the nearest one fitted, in the log."""
        return _nearest(peak, self.peaks)

    def from_decayed(self, peak: float) -> float:
        """Of a peak from the nearest one at which a decay was fitted, in the log; 0: none was."""
        return _nearest(peak, self.decayed) if self.decayed else 0.0

    def outside(self, peak: float) -> float:
        """How far a peak is beyond all that were fitted, in the log; 0 between them.

        At home the peaks that AdamW usually has are as good as fitted.
        """
        low, high = min(self.peaks), max(self.peaks)
        if self.home:
            low, high = min(low, USUAL[0]), max(high, USUAL[1])
        return max(0.0, math.log(low / peak), math.log(peak / high))


def _nearest(peak: float, others: Sequence[float]) -> float:
    nearest = min(abs(math.log(peak / other)) for other in others)
    return nearest if nearest > SAME_PEAK else 0.0


def at_home(peaks: Sequence[float]) -> bool:
    """Whether all peaks are such as AdamW in standard parametrisation has at home."""
    return within(peaks, HOME)
