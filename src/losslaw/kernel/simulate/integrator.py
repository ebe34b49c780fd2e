"""The exact recursion at any horizon: 10^12 updates in milliseconds.

Where rate and batch change slowly, many updates of `losslaw.kernel.simulate.recursion` act like a
differential equation, and not like the one of the papers: its coefficients are those of the
discrete update. Write one update of mode j as ::

    x <- a x + (1 - a) p,    a = (1 - eta lambda)^2 + c eta^2 lambda^2 / B,
    p = g (X + A + sigma^2), g = eta noise / (B lambda [2 - (1 + c/B) eta lambda])

``p`` is where the mode would come to rest. In its own clock ``ds = -ln(a)`` an update the mode
obeys ``dx/ds = p - x``, exactly as long as p is constant. When p moves, the update sees X half an
update late, and so does the equation below; and a mode follows p late, by ``1/(1-a) - 1/2``
updates where the equation has ``1/(-ln a)``. The difference d, next to nothing for slow modes and
up to half an update for fast ones, is made up for by driving the mode with ``p - d dp/dk``: exact
as long as p is a straight line. The clock of every mode is the effective rate ``r = -ln(a) / eta``
times intrinsic time.

A block of updates carries ``p`` as the parabola through its start, middle and end (in intrinsic
time) and integrates it exactly against ``exp(-s)``: three-point Lobatto collocation, whatever the
stiffness. The modes meet only in X at middle and end: a system of 2 x 2 a block. Blocks grow in
proportion to the distance from both ends of a smooth piece, next to which updates are done one by
one: a horizon costs its logarithm.
"""

import math
from dataclasses import dataclass

import numpy as np

from losslaw.kernel.modes import Modes
from losslaw.kernel.simulate import recursion
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.compiled import compiled
from losslaw.schedules.pieces import LongSchedule, Piece

# Updates done one by one at either end of a piece: what is left out in a block is of the order
# of the square of (one update / distance from the end).
SINGLE = 512
# A piece of fewer updates is done one by one from end to end: it costs less than a millisecond.
SHORT = 10_000
# Length of a block relative to the distance from the nearer end of the piece: within 3e-5 of the
# recursion at every update, where a noiseless run falls as t^-2 at nine tenths of the largest rate.
GROWTH = 0.07
# Rate or batch change by no more than this factor in a block.
LARGEST_CHANGE = 1.5


@dataclass(frozen=True, eq=False)
class Blocks:
    """The blocks of a piece: where they begin and end, and what its updates do there.

    Args:
        done: Updates of the piece done at the ends, the first block's start included. ``(b + 1,)``.
        left: Updates left there; next to the end of 10^24 updates ``n - done`` has no digits.
        length: Updates of each block. ``(b,)``.
        time: Intrinsic time of each block. ``(b,)``.
        lr: Rate at start, middle (in time) and end of each block. ``(b, 3)``.
        batch: Batch at the same places. ``(b, 3)``.
    """

    done: FloatArray
    left: FloatArray
    length: FloatArray
    time: FloatArray
    lr: FloatArray
    batch: FloatArray

    @property
    def mirrored(self) -> "Blocks":
        """The blocks of the mirrored piece."""
        turned = self.length[::-1], self.time[::-1], self.lr[::-1, ::-1], self.batch[::-1, ::-1]
        return Blocks(self.left[::-1], self.done[::-1], *turned)


def integrate(modes: Modes, schedule: LongSchedule, steps: FloatArray) -> FloatArray:
    """``X = sum_j x_j`` after the given numbers of updates.

    Args:
        modes: Nodes good until the intrinsic time of the whole schedule.
        schedule: The pieces.
        steps: Increasing whole numbers of updates, 1..horizon. Shape ``(m,)``.

    Returns:
        Shape ``(m,)``. Relative error below 3e-5 all along the run (tests; up to 10^7 updates).
    """
    x = modes.signal.copy()
    out = np.empty(steps.size)
    done = 0.0
    # Beyond 2^53 updates whole numbers are rounded: a step this near to an end of a piece is it.
    blur = 8 * np.spacing(float(schedule.horizon)) if schedule.horizon > 2**52 else 0.0
    for piece in schedule.pieces:
        n = float(piece.updates)
        inside = (steps > (done + blur if done else 0.0)) & (steps <= done + n + blur)
        at = np.where(np.abs(steps - done - n) <= blur, n, steps - done)[inside]
        out[inside] = _piece(modes, x, piece, at)
        done += n
        if done + blur >= steps[-1]:
            break
    return out


