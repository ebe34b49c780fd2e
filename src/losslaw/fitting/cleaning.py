"""What of a log is fitted: spikes and a divergence are left out, dense logs are averaged.

A law says where the mean of the loss goes. Losses that leave it and come back (a spike), or leave
it for good (a divergence), say nothing of that, and a few of them widen an interval forty times. A
log of every update has far more points than a fit can use, each with the noise of one batch.

* A spike is more than ``SPIKE`` scatters and ``SPIKE_SHARE`` of the loss above the running median,
  and above the losses before it, with its flanks down to ``FLANK`` scatters. In a dense log the
  blocks are looked at as well: a bump that is hidden in the noise of single updates stands out
  there.
* A run has diverged if its running median ends ``DIVERGED`` scatters and ``DIVERGED_SHARE`` of the
  loss above its lowest value; it is cut where it left that.
* More than ``MANY`` points are averaged in ``BLOCKS`` blocks or some more, each at its mean step:
  blocks are shorter where the loss may bend, near the beginning, where the rate changes, after a
  jump.

Where the rate has risen the loss rises for a reason, and nothing is taken for a spike or a
divergence. A fall of the rate makes the loss fall, which no rule here looks at. Nothing is removed
from files or figures, and whatever is left out is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from losslaw.curves import LossCurve
from losslaw.curves.curve import after_numbers, check_one_unit
from losslaw.fitting.problem import usual_skip
from losslaw.fitting.record import Fit
from losslaw.fitting.status import Note
from losslaw.numerics.arrays import BoolArray, FloatArray, IntArray, pieces
from losslaw.numerics.magnitudes import LOSS
from losslaw.numerics.robust import robust_sd, white_noise
from losslaw.schedules.agreement import SAME

# Fewer points than this are too few to tell a spike from the curve.
LEAST = 20
# Points of the running median: an eighth of the log within these.
WINDOW = (9, 31)
# Scatters, and share of the loss, above the running median. Of its flanks: scatters.
SPIKE, SPIKE_SHARE, FLANK = 8.0, 0.004, 3.0
# Losses no more than this above the running median are no spikes, however small the loss is.
LEAST_SPIKE = 2e-3
# Share of that by which the loss has risen above the three losses before.
RISEN = 0.5
# Share of the log before which no spike is looked for, and most that may be left out as spikes.
EARLY, MOST = 0.1, 0.08
# Scatters, and share of the loss, that the running median of a diverged run ends above its lowest.
DIVERGED, DIVERGED_SHARE = 10.0, 0.03
# A rise of the rate by this share of its peak is a reason for the loss to rise.
RISE = 0.02
# More points than this are averaged, in about so many blocks and those that bends ask for. With
# more of them each is noisier, and an interval that counts a run as a few points becomes wider:
# noise .04 in 50,000 rows makes it 1.14 times that of the clean log, with 150 blocks 1.23 times.
MANY, BLOCKS = 300, 110
# Longest block, as a share of what came before it: a power law bends by 1e-4 nats over it.
BEND = 0.07
# Change of the rate within a block, as a share of the peak; a larger one in one update is a jump.
TURN = 0.02
# Changes of the rate, as shares of the peak, after which blocks grow with the distance.
CHANGES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# Nats to which the noise of a short block is brought down, if that takes no more than a share of
# the usual points: its bend is then below its noise.
QUIET, SHORTEST = 2e-3, 1 / 16

# First and last step of points that follow one another.
Stretch = tuple[int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Cleaned:
    """The part of a run that is fitted.

    Attributes:
        curve: The points that are fitted, and those before them that are left out as early.
        spikes: What was left out as spikes.
        diverged: What was left out as a divergence; ``None``: nothing.
        counts: Of how many logged losses each point is the mean. Shape ``(m,)``.
        noise: White noise of one logged loss, in nats.
        last_step: The last step whose loss is fitted, by itself or in a block.
        notes: What was done, in at most one sentence.
    """

    curve: LossCurve
    spikes: tuple[Stretch, ...]
    diverged: Stretch | None
    counts: IntArray
    noise: float
    last_step: int
    notes: tuple[Note, ...]

    @property
    def left_out(self) -> tuple[Stretch, ...]:
        """First and last step of whatever was left out."""
        return self.spikes if self.diverged is None else (*self.spikes, self.diverged)

    @property
    def averaged(self) -> int:
        """Logged losses that the points are means of; 0: they are losses as logged."""
        together = self.counts > 1
        return int(self.counts[np.argmax(together) :].sum()) if together.any() else 0

    @property
    def variance(self) -> FloatArray:
        """Variance of each point from the noise of the losses that it is the mean of, in nats^2."""
        return self.noise**2 / self.counts


@dataclass(frozen=True, kw_only=True)
class CleanedRuns:
    """The runs of a fit.

    Attributes:
        runs: What is fitted of each.
        skip: Points before this step are early, and left out.
    """

    runs: tuple[Cleaned, ...]
    skip: int

    @property
    def curves(self) -> list[LossCurve]:
        """What is fitted."""
        return [run.curve for run in self.runs]

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was done, a sentence for each run to which something was."""
        return tuple(note for run in self.runs for note in run.notes)

    def remembered(self, fit: Fit) -> Fit:
        """The fit of these runs, which remembers what was left out of them."""
        curves = tuple(
            replace(fitted, left_out=run.left_out, last_step=run.last_step, averaged=run.averaged)
            for fitted, run in zip(fit.curves, self.runs, strict=True)
        )
        return replace(fit, curves=curves, notes=(*self.notes, *fit.notes))


