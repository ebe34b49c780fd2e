"""Laws whose best schedule is an artefact: recognised, said in a sentence, and held back.

A law fitted to usual schedules may pay without end for what nobody has tried. Where that is known,
the answer carries a sentence that says so, and, unless the caller sets a slope, rates may not fall
from the peak to zero in less than a tenth of the run.
"""

from dataclasses import dataclass

from losslaw.errors import InputError
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Chinchilla, Instantaneous, Law, Momentum, MultiPower

SLOWEST = 10.0  # a fall from the peak to zero takes a horizon over this many updates, at least


@dataclass(frozen=True)
class Guard:
    """What is known against a law's best schedules.

    Attributes:
        sentence: Why, for the reader.
        slope: The largest change of the rate, in peaks over the horizon; ``None``: any.
    """

    sentence: str
    slope: float | None


def guard(law: Law) -> Guard | None:
    """What to hold against the free-form optimum of a law, if anything."""
    if isinstance(law, Momentum | Instantaneous):
        when = "at the last update" if isinstance(law, Instantaneous) else "near the end"
        return Guard(
            f"under the {law.title} the best schedule falls to the floor at once {when}, because it"
            " goes on paying at rate zero, where nothing is learnt",
            SLOWEST,
        )
    if isinstance(law, MultiPower) and law.gamma >= 1:
        return Guard(
            f"with gamma = {law.gamma:g} the {law.title} pays for a fall to rate zero before any"
            " update is done there",
            SLOWEST,
        )
    if isinstance(law, MultiPower):
        return Guard(
            f"the {law.title} scores a whole fall at the rate after it, so its best schedule is a"
            " staircase of a few jumps; no run that it was published with has such jumps",
            None,
        )
    return None


def refuse_blind(law: Law, uncertainty: Uncertainty | None) -> None:
    """Refuse a law that cannot tell a good schedule from a bad one.

    Raises:
        InputError: every schedule is as good as any other, or what a decay gains is not known.
    """
    if isinstance(law, Chinchilla):
        raise InputError(
            f"the {law.title} does not see the learning rate: every schedule ends at the same loss;"
            " fit another law, such as effective"
        )
    acts = [name for name in law.amplitudes() if name not in ("L0", "A")]
    unknown = () if uncertainty is None else uncertainty.unknown
    if (acts and set(acts) <= set(unknown)) or all(getattr(law, name) == 0 for name in acts):
        names = ", ".join(acts)
        raise InputError(
            f"this fit does not know what a decay gains ({names}): no curve with a falling learning"
            " rate has shown it; fit one, or use a law with a prior (effective)"
        )