def _piece(modes: Modes, x: FloatArray, piece: Piece, at: FloatArray) -> FloatArray:
    """Move ``x`` through a piece; X after the updates ``at``, counted from its start."""
    n = piece.updates
    first, rest = ends(piece, last=not piece.flat)
    head, tail = at <= first, (at > n - rest) | (at == n)
    tail &= ~head & (rest > 0)
    between = ~(head | tail)
    out = np.empty(at.size)
    out[head] = _singly(modes, x, piece, first, n - first)[at[head].astype(np.int64)]
    if first + rest < n:
        blocks = cut(piece, first, rest, at[between])
        totals = through(modes, x, blocks, np.empty((0, 0)))
        out[between] = totals[np.searchsorted(blocks.done, at[between])]
    if rest:
        singly = _singly(modes, x, piece, rest, 0)
        out[tail] = singly[(rest - (n - at[tail])).astype(np.int64)]
    return out


def ends(piece: Piece, *, last: bool) -> tuple[int, int]:
    """Updates that are done singly at the beginning of a piece, and, if ``last``, at its end."""
    n = piece.updates
    first = min(n, SINGLE)
    rest = min(n - first, SINGLE) if last else 0
    return (n, 0) if n - first - rest < SHORT else (first, rest)


def through(modes: Modes, x: FloatArray, blocks: Blocks, states: FloatArray) -> FloatArray:
    """Move ``x`` through blocks, in place.

    Args:
        modes: The nodes.
        x: The state at the start. Shape ``(n,)``.
        blocks: The blocks.
        states: Gets the states at their ends, the first block's start included: of shape
            ``(b + 1, n)``, or empty if they are not wanted.

    Returns:
        X at the ends. Shape ``(b + 1,)``.
    """
    return _through_blocks(
        modes.rate, modes.noise, modes.floor, modes.own_noise, x,
        blocks.time, blocks.lr, blocks.batch, states,
    )  # fmt: skip


def _singly(modes: Modes, x: FloatArray, piece: Piece, count: int, left: int) -> FloatArray:
    """X before and after each of ``count`` updates that leave ``left`` of the piece."""
    update, after = numbers(piece, count, left)
    steps = np.arange(count + 1)
    rates, batches = piece.rates(update, after), piece.batches(update, after)
    return recursion.move(modes, x, rates, batches, steps)[0]


def numbers(piece: Piece, count: int, left: int) -> tuple[FloatArray, FloatArray]:
    """Numbers of ``count`` updates that leave ``left`` of the piece, and what each leaves."""
    after = np.arange(count - 1.0, -1.0, -1.0)
    return piece.updates - left - after, left + after


def cut(piece: Piece, first: int, rest: int, at: FloatArray) -> Blocks:
    """Cut the updates between the first and the last ones into blocks.

    Blocks end at all updates of ``at``. Cuts in the first half are counted from the start of the
    piece and the others from its end, so that both keep their digits; of a piece without last
    updates all are counted from the start.
    """
    n = float(piece.updates)
    half = n // 2 if rest else n
    from_start = np.union1d(_growing(first, half), at[at <= half])
    from_end = np.array([0.0])
    if rest:
        from_end = np.union1d(_growing(rest, n - half), n - at[at > half])
    # The place in the middle is in both lists.
    done = np.concatenate([from_start, n - from_end[-2::-1]])
    left = np.concatenate([n - from_start, from_end[-2::-1]])
    if not piece.flat:
        done, left = _refined(piece, done, left)
    start, togo = done[:-1], left[:-1]
    length = np.where(start < half, np.diff(done), -np.diff(left))
    middle = 0.5 * length
    time = _elapsed(piece, start, togo, length)
    for _ in range(0 if piece.flat else 3):  # Newton for the middle of the block in time
        # Update i takes the state from i - 1 to i, so its rate belongs to i - 1/2.
        rate = np.maximum(piece.rates(start + middle + 0.5, togo - middle - 0.5), 1e-300)
        middle += (0.5 * time - _elapsed(piece, start, togo, middle)) / rate
        middle = np.clip(middle, 0.01 * length, 0.99 * length)
    places = np.stack([np.zeros_like(length), middle, length], axis=1) + 0.5
    where = start[:, None] + places, togo[:, None] - places
    return Blocks(done, left, length, time, piece.rates(*where), piece.batches(*where))


def _growing(start: float, end: float) -> FloatArray:
    """Places from ``start`` to ``end``, distances in proportion to the place."""
    count = max(1, math.ceil(math.log(end / start) / math.log1p(GROWTH)))
    places = np.geomspace(start, end, count + 1)
    places[[0, -1]] = start, end
    return places


