"""A ladder of model sizes, corrected to one cooldown before a scaling law is fitted to it.

The last losses of runs that were annealed too briefly, or not at all, are too high, and by how much
depends on the size, the rate and the length: a law ``L(P) = E + F P^-b`` through them is of the
cooldowns as much as of the sizes. `ladder` fits all runs as one family (shapes shared, amplitudes
of each size its own) and corrects each end by what the fit says of the difference between the run
as it was and the same run with the common cooldown in its last updates,

    corrected = loss as it ended + law(common cooldown) - law(as it was),

all three means over the steps of the last three losses.

On three public sizes (24,000 updates; ends of decayed runs are the truth) ends were off by
.024 to .084 as they were and by .004 to .005 corrected (root mean square over the sizes); by .005
to .008 where the law's own losses were taken for ends, by .003 to .007 where each size was fitted
alone (validation/results/ladder.md).
"""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from losslaw.annealing.cooldown import USUAL, Cooldown
from losslaw.curves import LossCurve, Runs
from losslaw.curves.curve import check_one_unit, shared_unit
from losslaw.errors import InputError, expect_number
from losslaw.fitting.cleaning import cleaned_runs
from losslaw.fitting.final_loss import (
    SHARED_AT_HOME,
    SHARED_AWAY,
    FinalLoss,
    difference,
)
from losslaw.fitting.fit import fit as fit_law
from losslaw.fitting.mixture import FLOOR
from losslaw.fitting.model_sizes import SizeLaw, size_law
from losslaw.fitting.optimizer import all_by
from losslaw.fitting.record import Fit
from losslaw.fitting.rungs import Annealing, rungs_of, unlike_cooldowns
from losslaw.fleets.ladder_record import Ladder, Rung
from losslaw.laws import Law, Recipe
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Interval, Level
from losslaw.numerics.magnitudes import MODEL_SIZE
from losslaw.progress import Progress, silent
from losslaw.schedules import Schedule, decay_rates


def ladder(
    curves: Runs,
    *,
    over: float = USUAL,
    shape: str = "linear",
    final: float = 0.0,
    next_size: float | None = None,
    fit: Fit | None = None,
    law: str | type[Law] | Recipe = "auto",
    optimizer: str | None = None,
    level: float = 0.9,
    skip: int | None = None,
    keep_all: bool = False,
    progress: Progress = silent,
) -> Ladder:
    """Correct the ends of runs of several model sizes to one cooldown, and fit a law of size.

    Args:
        curves: Runs of at least two known model sizes; all of them are fitted. The rung of a size
            is its longest run, of several as long that of the lowest loss.
        over: Length of the common cooldown, the last updates of each run: updates (a whole number)
            or a share of all its updates, below 1.
        shape: Its shape: ``linear``, ``cosine``, ``exponential``, ``1-sqrt`` or ``power``.
        final: Learning rate at its end.
        next_size: A size to foretell; ``None``: as much larger than the largest as that is than the
            one before.
        fit: A saved fit of such runs, which corrects as it is.
        law: As in `losslaw.fit`.
        optimizer: As in `losslaw.fit`.
        level: Share of cases the intervals are meant to hold, in (0, 1).
        skip: Leave out points before this step; ``None``: as in `losslaw.fit`.
        keep_all: Fit all points as they are; see `losslaw.fit`.
        progress: Called with words as the work goes on.

    Raises:
        InputError: numbers out of range, sizes that are not known or only one, a run that is too
            short for the cooldown, or runs that cannot be fitted.
        FitError: no start led to finite losses.

    >>> import losslaw as ll
    >>> curves = []
    >>> for size, irreducible in {1e7: 3.0, 4e7: 2.8, 1.6e8: 2.66}.items():
    ...     law = ll.Effective(L0=irreducible, A=0.55, N=45.0)
    ...     run = ll.constant(peak=1e-3, horizon=3000, warmup=100, weight_decay=0.1)
    ...     curves.append(law.curve(run, range(50, 3001, 50), f"{size:g}").with_(model_size=size))
    >>> result = ll.ladder(curves, law="effective")
    >>> [rung.corrected < rung.ended for rung in result.rungs]
    [True, True, True]
    """
    Level(level)
    cooldown = Cooldown(over=over, shape=shape, final=final)
    if not isinstance(over, int) and over >= 1:
        raise InputError(
            f"cooldown over {over:g} of all updates of a run: expected a share below 1, as 0.2, or"
            " a whole number of updates"
        )
    runs = all_by(curves, optimizer)
    _check_sizes(runs, next_size)
    check_one_unit([*runs, *(() if fit is None else fit.curves)])
    progress("fitting")
    clean = cleaned_runs(runs, skip, keep_all=keep_all)
    made = fit
    if made is None:
        made = fit_law(clean.curves, law, skip=clean.skip, keep_all=True)
    logged = {run.label: run for run in runs}
    found = {size: logged[run.label] for size, run in rungs_of(clean.curves).items()}
    progress("correcting")
    rungs = [_corrected(made, run, size, cooldown, level) for size, run in found.items()]
    usual = made.law.size_exponent
    before = size_law(
        list(found),
        [rung.ended for rung in rungs],
        np.diag([(FLOOR * rung.ended) ** 2 for rung in rungs]),
        usual,
    )
    after = None
    if all(rung.interval is not None and rung.interval.bounded for rung in rungs):
        after = _law_after(rungs, level, usual, home=all(rung.home for rung in rungs))
    cured = unlike_cooldowns(clean.curves)
    following = _next(list(found)) if next_size is None else next_size
    return Ladder(
        rungs=tuple(rungs),
        cooldown=cooldown,
        level=level,
        before=before,
        after=after,
        next_size=following,
        unit=shared_unit(runs),
        trust=None if made.trust is None else str(made.trust),
        notes=tuple(str(note) for note in (*clean.notes, *made.notes) if note != cured),
        warnings=tuple(
            dict.fromkeys(
                [
                    *_impossible(before, after),
                    *_mixed(found),
                    *(text for run in runs for text in run.warnings),
                ]
            )
        ),
    )


