"""Where a curve comes from, and what its trainer's numbers mean."""

from dataclasses import dataclass

from losslaw.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How the log of a curve was read.

    Attributes:
        format: Kind of log, in words.
        lr_is: Whether a logged rate is that of the update done ("used") or of the "next" one;
            ``None`` where no rate was logged.
        losses: All columns that hold a loss.
        skipped: What was not read, and how often.
        plan: The schedule of the whole run, where one formula passes through all logged rates, with
            its text; after skipped updates its rates are behind it.
        folder: Name of the folder that the run lies in; empty where it lies in none.
    """

    format: str
    lr_is: str | None = None
    losses: tuple[str, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    plan: Schedule | None = None
    folder: str = ""
