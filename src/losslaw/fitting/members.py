"""The laws that ``auto`` mixes, and what each is believed before its tests.

*At home* (the optimiser is AdamW, or all peaks are such as AdamW has) the constants of AdamW on
text are expected to hold; elsewhere they are one guess among several. A law that pays for falls of
the rate is fitted only where a fall was seen, and a law that knows decays from its prior only (the
convolution law) where none was.

    effective, adamw      AdamW's constants, two clocks: the widest range of peaks
    oneclock, adamw       the same on one clock: better near the peaks fitted, useless far from them
    effective, loose      other N and q than AdamW's on text
    oneclock, free units  another optimiser: the form alone
    multipower            another law, where a decay was seen
    convolution           another law, where none was

Shares were set on one half of the protocols of the validation and confirmed on the other
(validation/results/away.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from losslaw.curves import LossCurve
from losslaw.fitting.ground import Ground
from losslaw.laws import Convolution, Effective, MultiPower, OneClock, Recipe, variety
from losslaw.laws.effective import LOOSE
from losslaw.laws.oneclock import ADAMW, FREE_UNITS

# What AdamW's constants are believed: said to be AdamW, at home, at peaks it is known at, beyond;
# and where runs without a decay are at peaks it is known at, one of them at home.
SAID, AT_HOME, AWAY, FAR = 0.97, 0.85, 0.20, 0.04
PARTLY_HOME = 0.5
# Of that, what the form with one clock has; and what it has in short runs, in which the lab sees
# neither a second clock nor a lasting loss of speed (docs/evidence/lab.md). Of one run alone nobody
# can tell the clocks apart, and the simpler form foretells the public ones better.
ONE_CLOCK, ONE_CLOCK_ALONE, ONE_CLOCK_SHORT = 0.6, 0.85, 0.9
# Far from one peak the simpler form errs at all others, and takes the blame onto N: five public
# peaks without a decay were foretold with .0112 instead of .0137, with four others known one peak
# with .0053 instead of .0055.
ONE_CLOCK_WIDE = 0.2
# The same where several model sizes are fitted together: only its trends in size have been tried.
ONE_CLOCK_SIZES = 0.98


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One law of the mixture, before it is fitted.

    Attributes:
        name: In words.
        recipe: How it is fitted.
        prior: Its share before any test.
        by_peak: Error at a peak a factor e from every fitted one, at a loss of 3, in nats.
        adamw: Whether it is given up where it misses a test by far.
    """

    name: str
    recipe: Recipe
    prior: float
    by_peak: float = 0.0
    adamw: bool = False


def candidates(curves: Sequence[LossCurve], ground: Ground) -> tuple[Candidate, ...]:
    """The laws of the mixture for these curves; their priors sum to 1."""
    two, one = Effective.recipes(curves), OneClock.recipes(curves)
    usual = FAR
    if ground.home:
        usual = SAID if ground.optimizer == "adamw" else AT_HOME
    elif ground.known:
        usual = PARTLY_HOME if ground.partly_home and not ground.decays else AWAY
    rest = 1.0 - usual
    one_clock = ONE_CLOCK_ALONE if ground.runs == 1 else ONE_CLOCK
    seen = variety(curves)
    if ground.wide:
        one_clock = ONE_CLOCK_WIDE
    if ground.short:
        one_clock = ONE_CLOCK_SHORT
    if seen.sizes > 1:
        one_clock = ONE_CLOCK_SIZES
    out = [
        Candidate(
            name="AdamW's constants",
            recipe=two[ADAMW],
            prior=usual * (1 - one_clock),
            adamw=True,
        ),
        Candidate(
            name="AdamW's constants, one clock",
            recipe=one[ADAMW],
            prior=usual * one_clock,
            by_peak=0.01,
        ),
    ]
    loose = Candidate(name="other noise and forgetting", recipe=two[LOOSE], prior=1.0)
    free = Candidate(name="free units", recipe=one[FREE_UNITS], prior=1.0, by_peak=0.05)
    power = Candidate(name="multi-power", recipe=Recipe(MultiPower), prior=1.0, by_peak=0.2)
    kernel = Candidate(name="convolution", recipe=Recipe(Convolution), prior=1.0, by_peak=0.05)
    if ground.decays:
        shares = [(loose, 0.1), (free, 0.2), (power, 0.7)]
    elif ground.home:
        shares = [(loose, 1.0)]
    else:
        known = 0.3 if ground.known else 0.05
        shares = [(loose, known), (free, 0.3 * (1 - known)), (kernel, 0.7 * (1 - known))]
    return (*out, *(replace(each, prior=share * rest) for each, share in shares))
