"""The beginning of a logged schedule: where its warm-up ends, and what came before the first row.

A warm-up that ends between two rows would leave a false ramp after it. Its length is declared, or
found where the line through the ramp meets what comes after; everything assumed is said in a
sentence.
"""

import numpy as np

from losslaw.curves.logged_decay import Findings, LoggedRates, backward, find_decay
from losslaw.schedules.match_shape import Decay

# A ramp that leaves its line by more than this share of its top is no linear warm-up.
BENT = 5e-3

Beginning = tuple[int, Decay | None, Findings]
"""Updates of warm-up, the formula of what comes after it if there is one, and the rest."""


def declared_warmup(log: LoggedRates, warmup: int) -> Beginning:
    """The beginning of a run whose warm-up is known to be ``warmup`` updates long."""
    u, r = log.updates, log.rates
    after = int(np.searchsorted(u, warmup))
    if warmup == 0:
        decay, found = find_decay(log, 0, 0)
        return 0, decay, found + _level_start(log)
    if after == u.size:
        said = (
            f"the log ends inside the warm-up of {warmup} updates; if that counts samples or"
            " tokens, give it in updates with warmup= (--warmup)"
        )
        ends = Findings(warnings=(said,))
        second = (float(u[1]), float(r[1])) if u.size > 1 else None
        return warmup, None, ends + _ramp_start(log, second)
    decay, found = find_decay(log, after, warmup)
    peak = backward(log, decay, after, warmup)
    warnings: list[str] = []
    if after > 0 and after + 1 < u.size and r[after + 1] > r[after] + log.rounding:
        warnings.append(
            f"the logged rate still rises after the declared warm-up of {warmup} updates"
        )
    elif u[after] > warmup:
        found += Findings({warmup: peak})
    early = np.flatnonzero(r[:after] >= peak - log.rounding)
    if early.size and u[early[0]] < 0.9 * warmup:
        warnings.append(
            f"the rate is at {r[early[0]]:.6g} at update {u[early[0]]:.0f} already, within the"
            f" declared warm-up of {warmup} updates"
        )
    found += Findings(warnings=tuple(warnings))
    if after > 0:
        second = (float(u[1]), float(r[1])) if after > 1 else (float(warmup), peak)
        return warmup, decay, found + _ramp_start(log, second)
    said = f"the warm-up of {warmup} updates is not in the log: a line from 0 to {peak:.6g}"
    return warmup, decay, found + Findings({0: 0.0}, (said,))


def found_warmup(log: LoggedRates) -> Beginning:
    """The beginning with the warm-up that the log shows, or one assumed over what it does not."""
    u, r = log.updates, log.rates
    top = 0
    while top + 1 < u.size and r[top + 1] > r[top] + log.rounding:
        top += 1
    # A fall is followed back as far as the last row that is surely on the ramp.
    decay, found = find_decay(log, top, u[max(top - 1, 0)] if u[0] > 1 or top else 0.0)
    if top == 0:
        warmup, more = _unlogged_warmup(log)
        return warmup, decay, found + more
    # The row at the top may lie on the plateau; a line needs two rows below it.
    found += _ramp_start(log, (float(u[1]), float(r[1])) if top > 1 else None)
    warmup, more = _ramp_end(log, decay, top)
    return warmup, decay, found + more


def _unlogged_warmup(log: LoggedRates) -> tuple[int, Findings]:
    """No row is on a ramp: there was no warm-up, or it ended before the first row."""
    first = int(log.updates[0])
    if log.updates[0] <= 1:
        return 0, Findings()
    said = (
        f"the log begins at update {first} with a rate of {log.rates[0]:.6g}: what came before is"
        f" not known, and a linear warm-up over {first} updates is assumed; give the"
        " real one with warmup= (--warmup)"
    )
    return first, Findings({0: 0.0}, warnings=(said,))


def _ramp_end(log: LoggedRates, decay: Decay | None, top: int) -> tuple[int, Findings]:
    """Where a ramp ends whose highest row is ``top``."""
    u, r = log.updates, log.rates
    last = int(u[top])
    if top + 1 == u.size:
        return last, Findings()
    if decay and decay.starts_inside and u[top - 1] < decay.start < u[top]:
        # No row is at the peak, and the shape of the fall says where it began.
        end = round(decay.start)
        said = f"the warm-up ends at update {end}, where the {decay.shape} decay begins"
        return end, Findings({end: decay.peak}, (said,))
    if top == 1:
        if u[1] - u[0] <= 1:
            return last, Findings()
        said = (
            f"the warm-up ends between updates {u[0]:.0f} and {u[1]:.0f}, where the log"
            f" does not say: taken as {u[1]:.0f}; give it with warmup= (--warmup)"
        )
        return last, Findings(warnings=(said,))
    # The line through all rows of the ramp: through two of them if the log is rounded.
    slope, at_zero = np.polyfit(u[:top], r[:top], 1).tolist()
    if np.abs(slope * u[:top] + at_zero - r[:top]).max() > BENT * r[top]:
        return last, Findings()
    meets = u[top - 1]
    # What the ramp meets may be falling already. Each round is closer by the ratio of the two
    # slopes, which is small for any warm-up worth the name.
    for _ in range(20):
        meets = (backward(log, decay, top, meets) - at_zero) / slope
    end = round(float(meets))
    if u[top - 1] < end < u[top]:
        rate = backward(log, decay, top, end)
        said = f"the warm-up ends at update {end}, where the logged ramp reaches {rate:.6g}"
        return end, Findings({end: rate}, (said,))
    return (end if end == int(u[top - 1]) else last), Findings()


def _ramp_start(log: LoggedRates, second: tuple[float, float] | None) -> Findings:
    """The part of a ramp before its first row: the line through that row and a second point.

    Without a second point, or where that line would begin after update 0: a line from 0.
    """
    at, rate = float(log.updates[0]), float(log.rates[0])
    if at <= 1:
        return Findings()
    start = 0.0
    if second is not None and second[0] > at and second[1] > rate:
        start = rate - (second[1] - rate) / (second[0] - at) * at
    start = start if start > log.rounding else 0.0
    said = f"the rate before update {at:.0f} is not logged: taken as a line from {start:.3g}"
    return Findings({0: start}, (said,))


def _level_start(log: LoggedRates) -> Findings:
    """A run without warm-up before its first row: the first rate."""
    at, rate = log.updates[0], log.rates[0]
    said = f"the rate before update {at:.0f} is not logged: taken as {rate:.6g}"
    return Findings(assumptions=(said,)) if at > 1 else Findings()
