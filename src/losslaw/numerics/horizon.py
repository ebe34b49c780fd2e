"""How long a run may be whose updates are written out one by one.

A schedule is an array with a number for every update, and whatever is asked of it makes several
more. A run of ``LONGEST`` updates is longer than any that is known; a horizon beyond it is more
often a slip, or a count of tokens, and asks for confirmation before memory is taken.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from losslaw.errors import InputError

# Updates without confirmation: arrays of 80 MB.
LONGEST = 10**7
# With it: arrays of 800 MB, far beyond any run.
LONGEST_ALLOWED = 10**8

_allowed: ContextVar[bool] = ContextVar("allowed", default=False)


@contextmanager
def allow_long() -> Generator[None]:
    """Let schedules and logs have more than 10^7 updates, up to 10^8, in the block of a ``with``.

    Their arrays take up to 0.8 GB each, and most answers make several.

    >>> import losslaw as ll
    >>> with ll.allow_long():
    ...     ll.constant(peak=1e-3, horizon=10_000_001).horizon
    10000001
    """
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def longest() -> int:
    """Updates that a run may have here."""
    return LONGEST_ALLOWED if _allowed.get() else LONGEST


def check_horizon(updates: float, where: str = "") -> None:
    """Refuse more updates than are written out, before they take memory.

    Args:
        updates: How many.
        where: What they are of, in front of the message.

    Raises:
        InputError: more than 10^7 outside of `allow_long`, or more than 10^8.

    >>> check_horizon(3e9)
    Traceback (most recent call last):
    losslaw.errors.InputError: horizon is 3e+09, expected at most 1e+08 updates
    """
    where = where and f"{where}: "
    # A number of hundreds of digits is no float.
    updates = min(updates, 1e300)
    if updates > LONGEST_ALLOWED:
        raise InputError(
            f"{where}horizon is {updates:g}, expected at most {LONGEST_ALLOWED:g} updates"
        )
    if updates > longest():
        raise InputError(
            f"{where}horizon is {updates:g} updates, more than {LONGEST:g}: every array of that"
            f" length takes {8e-9 * updates:.2g} GB; confirm it if it is meant (--allow-long,"
            " losslaw.allow_long())"
        )
