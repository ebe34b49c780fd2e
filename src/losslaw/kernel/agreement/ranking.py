"""Which schedule is best for a budget: the order of the theory, ties broken by exact risks.

Theory ranks schedules by exponents, for large enough budgets. Two things it cannot say are measured
here: which of several schedules with one exponent has the lower risk, and from which budget on the
order holds.
"""

from dataclasses import dataclass
from itertools import pairwise

from losslaw.kernel.agreement.exponents import onset
from losslaw.kernel.agreement.optimum import Optimum, Question, best, cap
from losslaw.kernel.stable_rates import SHARE
from losslaw.kernel.theory import Exponents, Scaling
from losslaw.kernel.theory import ranking as theory_ranking
from losslaw.kernel.theory.scaling import Limited

# Largest budget whose runs can be measured: 10^30 updates is the most there is.
MEASURED = 1e24
# Decades at which neighbours are compared.
DECADES = range(3, 16, 3)


@dataclass(frozen=True, kw_only=True)
class Rank:
    """A schedule at its place.

    Attributes:
        schedule: Its name in the theory.
        scaling: What theory has for it.
        exact: Its lowest exact risk at the budget, and where; ``None`` beyond `MEASURED`.
        ahead_from: Budget from which its exact risk stays below that of the next schedule: 0 if it
            is from 10^3 on, infinite if not up to the largest one tried; ``None`` if not looked at.
    """

    schedule: str
    scaling: Scaling
    exact: Optimum | None
    ahead_from: float | None = None


def ranking(
    exponents: Exponents,
    budget: float,
    *,
    limited: Limited = "data",
    noise: float = 1.0,
    batch: float = 1.0,
    onsets: bool = False,
) -> tuple[Rank, ...]:
    """Schedules from the best to the worst, for large budgets: exponent, log power, exact risk.

    Args:
        exponents: Source and capacity.
        budget: D or C.
        limited: Which of the two.
        noise: Label noise of the exact risks.
        batch: Samples in an update, of the exact risks.
        onsets: Whether to measure from where on each is ahead of the next one: a second or two.

    In the hard regime power decay and WSD both have ``D^-s``; the exact dynamics give WSD the lower
    risk, and the stable phase with a power tail one that is lower still.

    >>> order = ranking(Exponents(0.5, 4.0), 1e6)
    >>> [rank.schedule for rank in order]
    ['wsd-power', 'wsd', 'power', 'exponential', 'constant']
    """
    results = theory_ranking(exponents, budget, limited=limited, cap=cap(exponents, batch) / batch)

    def lowest(schedule: str, budget: float) -> Optimum:
        return best(exponents, schedule, budget, limited=limited, noise=noise, batch=batch)

    exact = {
        result.schedule: lowest(result.schedule, budget) if budget <= MEASURED else None
        for result in results
    }

    def order(result: Scaling) -> tuple[float, float, float]:
        power, found = result.risk.power, exact[result.schedule]
        assert power is not None
        risk = 0.0 if found is None else found.risk
        return round(power.exponent, 12), round(power.log_power, 12), risk

    ordered = sorted(results, key=order)
    ahead: list[float | None] = [None] * len(ordered)
    if onsets:
        for i, (mine, other) in enumerate(pairwise(ordered)):
            names = mine.schedule, other.schedule
            ahead[i] = onset(lambda n, a=names: lowest(a[0], n).risk / lowest(a[1], n).risk,
                             decades=DECADES)  # fmt: skip
    return tuple(
        Rank(
            schedule=result.schedule,
            scaling=result,
            exact=exact[result.schedule],
            ahead_from=since,
        )
        for result, since in zip(ordered, ahead, strict=True)
    )


@dataclass(frozen=True, kw_only=True)
class ExactOptimum:
    """The lowest exact risk of a schedule for a budget, beside the closed form.

    Attributes:
        schedule: Its name in the theory.
        exact: The optimum, hyper-parameters to three digits.
        cap: Largest peak that was tried, `losslaw.kernel.agreement.cap`.
        share: What the cap is of the largest stable rate.
        closed: The exact risk at the hyper-parameters of the closed form, all its constants one;
            ``None`` without label noise, where the closed forms do not hold.
        cost: How much higher that is: ``closed.risk / exact.risk - 1``.
        largest_batch: Largest batch, a power of two, that costs no more than `TOLERATED` with all
            else tuned again. Samples are spent best in batches of 1; only the last rate of an
            exponential tail, the peak over the number of updates, can make up for a few.
    """

    schedule: str
    exact: Optimum
    cap: float
    share: float
    closed: Optimum | None
    cost: float | None
    largest_batch: float


# Rise of the risk that a larger batch may cost.
TOLERATED = 0.05


def exact_optimum(
    exponents: Exponents,
    schedule: str,
    budget: float,
    *,
    limited: Limited = "data",
    noise: float = 1.0,
    batch: float = 1.0,
    exponent: float | None = None,
    floor: float = 0.0,
) -> ExactOptimum:
    """The best peak, modes, samples and cooldown for a budget, in the exact dynamics.

    Args:
        exponents: Source and capacity.
        schedule: As in `losslaw.kernel.agreement.long_schedule`.
        budget: D or C = M D.
        limited: Which of the two.
        noise: Label noise sigma >= 0.
        batch: Samples in an update.
        exponent: Of the power decays.
        floor: Final rate as a share of the peak.

    >>> found = exact_optimum(Exponents(0.5, 2.0), "wsd", 1e12, limited="compute")
    >>> bool(0.01 < found.cost < 0.03), round(found.exact.risk * 1e4, 2)
    (True, 1.56)
    """
    asked = Question(
        exponents=exponents,
        schedule=schedule,
        budget=budget,
        limited=limited,
        noise=noise,
        batch=batch,
        exponent=exponent,
        floor=floor,
    )

    def tuned(batch: float, *, precise: bool) -> Optimum:
        return best(
            exponents, schedule, budget, limited=limited, noise=noise, batch=batch,
            exponent=exponent, floor=floor, precise=precise,
        )  # fmt: skip

    exact = tuned(batch, precise=True)
    closed = None
    if noise > 0:
        peak, modes, samples, cooldown = asked.closed()
        closed = asked.at(peak=peak, modes=modes, samples=samples, cooldown=cooldown)
    rough = tuned(batch, precise=False).risk
    largest = batch
    while largest * 2 < exact.samples / 10:
        if tuned(largest * 2, precise=False).risk > (1 + TOLERATED) * rough:
            break
        largest *= 2
    return ExactOptimum(
        schedule=schedule,
        exact=exact,
        cap=asked.cap,
        share=SHARE,
        closed=closed,
        cost=None if closed is None else closed.risk / exact.risk - 1,
        largest_batch=largest,
    )
