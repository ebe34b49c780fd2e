"""What ``losslaw theory`` says of a problem without label noise: no closed forms of noise."""

from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losslaw.kernel.agreement import ExactOptimum, FreeForm, Frontier, Optimum
    from losslaw.kernel.theory import Phase
    from losslaw.kernel.theory.scaling import Limited

# The schedules that are ranked.
RANKED = ("constant", "exponential", "wsd", "wsd-power", "power")


class Noiseless:
    """What holds without label noise: the phase, the law of a constant rate, exact risks.

    The closed forms of schedules are of label noise about 1, so none of them is here.

    Args:
        source: Source exponent s.
        capacity: Capacity exponent beta; of 1 and less only the phase is known.
        budget: D or C.
        schedule: The one to look at; ``None``: all of `RANKED`.
        limited: What the budget is of.
        exact: Whether to search for precise optima, and the frontier where compute is given.
        batch: Samples in an update, of the exact risks.
        exponent: Of a power decay.
        floor: Final rate as a share of the peak.

    Raises:
        InputError: an exponent or an option is out of range.
    """

    def __init__(
        self,
        source: float,
        capacity: float,
        budget: float,
        schedule: str | None,
        *,
        limited: "Limited",
        exact: bool,
        batch: float,
        exponent: float | None,
        floor: float,
    ):
        from losslaw.errors import InputError
        from losslaw.kernel.agreement import frontier
        from losslaw.kernel.theory import phase
        from losslaw.numerics.magnitudes import EXPONENT

        EXPONENT.check("source", source)
        EXPONENT.check("capacity", capacity)
        if capacity <= 1 and (schedule is not None or exponent is not None or floor):
            raise InputError(
                f"capacity is {capacity:g}: of 1 and less only the phase of a constant rate is"
                " known; leave out --schedule, --exponent and --floor"
            )
        if schedule is None and (exponent is not None or floor):
            raise InputError("--exponent and --floor are for one schedule: add --schedule power")
        self.limited: Limited = limited
        self.source, self.capacity = source, capacity
        self.budget, self.batch = budget, batch
        self.phase: Phase = phase(source, capacity)
        self.frontier: Frontier | None = None
        self.why_not = ""
        self.measured: float | None = None
        self.ranks: dict[str, Optimum] = {}
        self.optima: dict[str, ExactOptimum] = {}
        self.free: FreeForm | None = None
        self.top: float | None = None
        if capacity <= 1 and (exact or batch != 1) and not (limited == "compute" and batch == 1):
            self.why_not = (
                "of a capacity of 1 and less only --exact with --compute is measured, at batch 1"
            )
        if limited == "compute" and exact:
            try:
                self.frontier = frontier(source, capacity, (0.1 * budget, budget))
            except InputError as error:  # the phase is known all the same
                self.why_not = str(error)
        if capacity > 1:
            self._measure(schedule, exact, exponent, floor)

    def _measure(
        self, schedule: str | None, exact: bool, exponent: float | None, floor: float
    ) -> None:
        """The law of a constant rate, and exact risks, the lowest first."""
        from losslaw.kernel.agreement import best, cap, exact_optimum, freed, noiseless_pair
        from losslaw.kernel.agreement.ranking import MEASURED
        from losslaw.kernel.theory import Exponents, scaling

        exponents = Exponents(self.source, self.capacity)
        budget, batch = self.budget, self.batch
        names = RANKED if schedule is None else (schedule,)
        for name in names:  # refuses what is no schedule, no exponent, no budget
            scaling(exponents, name, budget, limited=self.limited, exponent=exponent, floor=floor)
        self.top = cap(exponents, batch)
        if budget > MEASURED:
            if exact:
                self.why_not = self.why_not or f"risks are up to a budget of {MEASURED:g}"
            return
        if self.limited == "data":
            pair = noiseless_pair(exponents, (0.1 * budget, budget), batch=batch)
            self.measured = pair.measured
        asked: dict[str, Any] = {
            "limited": self.limited,
            "noise": 0.0,
            "batch": batch,
            "exponent": exponent,
            "floor": floor,
        }
        if exact:
            self.optima = {name: exact_optimum(exponents, name, budget, **asked) for name in names}
            found = {name: each.exact for name, each in self.optima.items()}
        else:
            found = {name: best(exponents, name, budget, **asked) for name in names}
        self.ranks = dict(sorted(found.items(), key=lambda each: each[1].risk))
        if exact:
            first = next(iter(self.ranks.items()))
            self.free = freed(exponents, *first, noise=0.0, exponent=exponent, floor=floor)

    @property
    def predicted(self) -> float:
        """Power of data in the risk at a constant rate near the largest stable one."""
        return -min(self.source, 2 - 1 / self.capacity)

    @property
    def proved(self) -> str:
        """Where that stands."""
        known = "" if self.source <= 2 - 1 / self.capacity else "; s > 2 - 1/beta: measured"
        return f"arXiv:2509.19189, Th 4.5{known}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what holds; what does not, stays out."""
        measured = None
        if self.frontier is not None:
            names = ("risk", "size")
            measured = {
                "compute": self.frontier.compute,
                "modes": self.frontier.modes,
                "excess": self.frontier.excess,
                **{name: getattr(self.frontier, name)._asdict() for name in names},
            }
        constant = {
            "formula": "D^-min(s, 2 - 1/beta)",
            "predicted": self.predicted,
            "measured": self.measured,
            "source": self.proved,
        }
        return {
            "phase": asdict(self.phase),
            "frontier": measured,
            "constant": constant if self.capacity > 1 else None,
            "largest_peak": self.top,
            "ranking": [
                {
                    "schedule": name,
                    "exponent": None,
                    "log_power": None,
                    "exact_risk": found.risk,
                    "ahead_from": None,
                }
                for name, found in self.ranks.items()
            ],
            "exact": {name: asdict(self.optima[name]) for name in self.ranks if self.optima},
            "free": self.free and self.free.as_dict(),
        }

    def __str__(self) -> str:
        lines = [self._phase()]
        if self.capacity > 1:
            lines = [*self._constant(), "", *lines]
        if self.ranks:
            lines += ["", *self._ranking()]
        return "\n".join(lines)

    def _constant(self) -> list[str]:
        lines = [
            "without label noise; the closed forms of schedules are of label noise ~ 1: none here",
            "constant rate near the largest stable one, samples D: risk ~ D^-min(s, 2 - 1/beta) ="
            f" D^{self.predicted:.4g}",
            f"  [{self.proved}]",
        ]
        if self.measured is not None:
            gap = round(self.measured - self.predicted, 4) + 0.0  # no zero with a sign
            lines.append(
                f"  exact, D = {0.1 * self.budget:g} to {self.budget:g}: risk ~"
                f" D^{self.measured:.4f} ({gap:+.4f} off the limit)"
            )
        return lines

    def _phase(self) -> str:
        """The phase, which is of compute, and the frontier."""
        found = self.phase
        lines = [
            f"compute C = modes * updates, random features: phase {found.name} ({found.region})",
            f"  without label noise, {found.balance[0]} meets {found.balance[1]}",
            f"  best risk   {found.risk_formula} = C^{found.risk.exponent:.4g}",
            f"  best modes  {found.modes_formula} = C^{found.modes.exponent:.4g}",
            *wrap(
                f"[{found.source}; {found.validity}]",
                96,
                initial_indent="  ",
                subsequent_indent="  ",
            ),
        ]
        if self.frontier is not None:
            (low, high), (_, modes), (_, excess) = (
                self.frontier.compute,
                self.frontier.modes,
                self.frontier.excess,
            )
            risk, size = self.frontier.risk, self.frontier.size
            lines += [
                f"  exact, C = {low:g} to {high:g}: risk ~ C^{risk.measured:.4f}"
                f" ({risk.gap:+.4f} off the limit), modes ~ C^{size.measured:.4f}"
                f" ({size.gap:+.4f})",
                f"  at C = {high:g}: {modes:.4g} modes, {high / modes:.4g} updates, excess risk"
                f" {excess:.4g}",
            ]
        if self.why_not:
            lines.append(f"  exact: not measured; {self.why_not}")
        return "\n".join(lines)

    def _ranking(self) -> list[str]:
        from losslaw.text import table

        letter = "C" if self.limited == "compute" else "D"
        assert self.top is not None
        head = [
            f"exact risks at {letter} = {self.budget:g}, batch {self.batch:g}, top features; peaks"
            f" are at most {self.top:.4g},",
            "0.9 of the largest stable rate",
        ]
        if self.optima:  # which have a table of their own, in this order
            return head
        rows = [
            [str(i), name, f"{found.risk:.4g}", f"{found.peak:.4g}"]
            for i, (name, found) in enumerate(self.ranks.items(), start=1)
        ]
        header = ["rank", "schedule", "exact risk", "peak"]
        return [*head, "", *table(header, rows, left=(1,), rule=True)]
