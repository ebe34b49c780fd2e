"""The finished runs, their norms, and laws fitted to their losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np

import losslaw as ll
from losslaw.curves import LossCurve
from losslaw.fitting import Fit
from losslaw.lab import LabConfig, PlannedRun
from losslaw.laws import OneClock, Query, amplitude, shape
from losslaw.laws.query import Blocks
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.memory import power_law_memory
from losslaw.schedules import Schedule
from validation.lab_physics.train import FAMILIES, Family

SKIP = 400
USUAL_BATCH, USUAL_STD, USUAL_WIDTH = 16, 0.02, 64
# The kappa that the norms ask for, and the runs that predictions are made from.
KAPPA = 2200.0
BASE = ("decay_0.1/constant_3e-3", "decay_0.1/wsd_3e-3")


def constant(default: float, low: float, high: float, *starts: float) -> float:
    """A shape that stays fixed unless asked for, without a prior."""
    field: float = shape(default, "", low=low, high=high, starts=starts, free=False, zero=True)
    return field


@dataclass(frozen=True)
class Probe(OneClock):
    """The effective-rate law without priors, and with a power ``n`` for the noise of a batch.

    With ``e`` the effective rate and ``B`` the batch over 16, progress is made and noise forgotten
    in ``S = sum e B^c``, and an update injects ``(1e3 e)^a / 1e3 * B^(1 - n)`` of noise. Adam whose
    second moment is noise would have c = 1/2 and n = 1, SGD c = 0 and n = 2; the law itself has
    n = 2 - a c.
    """

    name: ClassVar[str] = "probe"
    title: ClassVar[str] = "effective-rate law without priors"

    alpha: float = shape(0.54, "", low=0.05, high=3.0, starts=(0.4, 0.8))
    kappa: float = constant(KAPPA, 1e-3, 1e6, 300.0, 2500.0)
    a: float = constant(1.8, 0.5, 4.0)
    q: float = constant(4.0 / 3.0, 0.2, 10.0)
    p: float = constant(2.0, 1.0, 4.0)
    h: float = constant(0.5, 0.05, 2.0, 0.3, 0.5)
    r: float = constant(245.0, 1e-2, 1e5, 30.0, 245.0)
    c: float = constant(0.5, 0.01, 3.0, 0.02, 0.5)
    B0: float = constant(float(USUAL_BATCH), 1.0, 1e3)
    n: float = constant(1.0, 0.1, 4.0, 1.0, 2.0)
    N: float = amplitude("")

    def informed(self, schedules: Sequence[Schedule]) -> Self:
        """Batches count relative to the usual one, whatever is fitted."""
        return self

    def columns(self, query: Query) -> Any:
        """Those of the law."""
        # The law keeps its terms under names that do not tell n or g: nothing is taken from there.
        return super().columns(query.in_blocks(query.block))

    def noise(self, rate: FloatArray, blocks: Blocks) -> FloatArray:
        """What is left of the noise; ``rate`` has the share of the batch in it."""
        size = self.relative_batch(blocks.batch)
        share, more = (1.0, 1.0) if size is None else (size**self.c, size ** (1.0 - self.n))
        injected = blocks.count * (1e3 * rate / share) ** self.a / 1e3 * more
        return power_law_memory(
            blocks.count * rate, injected, blocks.at, self.q, self.r / self.q, since="mean"
        )


@dataclass(frozen=True)
class Measured(Probe):
    """The same with the measured norms of these runs in place of ``v[k]``.

    ``e = lr * hidden^-h * outer^-g``: which norm is it that divides the rate?
    """

    g: float = constant(0.0, 1e-3, 2.0, 0.05, 0.3)

    def columns(self, query: Query) -> Any:
        """Those of the law, for the schedule of effective rates."""
        hidden, outer = measured_logs(query.schedule)
        rates = query.schedule.lr * np.exp(-self.h * hidden - self.g * outer)
        moved = Query(query.schedule.with_(lr=rates), query.steps, query.block)
        # With h = 0 the effective rate of a schedule is its rate.
        return Probe.columns(self.with_(h=0.0), moved)


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: its curve and the squared norms beside it, relative to the start.

    Attributes:
        family: Name of its folder.
        planned: How it was made.
        config: Sizes and constants.
        curve: Validation loss.
        hidden: Of the matrices of the blocks. Shape ``(points,)``.
        outer: Of embedding and positions. Shape ``(points,)``.
    """

    family: str
    planned: PlannedRun
    config: LabConfig
    curve: LossCurve
    hidden: FloatArray
    outer: FloatArray

    @property
    def schedule(self) -> Schedule:
        """Its schedule, weight decay and batch included."""
        return self.curve.schedule

    @property
    def final(self) -> float:
        """Mean loss of the last three evaluations, as the tables quote it."""
        return self.curve.final_loss

    def norm_terms(self) -> tuple[FloatArray, FloatArray]:
        """``v[k] = first + kappa * second`` at the steps of the curve."""
        first, second = np.empty(self.schedule.horizon), np.empty(self.schedule.horizon)
        v, w = 1.0, 0.0
        decay = self.schedule.weight_decay
        assert decay is not None
        for k, lr in enumerate(self.schedule.lr):
            kept = 1.0 - 2.0 * decay[k] * lr
            v, w = v * kept, w * kept + lr**2
            first[k], second[k] = v, w
        at = self.curve.steps - 1
        return first[at], second[at]

    def kappas(self, norm: FloatArray) -> FloatArray:
        """The kappa that makes v[k] the measured norm, at each step of the curve."""
        first, second = self.norm_terms()
        return (norm - first) / second


