"""Losses of a very long log, averaged in blocks where they are read.

A log of 10^7 updates has more losses than anything is made of, and each has the noise of one batch.
Losses that follow one another are put together, as many in each block: a block is the mean over its
updates, and a law is compared with its own mean over the same ones (`LossCurve.window`). Since all
blocks count the same, their scatter is the noise of each. A gap in the log ends a block, and rates
are no concern of this: they are kept as they were logged.
"""

import numpy as np

from losslaw.numerics.arrays import FloatArray, IntArray

# Losses of one run that are kept as they are. A fit puts them into a few hundred blocks of its own.
MOST = 500_000
# A gap is as many times longer than the usual one.
GAP = 10


def in_blocks(
    steps: IntArray, loss: FloatArray, window: IntArray | None, most: int = MOST
) -> tuple[IntArray, FloatArray, IntArray]:
    """Last step, mean loss and window of each of ``most`` blocks, or of a few more.

    Args:
        steps: Updates done at each loss, increasing. Shape ``(m,)``.
        loss: The losses. Shape ``(m,)``.
        window: Updates that each is the mean over; ``None``: it is of one. Shape ``(m,)``.
        most: Blocks, where there are no gaps.

    >>> parts = in_blocks(np.arange(1, 7), np.array([6.0, 5, 4, 3, 2, 1]), None, most=3)
    >>> [part.tolist() for part in parts]
    [[2, 4, 6], [5.5, 3.5, 1.5], [2, 2, 2]]
    """
    starts = np.arange(most) * steps.size // most
    if steps[-1] - steps[0] >= steps.size:
        gaps = np.diff(steps)
        starts = np.union1d(starts, np.flatnonzero(gaps > GAP * np.median(gaps)) + 1)
    ends = np.append(starts[1:], steps.size)
    begins = steps[starts] - (0 if window is None else window[starts] - 1)
    last = steps[ends - 1]
    return last, np.add.reduceat(loss, starts) / (ends - starts), last - begins + 1
