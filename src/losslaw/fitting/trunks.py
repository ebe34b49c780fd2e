"""Whether runs that share a schedule were trained on the same data, by the losses they share.

Runs that branch from one trunk have its losses in common, to the last digit if the trunk was
trained once. Trained again with another seed or another order of the data, it is another trunk: its
losses are off by a few thousandths all along, and so may be those of the next run.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from losslaw.curves import LossCurve
from losslaw.fitting.status import Note
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
        shared = agreement(one.schedule, other.schedule)
        if shared <= skip:
            continue
        steps, i, j = np.intersect1d(one.steps, other.steps, True, return_indices=True)
        kept = (steps >= max(skip, one.schedule.warmup)) & (steps <= shared)
        kept &= one.begins[i] == other.begins[j]
        if int(kept.sum()) < LEAST:
            continue
        apart = (one.loss[i] - other.loss[j])[kept]
        by = abs(float(np.median(apart)))
        level = float(np.median(one.loss[i][kept]))
        if by > max(DIFFERENT * level, ERRORS * white_noise(apart) / kept.sum() ** 0.5, worst):
            worst = by
            sentence = (
                f"{one.label} and {other.label} have one schedule up to step"
                f" {int(steps[kept][-1]):,}, but differ by {by:.3f} nats there: other data or"
                " another seed, for which intervals are wider"
            )
    return Note(text=sentence) if sentence else None
