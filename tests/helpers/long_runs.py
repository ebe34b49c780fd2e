"""Schedules in pieces, of many shapes, for what runs them at any horizon."""

from losslaw.kernel import LongSchedule, Piece, long_constant, long_decay, long_wsd


def long_schedules(peak: float, n: int, exponent: float) -> dict[str, LongSchedule]:
    """One of each kind, by name; ``exponent`` is that of the power decay."""
    return {
        "constant": long_constant(peak, n),
        "cosine": long_decay(peak, n),
        "wsd exponential": long_wsd(peak, n, final=peak / n, decay="exponential"),
        "power": long_decay(peak, n, shape="power", exponent=exponent),
        "re-warm-up": LongSchedule(
            (
                Piece(n // 100, 0.0, peak, "linear"),
                Piece(n // 2, peak, 0.0, "cosine"),
                Piece(n // 4, peak, batch=8),
                Piece(n // 5, 0.2 * peak, peak / 100, "exponential", batch=64),
            )
        ),
        "batch grows": LongSchedule(
            (Piece(n, peak, peak / 2, "linear", batch=lambda z, y: 1 + 100 * z**2),)
        ),
    }