def _impossible(before: SizeLaw, after: SizeLaw | None) -> list[str]:
    """What to think of a law whose loss falls below 0 with the size."""
    through = [("as ended", before), ("corrected", after)]
    below = [name for name, law in through if law is not None and law.E < 0]
    if not below:
        return []
    return [
        f"E through the ends {' and '.join(below)} is below 0, which no loss is: these sizes and"
        " lengths do not determine the law of size, and it holds between them at most"
    ]


def _mixed(found: Mapping[float, LossCurve]) -> list[str]:
    """What a law is of, besides the size, through ends of several optimisers."""
    used = sorted({run.optimizer for run in found.values() if run.optimizer})
    if len(used) < 2:
        return []
    return [
        f"the ends are of different optimisers ({', '.join(used)}): the law is of these as much as"
        " of the sizes"
    ]


def _check_sizes(runs: Sequence[LossCurve], next_size: float | None) -> None:
    """Check that a law of size can be fitted.

    Raises:
        InputError: a size that is not known, fewer than two, or a next one that is none.
    """
    for run in runs:
        if run.model_size is None:
            raise InputError(
                f"the model size of {run.label!r} is not known: say it in a meta.json beside the"
                f' log, {{"runs": {{{json.dumps(run.label)}: {{"params": 1.2e8}}, ...}}}}, or in'
                " Python with LossCurve.with_(model_size=)"
            )
    if len({run.model_size for run in runs}) < 2:
        raise InputError(
            f"{len(runs)} runs, all of one model size: a ladder needs at least two sizes"
        )
    if next_size is not None:
        expect_number("next size", next_size)
        MODEL_SIZE.check("next size", math.inf if math.isnan(next_size) else next_size)


def _next(sizes: Sequence[float]) -> float:
    return sizes[-1] ** 2 / sizes[-2]


def common(run: LossCurve, cooldown: Cooldown) -> Schedule:
    """The run up to its last loss, at its peak until the cooldown in its last updates.

    Raises:
        InputError: the cooldown is longer than the run after its warm-up.
    """
    done = run.schedule.prefix(int(run.steps[-1]))
    n = done.horizon
    length = cooldown.length(n)
    # The warm-up is what it was: the run up to the first update at its peak.
    risen = int(np.argmax(done.lr >= done.lr.max() * (1 - 1e-9))) + 1
    if n - length < risen:
        raise InputError(
            f"{run.label!r} has {n:,} updates and a warm-up of {risen:,}: a cooldown over"
            f" {length:,} is too long for it"
        )
    peak = float(done.lr.max())
    if cooldown.final >= peak:
        raise InputError(
            f"the cooldown ends at a rate of {cooldown.final:g}, and the peak of {run.label!r} is"
            f" {peak:g}"
        )
    held = np.full(n - length - risen, peak)
    rates = decay_rates(peak, cooldown.final, cooldown.shape, length)
    return done.with_(lr=np.concatenate([done.lr[:risen], held, rates]), spec=None)


def _corrected(fit: Fit, run: LossCurve, size: float, cooldown: Cooldown, level: float) -> Rung:
    """One rung: its end as it was, and what the common cooldown would have made of it."""
    wanted, had = common(run, cooldown), run.schedule.prefix(int(run.steps[-1]))
    settled = fit.settled(wanted, size)
    one, other = (FinalLoss.of(settled, each, size) for each in (wanted, had))
    change = difference(one, other, level)
    # A loss as it ended is the mean of the last three logged: the laws are asked about these too.
    last = run.steps[-3:]
    window = None if run.window is None else run.window[-3:]
    losses = [
        settled.predict(each, last, level, size, window=window).loss.mean()
        for each in (wanted, had)
    ]
    ended = run.final_loss
    corrected = ended + float(losses[0] - losses[1])
    interval = change.interval
    if interval is not None:
        off = corrected - change.loss
        interval = Interval(
            lower=off + interval.lower, upper=off + interval.upper, level=interval.level
        )
    return Rung(
        model_size=size,
        label=run.label,
        updates=had.horizon,
        had=Annealing.of(run),
        ended=ended,
        corrected=corrected,
        interval=interval,
        home=one.home,
    )


def _law_after(rungs: Sequence[Rung], level: float, usual: float, *, home: bool) -> SizeLaw:
    """The law through the corrected losses, whose errors are mostly common to all sizes."""
    z = Level(level).quantile
    sd = np.array(
        [0.0 if rung.interval is None else rung.interval.half_width / z for rung in rungs]
    )
    shared = SHARED_AT_HOME if home else SHARED_AWAY
    own = np.array([(FLOOR * rung.ended) ** 2 for rung in rungs])
    covariance: FloatArray = shared * np.outer(sd, sd) + np.diag((1 - shared) * sd**2 + own)
    sizes = [rung.model_size for rung in rungs]
    return size_law(sizes, [rung.corrected for rung in rungs], covariance, usual)
