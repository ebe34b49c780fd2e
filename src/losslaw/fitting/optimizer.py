"""What a fit may take for granted of the optimiser: that it was AdamW, that it was not, or nothing.

AdamW's constants are known (`losslaw.laws.effective`); of all others only that they are not these.
"""

from collections.abc import Sequence

from losslaw.curves import LossCurve, Runs, curves_of
from losslaw.fitting.status import DIFFERENT
from losslaw.logs.optimizer import OTHER, checked_optimizer

ADAMW, HYPERBALL = "adamw", "hyperball"


def all_by(curves: Runs, said: str | None) -> list[LossCurve]:
    """The curves, read where they are files, with the optimiser that is said of them all, if any.

    Raises:
        InputError: an optimiser of another name, or see `losslaw.read_curves`.
    """
    runs = curves_of(curves)
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


def without_guess(curves: Sequence[LossCurve]) -> tuple[LossCurve, ...]:
    """The curves with no weight decay where it is not known and the optimiser is none of AdamW.

    AdamW is nearly always run with .1, which laws take for granted; of others nothing is known.
    """
    return tuple(
        curve.with_(schedule=curve.schedule.with_(weight_decay=0.0)) if _unknown(curve) else curve
        for curve in curves
    )


def decay_not_assumed(curves: Sequence[LossCurve]) -> str:
    """A sentence where `without_guess` does anything; else empty. Of a constant norm it is none."""
    names = {curve.optimizer for curve in curves if _unknown(curve)} - {HYPERBALL}
    if not names:
        return ""
    return (
        f"the weight decay of runs trained by {', '.join(sorted(map(str, names)))} is not known,"
        " and none is assumed: say what it was (weight_decay=, --weight-decay)"
    )


def constant_norm(curves: Sequence[LossCurve]) -> bool:
    """Whether all runs keep the norm of their weights constant."""
    return all(curve.optimizer == HYPERBALL for curve in curves)


def disagreement(curves: Sequence[LossCurve]) -> str:
    """A sentence where the runs do not have one optimiser; else empty."""
    named = sorted(_named(curves))
    if len(named) < 2:
        return ""
    return f"{DIFFERENT} ({', '.join(named)}): taken as other than AdamW"


def _unknown(curve: LossCurve) -> bool:
    return curve.schedule.weight_decay is None and curve.optimizer not in (None, ADAMW)


def _named(curves: Sequence[LossCurve]) -> set[str]:
    """The optimisers that are known; Adam without weight decay is AdamW without it."""

    def named(curve: LossCurve) -> str | None:
        decay = curve.schedule.weight_decay
        same = curve.optimizer == "adam" and decay is not None and not decay.any()
        return ADAMW if same else curve.optimizer

    return {name for name in map(named, curves) if name is not None}