def _refined(piece: Piece, done: FloatArray, left: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cut blocks across which rate or batch changes too much."""
    at = done + 0.5, left - 0.5
    change = np.zeros(done.size - 1)
    for values in (piece.rates(*at), piece.batches(*at)):
        change += np.abs(np.diff(np.log(np.maximum(values, 1e-300))))
    parts = np.clip(np.ceil(change / math.log(LARGEST_CHANGE)), 1, 1000).astype(np.int64)
    # Part i of k of a block begins at i / k of its length.
    block = np.repeat(np.arange(parts.size, dtype=np.int64), parts)
    part = np.arange(block.size) - (np.cumsum(parts) - parts)[block]
    share: FloatArray = part / parts[block]
    return (
        np.append(done[block] + share * np.diff(done)[block], done[-1]),
        np.append(left[block] + share * np.diff(left)[block], left[-1]),
    )


_X, _W = np.polynomial.legendre.leggauss(6)


def _elapsed(piece: Piece, start: FloatArray, left: FloatArray, length: FloatArray) -> FloatArray:
    """Sum of the rates of ``length`` updates, as the integral over them.

    The midpoint error is ``1 / (24 distance^2)`` of the whole, 2e-7 in the first block.
    """
    places = length[:, None] * (0.5 + 0.5 * _X) + 0.5
    return length * (piece.rates(start[:, None] + places, left[:, None] - places) @ (0.5 * _W))


@compiled()
def _effective_rate(lam: float, lr: float, curve: float) -> float:
    """``-ln(a) / eta`` for ``1 - a = eta lambda (2 - curve eta lambda)``."""
    speed = lr * lam
    loss = speed * (2.0 - curve * speed)
    if loss < 1e-3:
        series = 1.0 + loss * (0.5 + loss * (1.0 / 3.0 + loss * (0.25 + loss * 0.2)))
        return lam * (2.0 - curve * speed) * series
    # A mode that one update wipes out: any fast clock will do.
    return -np.log(max(1.0 - loss, 1e-30)) / lr


@compiled()
def _lag(z: float) -> float:
    """``1/(1-a) - 1/2 - 1/z`` for ``a = exp(-z)``: how much later, in updates, a mode follows."""
    if z < 0.3:
        return z / 12.0 * (1.0 - z * z / 60.0 * (1.0 - z * z / 42.0))
    return 1.0 / (1.0 - np.exp(-z)) - 0.5 - 1.0 / z


@compiled()
def moments(z: float) -> tuple[float, float, float, float]:
    """``exp(-z)``, and ``int_0^1 exp(-z (1 - u)) u^n z du`` for n = 0, 1, 2."""
    if z < 0.4:
        # Taylor, by Horner: j2 = sum (-1)^k 2 z^(k+1) / (k+3)!; the term left out is below 1e-14.
        series = 1.0 - z / 11.0 * (1.0 - z / 12.0)
        series = 1.0 - z / 9.0 * (1.0 - z / 10.0 * series)
        series = 1.0 - z / 7.0 * (1.0 - z / 8.0 * series)
        series = 1.0 - z / 5.0 * (1.0 - z / 6.0 * series)
        j2 = z / 3.0 * (1.0 - z / 4.0 * series)
        j1 = 0.5 * z * (1.0 - j2)
        j0 = z * (1.0 - j1)
        return 1.0 - j0, j0, j1, j2
    fade = np.exp(-z) if z < 50.0 else 0.0
    j0 = 1.0 - fade
    j1 = 1.0 - j0 / z
    return fade, j0, j1, 1.0 - 2.0 * j1 / z


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _through_blocks(
    rate: FloatArray,
    noise: FloatArray,
    floor: float,
    own_noise: float,
    x: FloatArray,
    time: FloatArray,
    lr: FloatArray,
    batch: FloatArray,
    states: FloatArray,
) -> FloatArray:
    """See `through`."""
    n = rate.size
    r = np.empty((n, 3))  # effective rate at start, middle, end
    g = np.empty((n, 3))  # place of rest, for each unit of X + A + sigma^2
    late = np.empty((n, 3))  # how much later than the equation the mode follows, in updates
    fade_h, fade = np.empty(n), np.empty(n)
    ch, c = np.empty((n, 3)), np.empty((n, 3))  # what p at the three places adds to x
    totals = np.empty(time.size + 1)
    total = x.sum()
    totals[0] = total
    keep = states.shape[0] > 0
    if keep:
        states[0] = x
    for block in range(time.size):
        tau = time[block]
        if tau < 1e-250:  # no time passes, and ratios of such numbers have no digits
            totals[block + 1] = total
            if keep:
                states[block + 1] = x
            continue
        for i in range(3):
            eta, size = lr[block, i], batch[block, i]
            if i == 0 and block > 0 and eta == lr[block - 1, 2] and size == batch[block - 1, 2]:
                for j in range(n):
                    r[j, 0], g[j, 0], late[j, 0] = r[j, 2], g[j, 2], late[j, 2]
                continue
            curve = 1.0 + own_noise / size
            for j in range(n):
                lam = rate[j]
                r[j, i] = _effective_rate(lam, eta, curve)
                g[j, i] = eta * noise[j] / (size * lam * (2.0 - curve * eta * lam))
                late[j, i] = _lag(r[j, i] * eta)
        # X = u + w . Y at middle (h) and end, with Y the drives at the three places.
        uh = u = 0.0
        wh0 = whm = wh1 = w0 = wm = w1 = 0.0
        for j in range(n):
            zh = tau * (5.0 * r[j, 0] + 8.0 * r[j, 1] - r[j, 2]) / 24.0
            z = tau * (r[j, 0] + 4.0 * r[j, 1] + r[j, 2]) / 6.0
            theta = zh / z
            one = 1.0 / (theta * (1.0 - theta))
            # p - d dp/dk at the three places, from the parabola of p.
            d0 = late[j, 0] * lr[block, 0] / tau
            dm = late[j, 1] * lr[block, 1] / tau
            d1 = late[j, 2] * lr[block, 2] / tau
            fade_h[j], j0, j1, j2 = moments(zh)
            q0 = j0 - j1 * (1.0 + theta) + j2 * theta
            qm = (j1 - theta * j2) * theta * one
            q1 = (j2 - j1) * theta**3 * one
            ch[j, 0] = (q0 + 3.0 * d0 * q0 + dm * qm - d1 * q1) * g[j, 0]
            ch[j, 1] = (qm - 4.0 * (d0 * q0 - d1 * q1)) * g[j, 1]
            ch[j, 2] = (q1 + d0 * q0 - dm * qm - 3.0 * d1 * q1) * g[j, 2]
            fade[j], j0, j1, j2 = moments(z)
            q0 = j0 - (j1 * (1.0 + theta) - j2) * (1.0 - theta) * one
            qm = (j1 - j2) * one
            q1 = (j2 - theta * j1) * theta * one
            c[j, 0] = (q0 + 3.0 * d0 * q0 + dm * qm - d1 * q1) * g[j, 0]
            c[j, 1] = (qm - 4.0 * (d0 * q0 - d1 * q1)) * g[j, 1]
            c[j, 2] = (q1 + d0 * q0 - dm * qm - 3.0 * d1 * q1) * g[j, 2]
            uh += fade_h[j] * x[j]
            u += fade[j] * x[j]
            wh0 += ch[j, 0]
            whm += ch[j, 1]
            wh1 += ch[j, 2]
            w0 += c[j, 0]
            wm += c[j, 1]
            w1 += c[j, 2]
        # The drive is X half an update earlier: Y = X + floor - (eta / 2) dX/dt, the slope being
        # that of the parabola through X0, Xm, X1. k = eta / (2 tau).
        k0, km, k1 = 0.5 * lr[block, 0] / tau, 0.5 * lr[block, 1] / tau, 0.5 * lr[block, 2] / tau
        #   Y0 = floor + (1 + 3 k0) X0 - 4 k0 Xm + k0 X1
        #   Ym = floor + km X0 + Xm - km X1
        #   Y1 = floor - k1 X0 + 4 k1 Xm + (1 - 3 k1) X1
        f0 = floor + (1.0 + 3.0 * k0) * total
        fm = floor + km * total
        f1 = floor - k1 * total
        a11 = 1.0 - (-4.0 * k0 * wh0 + whm + 4.0 * k1 * wh1)
        a12 = -(k0 * wh0 - km * whm + (1.0 - 3.0 * k1) * wh1)
        a21 = -(-4.0 * k0 * w0 + wm + 4.0 * k1 * w1)
        a22 = 1.0 - (k0 * w0 - km * wm + (1.0 - 3.0 * k1) * w1)
        b1 = uh + wh0 * f0 + whm * fm + wh1 * f1
        b2 = u + w0 * f0 + wm * fm + w1 * f1
        determinant = a11 * a22 - a12 * a21
        xm = (b1 * a22 - a12 * b2) / determinant
        x1 = (a11 * b2 - a21 * b1) / determinant
        y0 = f0 - 4.0 * k0 * xm + k0 * x1
        ym = fm + xm - km * x1
        y1 = f1 + 4.0 * k1 * xm + (1.0 - 3.0 * k1) * x1
        # X is summed again from the modes: the solution of the 2 x 2 system would drift from it.
        total = 0.0
        for j in range(n):
            x[j] = fade[j] * x[j] + c[j, 0] * y0 + c[j, 1] * ym + c[j, 2] * y1
            total += x[j]
        totals[block + 1] = total
        if keep:
            states[block + 1] = x
    return totals
