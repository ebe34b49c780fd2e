"""What stands behind an answer: confirmed by the logs, assumed, or not confirmed; in one sentence.

*Confirmed*: parts of the logs with a decay like the one asked about were kept back, and foretold as
well as the intervals say; where the optimiser is not AdamW, the rest of a single log is not enough.
*Assumed*: the logs show nothing of the kind, and what is known of AdamW stands in for it. *Not
confirmed*: nothing of the kind is known, or what was kept back was missed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from losslaw.curves.curve import after_numbers
from losslaw.fitting.ground import Ground
from losslaw.fitting.mixture import FLOOR, Mixture, Question, Tested, typical_gain
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Interval

TrustStatus = Literal["confirmed", "assumed", "not confirmed"]

# A test is about a decay if its gain is at least this share of the gain asked about; or, where
# nothing is asked, this many times what no law foretells.
ALIKE, SHOWN = 0.3, 3.0
# Mean square error over variance up to which a test has come out as the interval says.
AS_SAID = 4.0
# An error of this share of the loss is no confirmation, however wide the interval was; nor is
# anything that fewer fitted losses foretold.
TOO_FAR_OFF, TOO_FEW = 0.02, 20
# A peak this far from every fitted one, in e-folds, is another peak.
ANOTHER_PEAK = 0.2
# A question this many times as far in intrinsic time as any fitted loss is another question, and
# so is one of this many times as many updates: in one trial of the lab, at three times, all levels
# were missed by .02 to .04 nats that parts kept back had foretold to .005 (docs/evidence/trial.md).
MUCH_FARTHER, MANY_MORE = 4.0, 2.5
# Half-width over loss beyond which there is no point in tables of decays.
USELESS = 0.08
# The decay that would tell, as a share of the updates so far.
WOULD_TELL = 0.1


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What stands behind an answer.

    Attributes:
        status: ``confirmed``, ``assumed`` or ``not confirmed``.
        sentence: Why, in one sentence; it begins with the status.
        members: Names of the laws, names of their formulas, and what each counts; heaviest first.
        foretold: Parts of the logs that were kept back, each with the root mean square error of
            every law, in nats; ``None`` where there is none.
        refused: Whether the interval is too wide for the answer to be of use.
    """

    status: TrustStatus
    sentence: str
    members: tuple[tuple[str, str, float], ...]
    foretold: tuple[tuple[str, dict[str, float | None]], ...]
    refused: bool = False

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "status": self.status,
            "sentence": self.sentence,
            "members": [
                {"name": name, "law": law, "weight": weight} for name, law, weight in self.members
            ],
            "foretold": [{"what": what, "rmse": errors} for what, errors in self.foretold],
            "refused": self.refused,
        }

    def __str__(self) -> str:
        return self.sentence


def trust_of(mixture: Mixture, question: Question | None = None, level: float = 0.9) -> Trust:
    """What stands behind the answers of a mixture, or behind one of them."""
    weights = mixture.usual if question is None else question.weights
    order: list[int] = np.argsort(-weights, kind="stable").tolist()
    refused = False
    if question is not None:
        lower, upper = question.interval(level)
        last = Interval(lower=float(lower[-1]), upper=float(upper[-1]), level=level)
        refused = useless(last, float(question.loss[-1]))
    status, why = _judged(mixture, question, weights, level)
    if refused and status == "confirmed":
        status, why = "not confirmed", f"the interval is too wide to be of use ({why})"
    if mixture.missed:
        # What was kept back is foretold as badly as it is fitted: wide enough is not confirmed.
        status, why = "not confirmed", f"the fit {mixture.missed}"
    lead = {"confirmed": "confirmed by these logs", "assumed": "assumed, not confirmed"}
    return Trust(
        status=status,
        sentence=f"{lead.get(status, status)}: {why}",
        members=tuple(
            (mixture.members[k].name, mixture.members[k].law.name, float(weights[k])) for k in order
        ),
        foretold=tuple((test.what, _errors(mixture, test)) for test in mixture.tests),
        refused=refused,
    )


def useless(interval: Interval, loss: float) -> bool:
    """Whether an interval is too wide for tables of decays, or for advice to begin one."""
    return not interval.half_width <= USELESS * loss


def _errors(mixture: Mixture, test: Tested) -> dict[str, float | None]:
    return {
        member.name: None if square is None else float(square**0.5)
        for member, square in zip(mixture.members, test.squares, strict=True)
    }


