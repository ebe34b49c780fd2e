"""Final loss of each law and its gradient by every learning rate, in O(n).

`final_loss` gives what ``law.predict(schedule, [horizon])`` gives, and the gradient with it. Each
law's formula is written here a second time, for the last step only, where ages are known and no
scan over the past is needed; the tests hold both to each other and the gradient to differences.
A law without an entry in ``GRADIENTS`` can still be searched over the families.
"""

from collections.abc import Callable
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
    Question,
    ask,
)
from losslaw.numerics.adjoint import (
    EffectiveRate,
    before,
    from_here,
    kernel_over_update,
    time_left,
)
from losslaw.numerics.arrays import FloatArray, dot
from losslaw.schedules import Schedule

Gradient = tuple[float, FloatArray]


def final_loss(law: Law, schedule: Schedule) -> Gradient:
    """Loss after the last update, in nats per token, and its gradient by the learning rates.

    Args:
        law: A law with an entry in ``GRADIENTS``.
        schedule: Any schedule.

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
    return GRADIENTS[type(law)](law, ask(schedule, [schedule.horizon]))


def has_gradient(law: Law) -> bool:
    """Whether `final_loss` knows this law."""
    return type(law) in GRADIENTS


def _signal(law: Law, time: float, question: Question, amplitude: float, power: float) -> Gradient:
    """``L0 + amplitude * time^-power`` and its derivative by the time."""
    L0 = float(getattr(law, "L0"))  # noqa: B009  (every law has it; the base class does not)
    seen = max(time, question.first_rate)
    value = amplitude * seen**-power
    return L0 + value, np.array(-power * value / seen)


def _by_drops(question: Question, gradient: FloatArray, warmup_drops: bool) -> FloatArray:
    """Gradient by the rates of what has ``gradient`` by the drops ``d[k] = lr[k-1] - lr[k]``."""
    counted = gradient.copy()
    if not warmup_drops:
        counted[: max(question.schedule.warmup, 1)] = 0.0
    out = -counted
    out[:-1] += counted[1:]
    return out


def _chinchilla(law: Chinchilla, question: Question) -> Gradient:
    loss = float(law.predict(question.schedule, question.steps)[0])
    return loss, np.zeros(question.lr.size)


def _instantaneous(law: Instantaneous, question: Question) -> Gradient:
    lr = question.lr
    loss, slope = _signal(law, float(lr.sum()), question, law.A, law.alpha)
    fall = float(question.drops(warmup_drops=law.warmup_drops).sum())
    paid = _by_drops(question, np.ones(lr.size), law.warmup_drops)
    return loss - law.B * fall, slope - law.B * paid


def _momentum(law: Momentum, question: Question) -> Gradient:
    lr = question.lr
    loss, slope = _signal(law, float(lr.sum()), question, law.A, law.alpha)
    # A fall into update k counts 1 + lam + ... once for every update from there on.
    later = np.arange(lr.size, 0, -1)
    log = np.log(law.lam) if law.lam > 0 else -np.inf
    weight = -np.expm1(later * log) / (1 - law.lam)
    area = dot(question.drops(warmup_drops=law.warmup_drops), weight)
    return loss - law.C * area, slope - law.C * _by_drops(question, weight, law.warmup_drops)


def _multipower(law: MultiPower, question: Question) -> Gradient:
    lr = question.lr
    loss, slope = _signal(law, float(lr.sum()), question, law.A, law.alpha)
    drops = question.drops(warmup_drops=law.warmup_drops)
    rest = time_left(lr) + lr  # S_k(T), the update's own time included
    moves = lr > 0
    scale = law.C * np.where(moves, lr, 1.0) ** -law.gamma
    grown = np.log1p(scale * rest)
    gain = np.where(moves, -np.expm1(-law.beta * grown), (rest > 0) * 1.0)
    # d gain / d x at x = scale * rest; a fall to rate zero has paid all, whatever comes later.
    by_x = np.where(moves, law.beta * np.exp(-(law.beta + 1) * grown), 0.0)
    by_rest = drops * by_x * scale
    own = -law.gamma * by_rest * rest / np.where(moves, lr, 1.0)
    gradient = _by_drops(question, gain, law.warmup_drops) + np.cumsum(by_rest) + own
    return loss - law.B * dot(drops, gain), slope - law.B * gradient


def _functional(law: Functional, question: Question) -> Gradient:
    lr = question.lr
    loss, slope = _signal(law, float(lr.sum()), question, law.A, law.s)
    drops = question.drops(warmup_drops=law.warmup_drops)
    past, left = _past(lr), time_left(lr)
    noise = law.B + law.M * past**-law.s
    grown = np.log1p(law.c * left)
    gain = -np.expm1(-law.g * grown)
    gradient = _by_drops(question, noise * gain, law.warmup_drops)
    gradient += before(drops * noise * law.g * law.c * np.exp(-(law.g + 1) * grown))
    gradient += from_here(drops * gain * law.M * -law.s * past ** (-law.s - 1))
    return loss - dot(drops, noise * gain), slope - gradient


def _convolution(law: Convolution, question: Question) -> Gradient:
    lr = question.lr
    loss, slope = _signal(law, float(lr.sum()), question, law.A, law.s)
    size = np.ones_like(lr) if question.batch is None else question.batch
    past, left = _past(lr), time_left(lr)
    noise = (law.N + law.M * past**-law.s) / size
    kept, end, start = kernel_over_update(lr, left, law.q, law.c)
    # Each update leaves lr * kept * noise: lr^2 times the mean of the kernel over its own time.
    gradient = noise * (kept + lr * start) + before(noise * lr * (start - end))
    gradient += from_here(lr * kept / size * law.M * -law.s * past ** (-law.s - 1))
    return loss + dot(lr, kept * noise), slope + gradient


def _effective(law: Effective, question: Question) -> Gradient:
    lr, decay = question.lr, question.weight_decay
    effective = EffectiveRate(lr, decay, law.h, law.kappa, law.p)
    size = law.relative_batch(question.batch)
    worth = np.ones_like(lr) if size is None else size**law.c
    rate = effective.rate * worth
    loss, slope = _signal(law, float(rate.sum()), question, law.A, law.alpha)
    kept, end, start = kernel_over_update(rate, time_left(rate), law.q, law.r / law.q)
    # Injected noise over the rate, (1e3 e)^a / 1e3 / e, times the integral of the kernel.
    moves = np.where(rate > 0, rate, 1.0)
    noise = np.where(rate > 0, (1e3 * moves) ** law.a / 1e3 / moves, 0.0)
    if size is not None:
        noise = noise / size
    by_rate = noise * ((law.a - 1) * kept / moves + start) + before(noise * (start - end))
    gradient = slope + law.N * by_rate
    loss += law.N * dot(noise, kept)
    return loss, effective.pull(gradient * worth)


def _lastiterate(law: LastIterate, question: Question) -> Gradient:
    lr = question.lr
    loss, slope = _signal(law, float(lr.sum()), question, law.A, law.alpha)
    last = int(np.flatnonzero(lr)[-1])  # updates at rate zero after it do not move the iterate
    moved = lr[: last + 1]
    rest = time_left(moved)[:-1]  # R(k+1) for the source lr[k]^2
    bound = (moved[-1] + float(np.sum(moved[:-1] ** 2 / rest))) / 2
    gradient = np.zeros_like(lr)
    gradient[:last] = moved[:-1] / rest
    gradient[last] = 0.5
    gradient[1 : last + 1] -= np.cumsum((moved[:-1] / rest) ** 2) / 2
    return loss + law.b * bound, slope + law.b * gradient


def _past(lr: FloatArray) -> FloatArray:
    """``S`` after each update; infinite before any time has passed."""
    past = np.cumsum(lr)
    past[past == 0] = np.inf
    return past


GRADIENTS: dict[type[Law], Callable[[Any, Question], Gradient]] = {
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