def cleaned_runs(
    curves: Sequence[LossCurve], skip: int | None = None, *, keep_all: bool = False
) -> CleanedRuns:
    """The runs of a fit, cleaned.

    Args:
        curves: As they were logged.
        skip: Points before this step are early; ``None``: see `usual_skip`.
        keep_all: Whether all points are fitted as they are.

    Raises:
        InputError: losses that no run can have, or of several units.
    """
    check_one_unit(curves)
    start = start_of(curves, skip, keep_all=keep_all)
    runs = tuple(_as_logged(each) if keep_all else cleaned(each, start) for each in curves)
    return CleanedRuns(runs=runs, skip=start)


def start_of(
    curves: Sequence[LossCurve], skip: int | None = None, *, keep_all: bool = False
) -> int:
    """The step before which losses of these runs are early, which is all that they have in common.

    Args:
        curves: As they were logged.
        skip: That step, if it is said; ``None``: see `usual_skip`.
        keep_all: Whether all points are fitted as they are.

    Raises:
        InputError: losses that no run can have.
    """
    for curve in curves:
        LOSS.check(f"curve {curve.label!r}: one of the losses", curve.loss)
    return usual_skip(curves, keep_all=keep_all) if skip is None else skip


def cleaned(curve: LossCurve, skip: int = 0) -> Cleaned:
    """What of a run is fitted.

    Args:
        curve: The run as it was logged.
        skip: Points before this step are left out as early, whatever they are: they stay.

    >>> import losslaw as ll
    >>> law = ll.Effective(L0=2.0, A=0.5, N=40.0)
    >>> run = law.curve(ll.constant(peak=1e-3, horizon=4000, warmup=100), range(20, 4001, 20))
    >>> loss = run.loss.copy()
    >>> loss[120] += 3
    >>> clean = cleaned(run.with_(loss=loss))
    >>> clean.left_out, len(clean.curve)
    (((2420, 2420),), 199)
    >>> print(clean.notes[0].text)
    1 point at step 2,420 left out: a spike (+3.00 nats)
    """
    steps, loss = curve.steps, curve.loss
    first = _first(curve, skip)
    kept = np.arange(steps.size) >= first
    if int(kept.sum()) < LEAST:
        return _as_logged(curve)
    rises = _rises(curve)
    said: list[str] = []
    unit = after_numbers(curve.unit)
    diverged: Stretch | None = None
    blocks = _blocks(curve, np.flatnonzero(kept))
    begins = np.array([each[0] for each in blocks])
    # Medians of blocks: no spike moves them, and in a noisy log they tell more than its losses.
    cut = _divergence(np.array([np.median(loss[each]) for each in blocks]), rises[begins])
    if cut is not None:
        after = slice(int(begins[cut]), None)
        diverged = (int(steps[after][0]), int(steps[-1]))
        kept[after] = False
        said.append(
            f"{_points(loss[after].size)} from step {diverged[0]:,} on left out: the run diverged"
            f" ({loss[after].max() - np.median(loss[blocks[cut - 1]]):+.2f}{unit})"
        )
    high, excess = _spikes(loss, kept, rises)
    blocks = _blocks(curve, np.flatnonzero(kept & ~high))
    if len(blocks) < np.count_nonzero(kept & ~high):
        means = np.array([loss[each].mean() for each in blocks])
        middles = np.array([each[each.size // 2] for each in blocks])
        bumps, heights = _spikes(means, np.ones(len(blocks), dtype=np.bool_), rises[middles])
        for block, bump, height in zip(blocks, bumps, heights, strict=True):
            if bump:
                high[block] = True
                excess[block] = height
    many, most = int(high.sum()), MOST * int(kept.sum())
    spikes: tuple[Stretch, ...] = ()
    if many > most:
        said.append(
            f"{_points(many)} stand out above their neighbours (up to {_height(excess[high])}"
            f"{unit}), too many of them to be left out as spikes: all are fitted"
        )
        high[:] = False
        blocks = _blocks(curve, np.flatnonzero(kept))
    elif many:
        spikes = _stretches(steps, high)
        said.append(
            f"{_points(many)} at {_where(spikes)} left out: {_named(spikes)}"
            f" ({'up to ' if many > 1 else ''}{_height(excess[high])}{unit})"
        )
        kept &= ~high
        blocks = [each for each in blocks if kept[each[0]]]
    early = np.arange(first)
    count = int(kept[first:].sum())
    if len(blocks) < count:
        said.append(f"{count:,} points averaged in {len(blocks)} blocks")
    groups = [*early[:, None], *blocks]
    return Cleaned(
        curve=_of_means(curve, groups),
        spikes=spikes,
        diverged=diverged,
        counts=np.array([each.size for each in groups], dtype=np.int64),
        noise=white_noise(loss[kept][first:]),
        last_step=int(steps[kept][-1]),
        notes=(Note(label=curve.label, text="; ".join(said)),) if said else (),
    )


def averaged(curve: LossCurve, skip: int = 0) -> LossCurve:
    """The run with its points from step ``skip`` on averaged in blocks, if they are many."""
    at = np.arange(len(curve))
    first = _first(curve, skip)
    return _of_means(curve, [*at[:first, None], *_blocks(curve, at[first:])])


def _first(curve: LossCurve, skip: int) -> int:
    """The first point that is not early."""
    return int((curve.begins < max(skip, curve.schedule.warmup + 1)).sum())


def _of_means(curve: LossCurve, groups: Sequence[IntArray]) -> LossCurve:
    """The mean loss of each group of points, at its mean step; of means, one over all updates."""
    loss = [float(curve.loss[each].mean()) for each in groups]
    if curve.window is None:
        steps = [round(float(curve.steps[each].mean())) for each in groups]
        return curve.with_(steps=steps, loss=loss)
    ends = curve.steps[[each[-1] for each in groups]]
    window = ends - curve.begins[[each[0] for each in groups]] + 1
    return curve.with_(steps=ends, loss=loss, window=window)


def _as_logged(curve: LossCurve) -> Cleaned:
    """All of a run."""
    return Cleaned(
        curve=curve,
        spikes=(),
        diverged=None,
        counts=np.ones(len(curve), dtype=np.int64),
        noise=white_noise(curve.loss),
        last_step=int(curve.steps[-1]),
        notes=(),
    )


# What stands out.


def _divergence(loss: FloatArray, rises: FloatArray) -> int | None:
    """Where a run has left its course for good, as an index of ``loss``; ``None``: it has not."""
    smooth, scatter = _smoothed(loss)
    # After a rise of the rate the loss rises to its new course: that is looked at from half-way on.
    risen = np.flatnonzero(rises[-1] - rises > RISE)
    since = (int(risen[-1]) + loss.size) // 2 if risen.size else 0
    lowest = float(smooth[since:].min())
    if smooth[-1] - lowest <= max(DIVERGED * scatter, DIVERGED_SHARE * lowest):
        return None
    return since + int(np.flatnonzero(smooth[since:] <= lowest + FLANK * scatter)[-1]) + 1


def _height(excess: FloatArray) -> str:
    """The highest, in two digits after the point or, of small losses, in two that count."""
    highest = float(excess.max())
    return f"{highest:+.2f}" if highest >= 0.1 else f"{highest:+.2g}"


def _spikes(loss: FloatArray, kept: BoolArray, rises: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Which of the kept points are spikes, and how far each is above the running median."""
    at = np.flatnonzero(kept)
    high, excess = np.zeros(loss.size, dtype=np.bool_), np.zeros(loss.size)
    if at.size < LEAST:
        return high, excess
    smooth, scatter = _smoothed(loss[at])
    above = loss[at] - smooth
    half = _window(at.size) // 2
    # Where the rate has risen within the window the loss rises for a reason.
    before = rises[at][np.maximum(np.arange(at.size) - 2 * half, 0)]
    able = rises[at] - before <= RISE
    able[: max(int(EARLY * at.size), half)] = False
    least = np.maximum(SPIKE_SHARE * smooth, LEAST_SPIKE)
    peaks = able & (above > np.maximum(SPIKE * scatter, least))
    flanks = able & (above > FLANK * scatter)
    for piece in pieces(flanks):
        high[at[piece]] = peaks[piece].any() and went_up(loss[at], piece, above[piece].max())
    excess[at] = above
    return high, excess


def went_up(loss: FloatArray, piece: slice, height: float) -> bool:
    """Whether the losses of a piece, above their neighbours by a height, are above those before.

    A spike goes up. Where a falling loss bends down it is above a running median too.
    """
    before = loss[max(piece.start - 3, 0) : piece.start]
    return before.size > 0 and bool(loss[piece].max() - np.median(before) > RISEN * height)


def _rises(curve: LossCurve) -> FloatArray:
    """All rises of the rate until each step of a curve, in shares of the peak. Shape ``(m,)``."""
    lr = curve.schedule.lr[: curve.steps[-1]]
    rises = np.cumsum(np.maximum(np.diff(lr, prepend=lr[0]), 0.0)) / lr.max()
    return rises[curve.steps - 1]


def _window(points: int) -> int:
    """Points of the running median, an odd number."""
    return int(np.clip(points // 8, *WINDOW)) // 2 * 2 + 1


def _smoothed(loss: FloatArray) -> tuple[FloatArray, float]:
    """The running median, and the scatter of losses about it in nats."""
    window = _window(loss.size)
    padded = np.pad(loss, window // 2, mode="reflect")
    smooth = np.median(sliding_window_view(padded, window), axis=1)
    # A running median passes through most points of a smooth curve: the noise may be more.
    return smooth, max(robust_sd(loss - smooth), white_noise(loss))


# Blocks.


def _blocks(curve: LossCurve, at: IntArray) -> list[IntArray]:
    """Points taken together, as indices of the curve; each by itself where they are few.

    A block of ``w`` updates at ``d`` updates after a change of the rate by a share ``x`` of its
    peak has ``x (w/d)^2 <= TURN``: the loss is a power of the distance, and bends with ``(w/d)^2``.
    """
    if at.size <= MANY:
        return [*at[:, None]]
    steps = curve.steps[at]
    lr = curve.schedule.lr[: steps[-1]]
    changes = np.abs(np.diff(lr, prepend=lr[0])) / lr.max()
    walked = np.cumsum(changes)
    # Updates before it as far as they count, at the peak rate: the loss is a power of these.
    behind = np.cumsum(lr)[steps - 1] / lr.max()
    longest = np.minimum((steps[-1] - steps[0]) / BLOCKS, BEND * behind)
    for change in CHANGES:
        changed = np.searchsorted(walked, walked[steps - 1] - change, side="right")
        distance = np.where(changed > 0, steps - changed, np.inf)
        longest = np.minimum(longest, distance * (TURN / change) ** 0.5)
    # To where the rate has changed by as much again.
    turned = np.searchsorted(walked, walked[steps - 1] + TURN, side="right") + 1
    noise = white_noise(curve.loss[at])
    least = int(np.clip((noise / QUIET) ** 2, 1, max(SHORTEST * at.size / BLOCKS, 1)))
    wanted = np.searchsorted(steps, np.minimum(steps + longest, turned))
    # Blocks end at jumps, and where the rate begins to change or comes to rest.
    moves = np.flatnonzero(changes > SAME) + 1
    rests = np.diff(moves, prepend=0, append=steps[-1]) > (steps[-1] - steps[0]) / BLOCKS / 2
    corners = [*np.flatnonzero(changes > TURN) + 1, *moves[rests[:-1]], *moves[rests[1:]] + 1]
    ends = np.unique([0, *np.searchsorted(steps, corners), at.size]).tolist()
    blocks: list[IntArray] = []
    for begin, end in pairwise(ends):
        i = begin
        while i < end:
            count = min(max(int(wanted[i]) - i, least), end - i)
            if count < end - i < 2 * count:
                count = (end - i + 1) // 2
            # The mean step is one of the steps, wherever they are even.
            if count > 1 and steps[i : i + count].sum() % count:
                count -= steps[i : i + count - 1].sum() % (count - 1) == 0
            blocks.append(at[i : i + count])
            i += count
    return blocks


# Words.


def _stretches(steps: IntArray, flags: BoolArray) -> tuple[Stretch, ...]:
    """Where flags are true, as first and last steps."""
    return tuple((int(steps[each][0]), int(steps[each][-1])) for each in pieces(flags))


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count:,} points"


def _named(stretches: Sequence[Stretch]) -> str:
    return "a spike" if len(stretches) == 1 else f"{len(stretches)} spikes"


def _where(stretches: Sequence[Stretch]) -> str:
    """The steps of up to three stretches, or the first and last of all."""
    words = [f"{a:,}" if a == b else f"{a:,}-{b:,}" for a, b in stretches]
    if len(words) > 3:
        words = [f"{stretches[0][0]:,}-{stretches[-1][1]:,}"]
    alone = len(words) == 1 and stretches[0][0] == stretches[-1][1]
    return ("step " if alone else "steps ") + ", ".join(words)
