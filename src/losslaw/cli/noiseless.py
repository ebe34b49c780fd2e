"""What ``losslaw theory`` says of a problem without label noise: its phase."""

from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losslaw.kernel.agreement import Frontier
    from losslaw.kernel.theory import Phase


class Noiseless:
    """The phase of a problem and, where compute is given, the frontier measured there.

    Args:
        source: Source exponent s.
        capacity: Capacity exponent beta.
        compute: Compute C = modes * updates at which the frontier is measured; ``None``: nowhere.

    Raises:
        InputError: an exponent is out of range.
    """

    def __init__(self, source: float, capacity: float, compute: float | None):
        from losslaw.errors import InputError
        from losslaw.kernel.agreement import frontier
        from losslaw.kernel.theory import phase
        from losslaw.numerics.magnitudes import EXPONENT

        EXPONENT.check("source", source)
        EXPONENT.check("capacity", capacity)
        self.phase: Phase = phase(source, capacity)
        self.frontier: Frontier | None = None
        self.why_not = ""
        if compute is not None:
            try:
                self.frontier = frontier(source, capacity, (0.1 * compute, compute))
            except InputError as error:  # the phase is known all the same
                self.why_not = str(error)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: ``phase`` and ``frontier``."""
        measured = None
        if self.frontier is not None:
            names = ("risk", "size")
            measured = {
                "compute": self.frontier.compute,
                "modes": self.frontier.modes,
                "excess": self.frontier.excess,
                **{name: getattr(self.frontier, name)._asdict() for name in names},
            }
        return {"phase": asdict(self.phase), "frontier": measured}

    def __str__(self) -> str:
        found = self.phase
        lines = [
            f"without label noise, random features: phase {found.name} ({found.region})",
            f"  {found.balance[0]} meets {found.balance[1]}",
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