@cache
def runs() -> dict[str, Run]:
    """All finished runs, by ``family/label``."""
    return {
        f"{family.name}/{planned.label}": run
        for family in FAMILIES
        for planned in family.plan
        if (run := _read(family, planned)) is not None
    }


def _read(family: Family, planned: PlannedRun) -> Run | None:
    path = family.folder / f"{planned.label}.csv"
    if not path.exists():
        return None
    step, _, loss, norm2, hidden = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2).T
    if step[-1] < planned.schedule.horizon:
        return None  # still in training
    config = family.lab_config()
    schedule = planned.schedule.with_(
        weight_decay=config.weight_decay, batch=config.batch, sequence_length=config.context
    )
    label = f"{family.name}/{planned.label}"
    curve = LossCurve(schedule, step.astype(np.int64), loss, label=label)
    # Share of embedding and positions in the entries of all matrices: .2 at the usual width.
    share = 384 / (384 + 12 * config.layers * config.width)
    outer = (norm2 - (1 - share) * hidden) / share
    return Run(family.name, planned, config, curve, hidden, outer)


def several_peaks() -> list[Run]:
    """AdamW runs of the usual batch, width and start: every decay and peak."""
    return [run for run in runs().values() if run.family.startswith("decay_")]


def measured_logs(schedule: Schedule) -> tuple[FloatArray, FloatArray]:
    """Logs of the measured norms before each update of a run of `several_peaks`.

    Raises:
        LookupError: it is not the schedule of one.
    """
    for run in several_peaks():
        if run.schedule is schedule:
            before, at = np.arange(schedule.horizon), np.append(0, run.curve.steps)
            hidden, outer = np.log(run.hidden), np.log(run.outer)
            return (
                np.interp(before, at, np.append(0.0, hidden)),
                np.interp(before, at, np.append(0.0, outer)),
            )
    raise LookupError("no measured norms for this schedule")


def probe(fitted: Sequence[Run], *free: str, **fixed: Any) -> Fit:
    """The law without priors, fitted to these runs."""
    curves = [run.curve for run in fitted]
    return ll.fit(curves, Probe, free=["alpha", *free], fixed=fixed, skip=SKIP, uncertainty=False)


def error(fit: Fit, run: Run) -> float:
    """Predicted minus observed final loss, mean of the last three evaluations."""
    at = run.curve.steps[-3:]
    return float((fit.law.predict(run.schedule, at) - run.curve.loss[-3:]).mean())


def rmse(fit: Fit, run: Run) -> float:
    """Root mean square error from step `SKIP` on."""
    late = run.curve.steps >= SKIP
    at = run.curve.steps[late]
    return float(np.sqrt(np.mean((fit.law.predict(run.schedule, at) - run.curve.loss[late]) ** 2)))


def kappa_at(run: Run, norm: FloatArray, step: int) -> float:
    """Kappa that explains a norm at the last evaluation up to ``step``."""
    at = int(np.searchsorted(run.curve.steps, min(step, run.curve.steps[-1])))
    return float(run.kappas(norm)[at])


def constants() -> list[Run]:
    """Runs of AdamW at a constant rate that are long enough to speak of norms."""
    return [
        run
        for run in runs().values()
        if run.planned.label.startswith("constant")
        and run.schedule.horizon >= 1000
        and run.config.optimizer != "sgd"
    ]


def twin(run: Run, kind: str) -> Run | None:
    """The run that differs from a constant one by its decay alone."""
    return runs().get(f"{run.family}/{run.planned.label.replace('constant', kind)}")


def rescaled(schedule: Schedule, std: float) -> Schedule:
    """The schedule that does to weights of the usual start what this one does to others.

    If only the ratio of update to weight counts (h = 1/2), weights that begin ``s`` times smaller
    see a rate ``s`` times larger, and a decay (per update) that is what it was.
    """
    s = USUAL_STD / std
    decay = schedule.weight_decay
    assert decay is not None
    return schedule.scaled(s).with_(weight_decay=decay / s)


def end_of_law(run: Run) -> float:
    """``v`` after the last update, with the kappa that the start of the run asks for."""
    first, second = run.norm_terms()
    return float(first[-1] + KAPPA * (USUAL_STD / run.config.init_std) ** 2 * second[-1])
