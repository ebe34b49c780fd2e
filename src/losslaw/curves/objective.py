"""What says how a run ends, and so which schedule is best for it.

A law predicts a final loss, a problem of the kernel world has a final risk. What is designed for
them asks both the same few things, and neither knows of the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from losslaw.curves.curve import NATS, after_numbers
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How losses and their differences are written and judged.

    Attributes:
        name: What is measured.
        unit: What it is measured in, as in `LossCurve`.
        relative: Whether there is no unit, and differences mean something as shares of a loss only.
        negligible: A difference that counts as nothing, in units or as a share.
    """

    name: str = "loss"
    unit: str = NATS
    relative: bool = False
    negligible: float = 1e-4

    def one(self, loss: float) -> float:
        """What a difference is compared with: one unit, or without a unit the loss itself."""
        return loss if self.relative else 1.0

    def nothing(self, loss: float) -> float:
        """A difference that counts as nothing."""
        return self.negligible * self.one(loss)

    def value(self, loss: float) -> str:
        """A loss, in as many characters as the next."""
        return f"{loss:10.5g}" if self.relative else f"{loss:8.5f}"

    def difference(self, more: float, loss: float, digits: int = 5) -> str:
        """How much more than ``loss`` something is."""
        if not self.relative:
            return f"{more:+8.{digits}f}"
        share = more / loss
        return f"{share:+8.{digits - 3}%}" if share < 10 else f"{f'x{1 + share:.3g}':>8}"

    def room(self, gap: float, loss: float) -> str:
        """How much lower than ``loss`` something may be at most."""
        return f"{gap / loss:.1g} of it" if self.relative else f"{gap:.1g}{self.after}"

    @property
    def after(self) -> str:
        """What stands after a number."""
        return after_numbers(self.unit)


LOSS = Measure()
EXCESS = Measure(name="excess risk", unit="excess risk", relative=True, negligible=1e-3)


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """What is known against the schedules that a law likes best.

    A law fitted to usual schedules may pay without end for what nobody has tried.

    Attributes:
        sentence: Why, for the reader of a design.
        slope: The largest change of the rate that a design should make, in peaks over the horizon;
            ``None``: any.
    """

    sentence: str
    slope: float | None = None


@runtime_checkable
class Objective(Protocol):
    """What a design asks of a law, or of a problem of the kernel world.

    Class attributes:
        name: The name on the command line.
        title: Name in words.
        measure: What it says of a run's end.
        blind_to_rates: Whether all schedules of one length end at the same loss.
        jumps: Whether the best schedule is a staircase, so that places of jumps are searched.
        rate_over_batch: Whether, sample by sample, the loss depends on ``lr / batch`` alone.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    measure: ClassVar[Measure] = LOSS
    blind_to_rates: ClassVar[bool] = False
    jumps: ClassVar[bool] = False
    rate_over_batch: ClassVar[bool] = False

    def final(self, schedule: Schedule) -> float:
        """Loss after the last update of a schedule."""
        ...

    def slope(self, schedule: Schedule, starts: IntArray | None = None) -> tuple[float, FloatArray]:
        """Loss after the last update, and its gradient by the learning rates.

        Args:
            schedule: Any schedule.
            starts: First updates (0-based) of blocks that may be taken together, for a loss that is
                nearly right and cheap; ``None``: every update by itself.

        Returns:
            The loss, and its derivative by each rate. Shape ``(n,)``.
        """
        ...

    @property
    def smooth(self) -> bool:
        """Whether it says its `slope`."""
        return True

    @property
    def sees_batch(self) -> bool:
        """Whether the loss depends on the batch size."""
        return True

    @property
    def irreducible(self) -> float:
        """What no schedule can lower."""
        return 0.0

    @property
    def acting(self) -> Mapping[str, float]:
        """The parameters by which a decay gains something; empty where it surely does."""
        return {}

    def artefact(self) -> Artefact | None:
        """What is known against the schedules that it likes best, if anything."""
        return None

    def peaks(self, batch: float, floor: float = 0.0) -> tuple[float, float] | None:
        """Smallest and largest peak that are to be tried at a batch, where they are known."""
        return None

    def quick(self, schedule: Schedule) -> float:
        """`final` within 1e-8, by the gradient's way where there is one: several times as fast."""
        return self.slope(schedule)[0] if self.smooth else self.final(schedule)
