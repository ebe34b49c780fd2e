"""Final loss of each law and its gradient by every learning rate, in O(n).

`final_loss` gives what ``law.predict(schedule, [horizon])`` gives, and the gradient with it. Each
law's formula is written here a second time, for the last step only, where ages are known and no
scan over the past is needed; the tests hold both to each other and the gradient to differences.
A law without an entry in ``GRADIENTS`` can still be searched over the families.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from losslaw.errors import InputError
from losslaw.laws import (
    Chinchilla,
    Convolution,
    Effective,
    Functional,
    Instantaneous,
    LastIterate,
    Law,
    Momentum,
    MultiPower,
    Query,
)
from losslaw.numerics.arrays import FloatArray, IntArray, dot
from losslaw.numerics.last_step import (
    EffectiveRate,
    before,
    from_here,
    kernel_over_update,
    time_left,
)
from losslaw.schedules import Schedule

Gradient = tuple[float, FloatArray]


@dataclass(frozen=True)
class Updates:
    """Updates one by one, or in blocks of equal ones. Arrays of shape ``(b,)``.

    Attributes:
        lr: Learning rate, the mean over a block.
        count: Updates in each block.
        batch: Batch size, if known.
        weight_decay: Weight decay.
        drops: Fall of the rate into each.
        quiet: How many of the first have no fall that counts.
        first_rate: The first learning rate above zero.
    """

    lr: FloatArray
    count: FloatArray
    batch: FloatArray | None
    weight_decay: FloatArray
    drops: FloatArray
    quiet: int
    first_rate: float

    @property
    def time(self) -> FloatArray:
        """Intrinsic time that passes in each."""
        return self.count * self.lr


def final_loss(law: Law, schedule: Schedule, starts: IntArray | None = None) -> Gradient:
    """Loss after the last update, in nats per token, and its gradient by the learning rates.

    Args:
        law: A law with an entry in ``GRADIENTS``.
        schedule: Any schedule.
        starts: First updates (0-based) of blocks that are taken together, for a loss that is
            nearly right and cheap; ``None``, or a law that is cheap anyway: every update by itself.

    Returns:
        The loss, and its derivative by each rate. Shape ``(n,)``.

    Raises:
        InputError: the law has no gradient.

    >>> from losslaw import Convolution
    >>> loss, gradient = final_loss(Convolution(A=1.0, s=1.0), Schedule([1.0, 1.0]))
    >>> loss, gradient.tolist()
    (0.5, [-0.25, -0.25])
    """
    if not has_gradient(law):
        raise InputError(f"law {law.name!r} has no gradient: search a family, as in family='wsd'")
    query = Query.of(schedule, [schedule.horizon])
    if starts is None or type(law) not in BLOCKS:
        loss, gradient = GRADIENTS[type(law)](law, _updates(law, query))
        return float(loss), gradient
    loss, gradient = GRADIENTS[type(law)](law, _blocks(law, query, starts))
    count = np.diff(starts, append=schedule.horizon)
    return float(loss), np.repeat(gradient / count, count)


def has_gradient(law: Law) -> bool:
    """Whether `final_loss` knows this law."""
    return type(law) in GRADIENTS


def _warmup_drops(law: Law) -> bool:
    return bool(getattr(law, "warmup_drops", False))


def _updates(law: Law, query: Query) -> Updates:
    lr, counted = query.lr, _warmup_drops(law)
    return Updates(
        lr,
        np.ones_like(lr),
        query.batch,
        query.weight_decay,
        query.drops(warmup_drops=counted),
        0 if counted else max(query.schedule.warmup, 1),
        query.first_rate,
    )


def _blocks(law: Law, query: Query, starts: IntArray) -> Updates:
    """Blocks of updates, their rates the mean ones."""
    count = np.diff(starts, append=query.lr.size).astype(np.float64)

    def mean(values: FloatArray) -> FloatArray:
        return np.add.reduceat(values, starts) / count

    lr = mean(query.lr)
    drops = -np.diff(lr, prepend=0.0)
    quiet = 0
    if not _warmup_drops(law):
        quiet = int(np.searchsorted(starts, max(query.schedule.warmup, 1)))
        drops[:quiet] = 0.0
    return Updates(
        lr,
        count,
        None if query.batch is None else mean(query.batch),
        mean(query.weight_decay),
        drops,
        quiet,
        query.first_rate,
    )


def _signal(law: Law, time: float, updates: Updates, amplitude: float, power: float) -> Gradient:
    """``L0 + amplitude * time^-power`` and its derivative by the time."""
    seen = max(time, updates.first_rate)
    value = amplitude * seen**-power
    return law.L0 + value, np.array(-power * value / seen)


def _by_drops(updates: Updates, gradient: FloatArray) -> FloatArray:
    """Gradient by the rates of what has ``gradient`` by the drops ``d[k] = lr[k-1] - lr[k]``."""
    counted = gradient.copy()
    counted[: updates.quiet] = 0.0
    out = -counted
    out[:-1] += counted[1:]
    return out


def _chinchilla(law: Chinchilla, updates: Updates) -> Gradient:
    seen = float(updates.lr.size if updates.batch is None else updates.batch.sum())
    return law.L0 + law.A * seen**-law.alpha, np.zeros(updates.lr.size)


def _instantaneous(law: Instantaneous, updates: Updates) -> Gradient:
    lr = updates.lr
    loss, slope = _signal(law, float(lr.sum()), updates, law.A, law.alpha)
    fall = float(updates.drops.sum())
    paid = _by_drops(updates, np.ones(lr.size))
    return loss - law.B * fall, slope - law.B * paid


def _momentum(law: Momentum, updates: Updates) -> Gradient:
    lr = updates.lr
    loss, slope = _signal(law, float(lr.sum()), updates, law.A, law.alpha)
    # A fall into update k counts 1 + lam + ... once for every update from there on.
    later = np.arange(lr.size, 0, -1)
    log = np.log(law.lam) if law.lam > 0 else -np.inf
    weight = -np.expm1(later * log) / (1 - law.lam)
    area = dot(updates.drops, weight)
    return loss - law.C * area, slope - law.C * _by_drops(updates, weight)


def _multipower(law: MultiPower, updates: Updates) -> Gradient:
    lr = updates.lr
    loss, slope = _signal(law, float(lr.sum()), updates, law.A, law.alpha)
    drops = updates.drops
    rest = time_left(lr) + lr  # S_k(T), the update's own time included
    moves = lr > 0
    scale = law.C * np.where(moves, lr, 1.0) ** -law.gamma
    grown = np.log1p(scale * rest)
    gain = np.where(moves, -np.expm1(-law.beta * grown), (rest > 0) * 1.0)
    # d gain / d x at x = scale * rest; a fall to rate zero has paid all, whatever comes later.
    by_x = np.where(moves, law.beta * np.exp(-(law.beta + 1) * grown), 0.0)
    by_rest = drops * by_x * scale
    own = -law.gamma * by_rest * rest / np.where(moves, lr, 1.0)
    gradient = _by_drops(updates, gain) + np.cumsum(by_rest) + own
    return loss - law.B * dot(drops, gain), slope - law.B * gradient


def _functional(law: Functional, updates: Updates) -> Gradient:
    lr, count, time, drops = updates.lr, updates.count, updates.time, updates.drops
    loss, slope = _signal(law, float(time.sum()), updates, law.A, law.s)
    # The fall into a block is in its first update: at the end of that.
    past, left = _past(before(time) + lr), time_left(time) + (time - lr)
    noise = law.B + law.M * past**-law.s
    grown = np.log1p(law.c * left)
    gain = -np.expm1(-law.g * grown)
    by_left = drops * noise * law.g * law.c * np.exp(-(law.g + 1) * grown)
    by_past = drops * gain * law.M * -law.s * past ** (-law.s - 1)
    gradient = count * (before(by_left) + from_here(by_past) - by_past + by_left)
    gradient += by_past - by_left + _by_drops(updates, noise * gain)
    return loss - dot(drops, noise * gain), count * slope - gradient


def _convolution(law: Convolution, updates: Updates) -> Gradient:
    lr, count, time = updates.lr, updates.count, updates.time
    loss, slope = _signal(law, float(time.sum()), updates, law.A, law.s)
    size = np.ones_like(lr) if updates.batch is None else updates.batch
    past = _past(np.cumsum(time))
    noise = (law.N + law.M * past**-law.s) / size
    kept, end, start = kernel_over_update(time, time_left(time), law.q, law.c)
    # Each update leaves lr * kept * noise: lr^2 times the mean of the kernel over its own time.
    by_time = noise * lr * start + before(noise * lr * (start - end)) + slope
    by_time += from_here(lr * kept / size * law.M * -law.s * past ** (-law.s - 1))
    return loss + dot(lr, kept * noise), noise * kept + count * by_time


def _effective(law: Effective, updates: Updates) -> Gradient:
    lr, count = updates.lr, updates.count
    effective = EffectiveRate(lr, updates.weight_decay, law.h, law.kappa, law.p, count)
    size = law.relative_batch(updates.batch)
    worth = np.ones_like(lr) if size is None else size**law.c
    rate = effective.rate * worth
    time = count * rate
    loss, slope = _signal(law, float(time.sum()), updates, law.A, law.alpha)
    kept, end, start = kernel_over_update(time, time_left(time), law.q, law.r / law.q)
    # Injected noise over the rate, (1e3 e)^a / 1e3 / e, times the integral of the kernel.
    moves = np.where(rate > 0, rate, 1.0)
    noise = np.where(rate > 0, (1e3 * moves) ** law.a / 1e3 / moves, 0.0)
    if size is not None:
        noise = noise / size
    by_time = slope + law.N * (noise * start + before(noise * (start - end)))
    gradient = law.N * noise * (law.a - 1) * kept / moves + count * by_time
    loss += law.N * dot(noise, kept)
    return loss, effective.pull(gradient * worth)


def _lastiterate(law: LastIterate, updates: Updates) -> Gradient:
    lr = updates.lr
    loss, slope = _signal(law, float(lr.sum()), updates, law.A, law.alpha)
    last = int(np.flatnonzero(lr)[-1])  # updates at rate zero after it do not move the iterate
    moved = lr[: last + 1]
    rest = time_left(moved)[:-1]  # R(k+1) for the source lr[k]^2
    bound = (moved[-1] + float(np.sum(moved[:-1] ** 2 / rest))) / 2
    gradient = np.zeros_like(lr)
    gradient[:last] = moved[:-1] / rest
    gradient[last] = 0.5
    gradient[1 : last + 1] -= np.cumsum((moved[:-1] / rest) ** 2) / 2
    return loss + law.b * bound, slope + law.b * gradient


def _past(time: FloatArray) -> FloatArray:
    """``S``; infinite before any time has passed."""
    time[time == 0] = np.inf
    return time


GRADIENTS: dict[type[Law], Callable[[Any, Updates], Gradient]] = {
    Chinchilla: _chinchilla,
    Instantaneous: _instantaneous,
    Momentum: _momentum,
    MultiPower: _multipower,
    Functional: _functional,
    Convolution: _convolution,
    Effective: _effective,
    LastIterate: _lastiterate,
}
"""What computes the final loss of a law; enter a law of your own here."""

BLOCKS: frozenset[type[Law]] = frozenset({Functional, Convolution, Effective})
"""Laws worth taking updates together for: the others are cheap, or know no blocks."""
