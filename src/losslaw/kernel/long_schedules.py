"""Schedules of any horizon, in pieces: what the kernel world runs, in few words.

The same schedules as the families of `losslaw.schedules`, which have a ``pieces`` of their own.
"""

from losslaw.schedules.families import constant, wsd
from losslaw.schedules.pieces import LongSchedule as LongSchedule
from losslaw.schedules.pieces import Piece as Piece


def long_constant(peak: float, horizon: int, batch: float = 1.0) -> LongSchedule:
    """One rate, in pieces."""
    return constant.pieces(peak=peak, horizon=horizon, batch=batch)


def long_decay(
    peak: float,
    horizon: int,
    final: float = 0.0,
    shape: str = "cosine",
    exponent: float = 1.0,
    batch: float = 1.0,
) -> LongSchedule:
    """One decay over the whole horizon, in pieces."""
    return long_wsd(peak, horizon, 1.0, final, shape, exponent, batch)


def long_wsd(
    peak: float,
    horizon: int,
    cooldown: float = 0.2,
    final: float = 0.0,
    decay: str = "linear",
    exponent: float = 1.0,
    batch: float = 1.0,
) -> LongSchedule:
    """A stable phase, then a decay over the last ``cooldown`` of the horizon, in pieces."""
    return wsd.pieces(
        peak=peak,
        horizon=horizon,
        cooldown=cooldown,
        final=final,
        decay=decay,
        exponent=exponent,
        batch=batch,
    )
