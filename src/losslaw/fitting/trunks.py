"""Whether runs that share a schedule were trained on the same data, by the losses they share.

Runs that branch from one trunk have its losses in common, to the last digit if the trunk was
trained once. Trained again with another seed or another order of the data, it is another trunk: its
losses are off by a few thousandths all along, and so may be those of the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from losslaw.curves import LossCurve
from losslaw.curves.curve import after_numbers
from losslaw.fitting.status import Note
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.robust import white_noise
from losslaw.schedules.agreement import agreement

# Median difference of two trunks, relative to the loss, above which their data are not the same.
# Runs of the public collections whose data are the same, in the same order, differ by up to .0022
# (about 300 pairs that do differ); the two seeds of the bundled cosine by .0036.
DIFFERENT = 2.5e-3
# The same in standard errors of the median of white noise.
ERRORS = 5 * 1.25
# Losses in common below which nothing is said.
LEAST = 8


@dataclass(frozen=True, kw_only=True)
class Apart:
    """By how much two runs differ while they have one schedule.

    Attributes:
        by: Median difference of their losses, absolute, in nats.
        until: The last step of both that was compared.
        level: Median loss there, in nats.
        noise: What white noise alone makes of such a median, at most, in nats.
    """

    by: float
    until: int
    level: float
    noise: float

    def more_than(self, share: float) -> bool:
        """Whether it is more than a share of the loss, and more than noise."""
        return self.by > max(share * self.level, self.noise)


def apart(one: LossCurve, other: LossCurve, skip: int) -> Apart | None:
    """By how much two runs differ while they have one schedule; ``None``: too little in common.

    Losses before step ``skip`` are not compared. Runs that were logged at other steps, or as means
    over other updates, are compared at the steps of the one with fewer.
    """
    shared = agreement(one.schedule, other.schedule)
    if shared <= skip:
        return None
    low = max(skip, one.schedule.warmup, int(one.steps[0]), int(other.steps[0]))
    high = min(shared, int(one.steps[-1]), int(other.steps[-1]))
    parts = [run.some((run.steps >= low) & (run.steps <= high)) for run in (one, other)]
    if min(map(len, parts)) < LEAST:
        return None
    sparse, dense = sorted(parts, key=len)
    steps, i, j = np.intersect1d(sparse.steps, dense.steps, True, return_indices=True)
    same = sparse.begins[i] == dense.begins[j]
    if 2 * int(same.sum()) >= len(dense):
        steps, loss = steps[same], sparse.loss[i][same]
        gaps = loss - dense.loss[j][same]
    elif not any(map(_late, parts)):
        steps, loss = sparse.steps, sparse.loss
        gaps = _gaps(sparse, dense)
    else:
        return None
    if gaps.size < LEAST:
        return None
    by = abs(float(np.median(gaps)))
    level = float(np.median(loss))
    noise = ERRORS * white_noise(gaps) / gaps.size**0.5
    return Apart(by=by, until=int(steps[-1]), level=level, noise=noise)


def _late(run: LossCurve) -> bool:
    """Whether its losses are averages over nobody knows what, so of an earlier update."""
    return run.loss_is != "instant" and run.window is None


def _middles(run: LossCurve) -> FloatArray:
    """The updates that losses are of: of a mean the middle one."""
    return (run.begins + run.steps) / 2


def _gaps(sparse: LossCurve, dense: LossCurve) -> FloatArray:
    """Differences of two runs around the losses of the first, which has fewer.

    Of the other the mean is taken of all losses that are nearer to each than half the way to its
    neighbours, and it is compared with the first where those are on average; where there are no
    three of them, with the other between two losses.
    """
    at, where = _middles(sparse), _middles(dense)
    half = np.diff(at) / 2
    reach = np.minimum(np.append(half, half[-1]), np.append(half[0], half))
    first = np.searchsorted(where, at - reach)
    last = np.searchsorted(where, at + reach, side="right")
    count = np.maximum(last - first, 1)
    places, means = (
        (total[last] - total[first]) / count
        for total in (np.append(0.0, np.cumsum(each)) for each in (where, dense.loss))
    )
    few = last - first < 3
    places[few] = np.clip(at[few], where[0], where[-1])
    means[few] = np.interp(np.log(places[few]), np.log(where), dense.loss)
    return np.interp(np.log(places), np.log(at), sparse.loss) - means


def other_trunks(curves: Sequence[LossCurve], skip: int) -> Note | None:
    """What to say of runs that share a schedule for a while, but not their losses there.

    Args:
        curves: The runs as they were logged.
        skip: Losses before this step are early, and not compared.

    >>> import losslaw as ll
    >>> law = ll.Effective(L0=2.0, A=0.5, N=40.0)
    >>> run = law.curve(ll.constant(peak=1e-3, horizon=4000), range(20, 4001, 20), "one")
    >>> other_trunks([run, run.with_(label="same")], 400) is None
    True
    >>> print(other_trunks([run, run.with_(label="other", loss=run.loss + 0.02)], 400))
    one and other have one schedule up to step 4,000, but differ by 0.020 nats there: other data or another seed, for which intervals are wider
    """  # noqa: E501
    worst, sentence = 0.0, ""
    for one, other in combinations(curves, 2):
        if one.model_size != other.model_size:
            continue
        found = apart(one, other, skip)
        if found is not None and found.by > worst and found.more_than(DIFFERENT):
            worst = found.by
            sentence = (
                f"{one.label} and {other.label} have one schedule up to step"
                f" {found.until:,}, but differ by {found.by:.3f}{after_numbers(one.unit)} there:"
                " other data or another seed, for which intervals are wider"
            )
    return Note(text=sentence) if sentence else None