def _judged(
    mixture: Mixture, question: Question | None, weights: FloatArray, level: float
) -> tuple[TrustStatus, str]:
    ground = mixture.ground
    if 0 < ground.losses < TOO_FEW:
        return "not confirmed", f"only {ground.losses} losses are fitted; a longer log would tell"
    least = SHOWN * FLOOR * ground.level
    about = [test for test in mixture.tests if test.gain >= least]
    unless = "assumed" if ground.home else "not confirmed"
    if question is not None:
        last, peak = int(question.thin.steps[-1]), question.thin.schedule.peak_lr
        asked = typical_gain([float(each.gain.max()) for each in question.answers])
        falls = question.thin.schedule.decays(last)
        wanted = max(ALIKE * asked, least) if falls or asked >= least else 0.0
        about = [test for test in mixture.tests if test.gain >= wanted]
        if ground.distance(peak) > ANOTHER_PEAK:
            near = f"no run was fitted at a peak near {peak:.3g}"
            return unless, f"{near}; a short one that decays would tell"
        times = float(question.thin.seen_time[-1]) / ground.farthest
        if times > MUCH_FARTHER:
            far = f"{times:.0f} times as far in intrinsic time as any fitted loss"
            return unless, f"this goes {far}; a longer run would tell"
    if not about:
        what = (
            "no decay like this one was kept back and foretold"
            if ground.decays
            else "no rate in these logs has fallen much"
        )
        cure = f"{what}; a decay over {_decay(ground):,} updates would tell"
        if ground.home:
            return "assumed", cure
        return "not confirmed", f"{cure}{_apart(mixture, question, weights, level)}"
    more = 1.0 if question is None else int(question.thin.steps[-1]) / ground.updates
    if more > MANY_MORE:
        many = f"{more:.1f} times as many updates as any fitted run"
        return unless, f"this has {many}; a longer run would tell"
    best, unit = int(np.argmax(weights)), after_numbers(ground.unit)
    surprises = [test.surprises[best] for test in about]
    known = [each for each in surprises if each is not None]
    error = _foretold(about, best)
    off = error is not None and error > TOO_FAR_OFF * ground.level
    if error is None or off or not known or float(np.mean(known)) > AS_SAID:
        missed = "cannot be foretold" if error is None else f"are missed by {error:.4f}{unit}"
        return (
            "not confirmed",
            f"parts kept back {missed}{_apart(mixture, question, weights, level)}",
        )
    if ground.runs == 1 and not ground.home:
        alone = f"only the rest of one log was foretold, to {error:.4f}{unit}"
        return "not confirmed", f"{alone}; a run of another schedule would tell"
    others = {
        member.name: _foretold(about, k)
        for k, member in enumerate(mixture.members)
        if member.law.name != mixture.members[best].law.name
    }
    rivals = [f"{name}: {other:.4f}" for name, other in others.items() if other is not None][-1:]
    beside = f" ({rivals[0]})" if rivals else ""
    return "confirmed", f"parts kept back are foretold to {error:.4f}{unit}{beside}"


def _decay(ground: Ground) -> int:
    """Updates of a decay that would tell, to two digits."""
    return int(float(f"{max(WOULD_TELL * ground.updates, 1):.2g}"))


def _foretold(tests: list[Tested], k: int) -> float | None:
    """Root mean square error of a law in these tests; ``None`` where one failed."""
    squares = [test.squares[k] for test in tests]
    known = [square for square in squares if square is not None]
    return float(np.mean(known) ** 0.5) if len(known) == len(squares) else None


def _apart(mixture: Mixture, question: Question | None, weights: FloatArray, level: float) -> str:
    """What the laws say of the end, where they are far apart."""
    if question is None:
        return ""
    finals = question.final_losses
    heavy = [k for k in range(finals.size) if weights[k] > 0.01 and np.isfinite(finals[k])]
    if len(heavy) < 2:
        return ""
    low, high = min(heavy, key=lambda k: finals[k]), max(heavy, key=lambda k: finals[k])
    if finals[high] - finals[low] < 2 * mixture.floor:
        return ""
    names = [mixture.members[k].name for k in (low, high)]
    lower, upper = (float(end[-1]) for end in question.interval(level))
    held = lower <= finals[low] and finals[high] <= upper
    spread = ", and the interval holds their spread" if held else ""
    return (
        f"; laws say {finals[low]:.3f} ({names[0]}) to {finals[high]:.3f} ({names[1]}) where this"
        f" ends{spread}"
    )
