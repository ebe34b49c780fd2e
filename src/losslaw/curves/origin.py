"""Where a curve comes from, and what its trainer's numbers mean."""

from dataclasses import dataclass

from losslaw.logs.log import LossIs


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How the log of a curve was read.

    Attributes:
        format: Kind of log, in words.
        loss_is: What one loss is: of one update or evaluation ("instant"), the "mean" over the
            updates since the loss before it, a moving "average", or the mean of an "epoch".
        window: Updates that such a mean is over, where it is always the same.
        lr_is: Whether a logged rate is that of the update done ("used") or of the "next" one;
            ``None`` where no rate was logged.
        losses: All columns that hold a loss.
        skipped: What was not read, and how often.
    """

    format: str
    loss_is: LossIs = "instant"
    window: int | None = None
    lr_is: str | None = None
    losses: tuple[str, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
