"""Batch and learning rate together, for a number of samples.

A larger batch adds less noise for the samples it costs, and leaves fewer updates: early in a run,
where signal is to be learnt, that is a loss, and late, where noise is to be forgotten, a gain. The
batches are those the hardware allows (doublings, say), in rising order; what is searched is when
each begins, in samples, together with the knobs of the learning rate, which follows the samples
seen and not the updates done.

Where only the noise of an update knows the batch, as ``lr^2 / batch`` (the law `convolution`), rate
and batch are one: in samples seen, both time and noise depend on ``lr / batch`` alone. There a free
form of the rate at the smallest batch turns into a schedule of growing batches with the same loss
and far fewer updates, one after the other (`free`).

Of a fit in which several laws answer together the heaviest one is minimised, and losses are those
of all laws that see the batch, with their weights for the schedule found.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from losslaw.curves.objective import LOSS, Measure, Objective
from losslaw.designing.baselines import baselines
from losslaw.designing.design import usual_peak, usual_warmup
from losslaw.designing.free_form import search
from losslaw.designing.gains import Gains
from losslaw.designing.record import opening, trust_as_dict
from losslaw.designing.task import (
    LONGEST_DESIGNED,
    Constraints,
    pose,
    refuse_blind,
)
from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.fitting import Fit
from losslaw.fitting.mixture import Mixture, Question
from losslaw.fitting.trust import Trust, trust_of
from losslaw.laws import LAWS, Query
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.magnitudes import PEAK
from losslaw.progress import silent
from losslaw.schedules import Schedule
from losslaw.schedules.families import warmup_updates

SCALE = 1e3
# Of the interval that says whether an answer is of use.
LEVEL = 0.9
RATES = ("constant", "wsd", "free")


@dataclass(frozen=True, kw_only=True)
class BatchDesign(Plotted):
    """A schedule of learning rate and batch for a number of samples.

    Attributes:
        schedule: The schedule: rate and batch of every update.
        loss: Its predicted final loss, in nats per token.
        begins: Samples seen when each batch of the schedule begins, by batch.
        constant: Predicted final loss of each batch alone, its learning rate searched alike.
        updates: Number of updates, and of the same samples at the smallest batch.
        trust: What stands behind the loss; ``None`` where one law answers alone.
        measure: How losses are written.
    """

    schedule: Schedule
    loss: float
    begins: dict[float, float]
    constant: dict[float, float]
    updates: tuple[int, int]
    trust: Trust | None = None
    measure: Measure = LOSS

    @property
    def gain(self) -> float:
        """How much lower it ends than the best constant batch."""
        return min(self.constant.values()) - self.loss

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "loss": self.loss,
            "unit": self.measure.unit,
            "trust": trust_as_dict(self.trust),
            "gain": self.gain,
            "begins": self.begins,
            "constant": self.constant,
            "updates": self.updates,
            "schedule": {
                "lr": self.schedule.lr.tolist(),
                "batch": None if self.schedule.batch is None else self.schedule.batch.tolist(),
            },
        }

    def __str__(self) -> str:
        measure = self.measure
        said = "" if measure.relative else "predicted "
        samples = 1.0 if self.schedule.batch is None else float(self.schedule.batch.sum())
        lines = [
            *opening(self.trust),
            f"{said}final {measure.name} {measure.value(self.loss).strip()} after"
            f" {self.updates[0]:,} updates",
        ]
        for size, begin in self.begins.items():
            lines.append(f"  batch {size:g} from sample {begin:,.0f} on ({begin / samples:.1%})")
        lines.append(f"instead, one batch all along (smallest: {self.updates[1]:,} updates):")
        for size, loss in self.constant.items():
            cost = measure.difference(loss - self.loss, self.loss).strip()
            lines.append(f"  batch {size:g}: {measure.value(loss).strip()}, it costs {cost}")
        return "\n".join(lines)


def design_batch(
    fit: Fit | Objective,
    samples: float,
    *,
    batches: Sequence[float],
    peak: float | None = None,
    rate: str = "wsd",
    warmup: float | None = None,
    weight_decay: float | None = None,
) -> BatchDesign:
    """When to grow the batch, and how the learning rate goes with it.

    Args:
        fit: A fit, or a law, that knows the batch: `convolution`, or `effective` fitted to runs of
            known batch; or a `KernelRegression`.
        samples: Sequences to see in all.
        batches: Batches the hardware allows, in sequences, rising: ``(64, 128, 256)``.
        peak: Largest learning rate; ``None``: that of the fitted runs, if they have one, or 0.9 of
            the largest that a `KernelRegression` stands at the smallest batch.
        rate: ``constant``; ``wsd``, the peak and a linear cooldown over a share of the samples,
            found too; or ``free`` (law `convolution` only).
        warmup: Updates of warm-up, at the smallest batch, or below 1 a share of the samples;
            ``None``: that of the fitted runs, if they have one.
        weight_decay: Decoupled weight decay.

    Returns:
        The design.

    Raises:
        InputError: batches that do not rise, a law that is blind to them, or too few samples.

    >>> import losslaw as ll
    >>> law = ll.Convolution(A=1.0, N=1.0, s=0.5, q=1.75, c=1.0)
    >>> made = design_batch(law, 4000, batches=(1, 16), peak=1.0, rate="constant")
    >>> made.gain > 0, made.updates[0] < made.updates[1]
    (True, True)
    """
    law = fit.law if isinstance(fit, Fit) else fit
    if peak is None:
        smallest = min(batches, default=1.0)
        peaks = (0.0, usual_peak(fit)) if isinstance(fit, Fit) else fit.peaks(smallest)
        if peaks is None:
            raise InputError("a law alone does not know how high rates may be: give peak")
        peak = peaks[1]
    PEAK.check("peak", peak)
    if warmup is None:
        warmup = usual_warmup(fit) if isinstance(fit, Fit) else 0
    if batches and batches[0] > 0:
        warmup = warmup_updates(warmup, samples / batches[0])
    if warmup < 0 or int(warmup) != warmup:
        raise InputError(f"warmup is {warmup:g}, expected a whole number of updates, at least 0")
    warmup = int(warmup)
    sizes = _checked(law, fit, samples, batches, rate, warmup)
    refuse_blind(law, fit.uncertainty if isinstance(fit, Fit) else None)
    if weight_decay is None and isinstance(fit, Fit):
        weight_decay = fit.usual_weight_decay
    plan = _Plan(law, float(samples), sizes, peak, rate, warmup, weight_decay)
    tried: list[Schedule] = []  # each batch alone, then all together
    starts: list[FloatArray] = []
    for i, batch in enumerate(sizes):
        single = replace(plan, sizes=(batch,))
        if rate == "free":
            tried.append(single.free())
            continue
        theta = single.searched([])
        tried.append(single.at(theta))
        # This batch almost from the first sample to the last, as a place to begin from.
        places = [0.98 if j < i else 0.02 for j in range(len(sizes) - 1)]
        starts.append(np.concatenate([logit(np.array(places)), theta]))
    alone = dict(zip(sizes, tried, strict=True))
    tried.append(plan.free() if rate == "free" else plan.at(plan.searched(starts)))
    # One batch all along is a schedule of growing batches too; the free form is as good as the
    # smallest one alone, in fewer updates.
    schedule = tried[-1] if rate == "free" else min(tried, key=plan.loss)
    size: Any = schedule.batch
    seen = np.concatenate([[0.0], np.cumsum(size)])
    first = {batch: int(np.argmax(size == batch)) for batch in sizes if (size == batch).any()}
    begins = {batch: float(seen[update]) for batch, update in first.items()}
    gains, trust = Gains.of_law(law, None, LEVEL), None
    if isinstance(fit, Fit) and fit.mixture is not None:
        question = _of_those_that_see(fit.mixture, schedule)
        gains, trust = Gains.of_question(question, LEVEL), trust_of(fit.mixture, question, LEVEL)
    loss = gains.loss(schedule)
    return BatchDesign(
        schedule=schedule,
        loss=loss,
        begins=begins,
        constant={batch: loss + gains.gain(schedule, each) for batch, each in alone.items()},
        updates=(schedule.horizon, int(samples // sizes[0])),
        trust=trust,
        measure=replace(law.measure, unit=fit.unit) if isinstance(fit, Fit) else law.measure,
    )


def _of_those_that_see(mixture: Mixture, schedule: Schedule) -> Question:
    """What all laws say of a schedule, but for those that the batch is nothing to."""
    question = mixture.question(Query.of(schedule, [schedule.horizon]))
    weights = question.weights * [law.sees_batch for law in question.laws]
    return question.weighed(weights / weights.sum()) if weights.sum() > 0 else question


def _checked(
    law: Objective,
    fit: Fit | Objective,
    samples: float,
    batches: Sequence[float],
    rate: str,
    warmup: int,
) -> tuple[float, ...]:
    if rate not in RATES:
        raise InputError(f"rate {rate!r}: expected one of {', '.join(RATES)}")
    blind = not law.sees_batch
    if isinstance(fit, Fit) and any(curve.schedule.batch is None for curve in fit.curves):
        blind = True
    if blind:
        raise InputError(
            f"this {law.name} law knows nothing of the batch: fit convolution or effective to runs"
            " whose batch is known"
        )
    if rate == "free" and not law.rate_over_batch:
        able = ", ".join(repr(name) for name, kind in LAWS.items() if kind.rate_over_batch)
        raise InputError(f"the free form of rate and batch is for the law {able} only")
    sizes = tuple(float(batch) for batch in batches)
    rising = all(a < b for a, b in itertools.pairwise(sizes))
    if not sizes or not rising or not (np.isfinite(sizes).all() and sizes[0] > 0):
        raise InputError(f"batches are {list(sizes)}, expected sizes above 0 in rising order")
    if not (np.isfinite(samples) and samples >= (warmup + 4) * sizes[-1]):
        raise InputError(
            f"{samples:g} samples are fewer than four updates of the largest batch,"
            f" {sizes[-1]:g}, after a warm-up of {warmup}"
        )
    if samples / sizes[0] > LONGEST_DESIGNED:
        raise InputError(
            f"{samples:g} samples are more than {LONGEST_DESIGNED:,} updates of batch {sizes[0]:g}:"
            " give a larger smallest batch"
        )
    return sizes


@dataclass(frozen=True)
class _Plan:
    law: Objective
    samples: float
    sizes: tuple[float, ...]
    peak: float
    rate: str
    warmup: int
    weight_decay: float | None

    def loss(self, schedule: Schedule) -> float:
        return self.law.quick(schedule)

    def made(self, left: FloatArray, cooldown: float, final: float) -> Schedule:
        """Batches that begin when ``left`` samples are left, rates that follow the samples."""
        ends = np.concatenate([self.samples - left, [self.samples]])
        # Whole updates of each batch; what a stage cannot spend the next one has.
        counts: list[int] = []
        seen = 0.0
        for batch, end in zip(self.sizes, ends.tolist(), strict=True):
            counts.append(max(round((end - seen) / batch), 0))
            seen += counts[-1] * batch
        if seen > self.samples:
            counts[-1] = max(counts[-1] - 1, 1)
        batch = np.repeat(np.array(self.sizes), counts)
        rest = 1.0 - np.cumsum(batch) / self.samples
        level = np.clip(rest / cooldown, 0.0, 1.0) if cooldown > 0 else np.ones_like(rest)
        lr = self.peak * (final + (1.0 - final) * level)
        ramp = min(self.warmup, lr.size)
        lr[:ramp] *= np.arange(1, ramp + 1) / max(ramp, 1)
        return Schedule(lr, batch, self.weight_decay, ramp)

    def at(self, theta: FloatArray) -> Schedule:
        """The schedule at places and knobs: logits of shares, each place of what is left."""
        share = np.asarray(expit(theta), dtype=np.float64)
        jumps = len(self.sizes) - 1
        left = self.samples * np.multiply.accumulate(share[:jumps])
        cooldown, final = share[jumps:] if self.rate == "wsd" else (0.0, 1.0)
        return self.made(left, float(cooldown), float(final))

    def searched(self, starts: list[FloatArray]) -> FloatArray:
        """Places of the jumps and knobs of the rate, by differences of the loss."""
        jumps = len(self.sizes) - 1
        knobs = [0.3, 0.05] if self.rate == "wsd" else []
        if jumps + len(knobs) == 0:
            return np.empty(0)
        for first in (0.1, 0.6) if jumps else (0.1,):
            places = [first, *[0.6] * (jumps - 1)][:jumps]
            starts = [*starts, logit(np.array([*places, *knobs]))]
        # The best few places to begin from are followed.
        starts = sorted(starts, key=lambda theta: self.loss(self.at(theta)))[:3]
        best, lowest = starts[0], np.inf
        scale = SCALE / self.law.measure.one(self.loss(self.at(best)))
        for begin in starts:
            end: Any = minimize(
                lambda theta: scale * self.loss(self.at(theta)),
                begin,
                method="L-BFGS-B",
                bounds=[(-12.0, 12.0)] * begin.size,
                # Whole updates make steps in the loss: differences wide enough to see past them.
                options={"eps": 2e-2, "ftol": 1e-8, "maxiter": 60, "maxfun": 1500},
            )
            if float(end.fun) < lowest:
                best, lowest = np.asarray(end.x, dtype=np.float64), float(end.fun)
        return best

    def free(self) -> Schedule:
        """The free form of the rate at the smallest batch, its updates gathered in larger ones.

        A group of updates with rates of mean ``g`` becomes one of the batch of all of them and
        the sum of their rates: the largest group whose rate is at most the peak.
        """
        small = self.sizes[0]
        constraints = Constraints(
            horizon=int(self.samples // small),
            peak=self.peak,
            warmup=self.warmup,
            batch=small,
            weight_decay=self.weight_decay,
        )
        task = pose(self.law, constraints)
        usual = baselines(task)
        begin = {name: usual[name] for name in ("wsd", "linear")}
        rates = search(task, begin, silent).schedule.lr
        lr: list[float] = []
        batch: list[float] = []
        k = 0
        largest = small
        while k < rates.size:
            if k >= self.warmup:
                for size in self.sizes:  # batches only grow
                    group = rates[k : k + round(size / small)]
                    if size > largest and group.sum() <= self.peak * (1 + 1e-9):
                        largest = size
            count = min(round(largest / small), rates.size - k)
            lr.append(float(rates[k : k + count].sum()))
            batch.append(count * small)
            k += count
        return Schedule(lr, batch, self.weight_decay, self.warmup)
