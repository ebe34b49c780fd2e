"""What a fit may take for granted of the optimiser: that it was AdamW, that it was not, or nothing.

AdamW's constants are known (`losslaw.laws.effective`); of all others only that they are not these.
"""

from collections.abc import Sequence

from losslaw.curves import LossCurve
from losslaw.logs.optimizer import OTHER, checked_optimizer

ADAMW = "adamw"


def all_by(curves: LossCurve | Sequence[LossCurve], said: str | None) -> list[LossCurve]:
    """The curves, with the optimiser that the user says of all of them, if any.

    Raises:
        InputError: an optimiser of another name.
    """
    runs = [curves] if isinstance(curves, LossCurve) else list(curves)
    return runs if said is None else [run.with_(optimizer=said) for run in runs]


def optimizer_of(curves: Sequence[LossCurve], said: str | None = None) -> str | None:
    """``adamw``, ``other``, or ``None`` where nobody says.

    Args:
        curves: What is to be fitted; where they disagree it is ``other``.
        said: What the user says of all of them, which counts before what they say.

    Raises:
        InputError: an optimiser of another name.

    >>> from losslaw import Schedule
    >>> run = LossCurve(Schedule([0.1] * 4), [2, 4], [3.0, 2.5])
    >>> optimizer_of([run]), optimizer_of([run, run.with_(optimizer="adamw")])
    (None, 'adamw')
    >>> optimizer_of([run.with_(optimizer="adamw"), run.with_(optimizer="muon")])
    'other'
    """
    named = _named(curves) if said is None else {checked_optimizer(said)}
    if not named:
        return None
    return ADAMW if named == {ADAMW} else OTHER


def disagreement(curves: Sequence[LossCurve]) -> str:
    """A sentence where the runs do not have one optimiser; else empty."""
    named = sorted(_named(curves))
    if len(named) < 2:
        return ""
    return f"the runs have different optimisers ({', '.join(named)}): taken as other than AdamW"


def _named(curves: Sequence[LossCurve]) -> set[str]:
    """The optimisers that are known; Adam without weight decay is AdamW without it."""

    def named(curve: LossCurve) -> str | None:
        decay = curve.schedule.weight_decay
        same = curve.optimizer == "adam" and decay is not None and not decay.any()
        return ADAMW if same else curve.optimizer

    return {name for name in map(named, curves) if name is not None}
