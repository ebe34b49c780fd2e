"""The kernel world against its theory: exponents measured in exact dynamics, beside closed forms.

Everything is the exact discrete mean dynamics of one-pass SGD (noise 1, batch 1), at horizons that
no computer can step through. For every budget the best peak (at most 0.9 of the largest stable
one), cooldown and number of modes are found numerically; exponents are slopes between two budgets,
powers of the logarithm divided out. Gaps are measured minus predicted. Bounds asked for: 0.01; 0.02
for WSD in the hard regime at 10^12, and 0.001 for it at 10^24. A gap beyond its bound is **bold**.
"""

import time
from collections.abc import Callable

import numpy as np

from losslaw.kernel.agreement import (
    Pair,
    best,
    best_kkt,
    cap,
    catch_up_pair,
    final_rate_pair,
    final_risk,
    flatness,
    free_form,
    largest_batch_pair,
    onset,
    risk_ratio,
    scaling_pair,
    slope,
    switch_pair,
    two_stage_run,
)
from losslaw.kernel.theory import Exponents, scaling
from losslaw.kernel.theory.scaling import Limited
from validation.page import markdown, sections

EASY = (Exponents(1.0, 2.0), Exponents(1.0, 1.5), Exponents(1.0, 4.0))
HARD = (Exponents(0.5, 4.0), Exponents(0.3, 2.0), Exponents(0.3, 4.0))
SCHEDULES = ("constant", "exponential", "wsd", "power")
NEAR, LATE, FAR, HUGE = (1e5, 1e6), (1e11, 1e12), (1e15, 1e18), (1e21, 1e24)
COMPUTE = (1e18, 1e20)


def name(exponents: Exponents) -> str:
    """``(s, beta)``."""
    return f"({exponents.source:g}, {exponents.capacity:g})"


def gap(pair: Pair, bound: float = np.inf) -> str:
    """A gap, in bold if it is beyond its bound; a zero has no minus."""
    text = f"{round(pair.gap, 4) + 0.0:+.4f}"
    return f"**{text}**" if abs(pair.gap) > bound else text


def risk_by_data() -> list[str]:
    """Risk exponents, data-limited (infinitely many modes)

    Gaps at 10^5 to 10^6 and at 10^11 to 10^12 samples; the bound is for the latter.
    """
    body: list[list[str]] = []
    for exponents in (*EASY, *HARD):
        cells = [name(exponents)]
        for schedule in SCHEDULES:
            late = scaling_pair(exponents, schedule, LATE)
            bound = 0.02 if schedule == "wsd" and not exponents.easy else 0.01
            near = scaling_pair(exponents, schedule, NEAR)
            cells.append(f"{late.predicted:.4f}: {gap(near)}, {gap(late, bound)}")
        body.append(cells)
    return markdown(["s, beta", *SCHEDULES], body)


def risk_by_compute() -> list[str]:
    """Risk exponents, compute-limited (peak, modes and cooldown searched)

    Gaps at C = 10^18 to 10^20.
    """
    body = [
        [name(exponents)]
        + [
            f"{pair.predicted:.4f}: {gap(pair, 0.01)}"
            for schedule in SCHEDULES
            for pair in [scaling_pair(exponents, schedule, COMPUTE, limited="compute")]
        ]
        for exponents in (*EASY, *HARD)
    ]
    return markdown(["s, beta", *SCHEDULES], body)


def hyper_parameters() -> list[str]:
    """Exponents of the best peak and of the best number of modes, compute-limited

    The same optima. Peaks of exponential decay in the easy regime are not there (see below), nor
    where the best peak is the cap. Log powers of WSD are still drifting here: see below.
    """
    body: list[list[str]] = []
    for exponents in (*EASY, *HARD):
        for quantity in ("modes", "peak"):
            cells = [name(exponents), quantity]
            for schedule in SCHEDULES:
                result = [best(exponents, schedule, C, limited="compute") for C in COMPUTE]
                pinned = result[-1].peak > 0.9 * cap(exponents)
                plain = schedule == "exponential" and exponents.easy
                if quantity == "peak" and (pinned or plain):
                    cells.append("cap" if pinned else "plain")
                    continue
                theory = scaling(exponents, schedule, COMPUTE[1], limited="compute")
                power = getattr(theory, quantity).power
                ends = [getattr(item, quantity) for item in result]
                pair = Pair(slope(COMPUTE, (ends[0], ends[1]), power.log_power), power.exponent)
                cells.append(f"{pair.predicted:.4f}: {gap(pair)}")
            body.append(cells)
    return markdown(["s, beta", "of", *SCHEDULES], body)


def hard_wsd() -> list[str]:
    """WSD in the hard regime at 10^21 to 10^24 samples

    Risk ``D^-s``, and the best decay fraction, derived here (that of the paper only suffices):
    ``D^-((1-1/beta-s)/(2-1/beta)) L^((1-1/beta)/(2-1/beta))``.
    """
    body: list[list[str]] = []
    for exponents in HARD:
        risk = scaling_pair(exponents, "wsd", HUGE)
        fraction = scaling_pair(exponents, "wsd", HUGE, quantity="cooldown")
        body.append(
            [
                name(exponents),
                f"{risk.measured:.5f}",
                f"{risk.predicted:.5f}",
                gap(risk, 0.001),
                f"{fraction.measured:.4f}",
                f"{fraction.predicted:.4f}",
                gap(fraction, 0.002),
            ]
        )
    return markdown(
        ["s, beta", "risk", "theory", "gap", "decay fraction", "theory", "gap"],
        body,
    )


def log_powers() -> list[str]:
    """Powers of the logarithm, the exponent divided out

    Measured at two ranges, to see the drift: a logarithm grows by a tenth in a range, and what is
    left out is of the order of one over it: only exponential decay, whose logarithm is exact, has
    its log power early (in C rather than in D within .007). WSD comes down to theory slowly. Its
    peak and modes are measured at the cooldown 1 - 1/beta: the drift of the best cooldown would add
    -.2 to the log power of the peak.
    """
    cases: list[tuple[str, str, Limited, str, Callable[[Exponents], float | None]]] = [
        ("exponential risk, data", "exponential", "data", "risk", lambda e: None),
        ("exponential risk, compute", "exponential", "compute", "risk", lambda e: None),
        ("WSD risk, data", "wsd", "data", "risk", lambda e: None),
        ("WSD risk, compute", "wsd", "compute", "risk", lambda e: None),
        ("WSD peak, compute", "wsd", "compute", "peak", lambda e: 1 - 1 / e.capacity),
        ("WSD modes, compute", "wsd", "compute", "modes", lambda e: 1 - 1 / e.capacity),
    ]
    body: list[list[str]] = []
    for title, schedule, limited, quantity, cooldown in cases:
        ranges = (LATE, HUGE) if limited == "data" else (COMPUTE, (1e26, 1e28))
        for exponents in EASY if limited == "data" else EASY[:2]:
            pairs = [
                scaling_pair(
                    exponents,
                    schedule,
                    budgets,
                    limited=limited,
                    quantity=quantity,
                    logarithm=True,
                    cooldown=cooldown(exponents),
                )
                for budgets in ranges
            ]
            body.append(
                [title, name(exponents)]
                + [f"{pair.measured:+.4f}" for pair in pairs]
                + [f"{pairs[0].predicted:+.4f}"]
            )
    return markdown(["of", "s, beta", "measured", "later", "theory"], body)


def easy_wsd() -> list[str]:
    """WSD in the easy regime: the best decay fraction tends to 1 - 1/beta

    From above and slowly (derived here). 1 means that no stable phase pays.
    """
    horizons = (1e4, 1e6, 1e9, 1e12, 1e18, 1e24)
    body = [
        [name(exponents)]
        + [f"{best(exponents, 'wsd', n, precise=True).cooldown:.3f}" for n in horizons]
        + [f"{1 - 1 / exponents.capacity:.3f}"]
        for exponents in EASY
    ]
    return markdown(["s, beta", *(f"{n:.0e}" for n in horizons), "limit"], body)


def plain() -> list[str]:
    """Exponential decay, compute-limited and easy: no best peak

    Highest over lowest risk from the given multiple of the stated peak (all constants one) up to
    the cap. The stated peak is the lower edge of a plain, so no exponent of it can be measured: the
    risk is within 3 % of the lowest from there on, and within 1 % from twice there on.
    """
    body = [
        [name(exponents), f"{C:.0e}"]
        + [f"{flatness(exponents, C, above):.4f}" for above in (0.5, 1.0, 2.0)]
        for exponents in EASY
        for C in (1e12, 1e18)
    ]
    return markdown(["s, beta", "C", "from half", "from the peak", "from twice"], body)


def ranking() -> list[str]:
    """Where the ranking WSD > exponential > constant begins

    Ratio of the lowest risks, data-limited, and the number of samples from which on it stays
    below 1 ("always": from 100 samples on). At the cooldown .2, far from the best one of an easy
    problem, WSD may stay behind exponential decay beyond all horizons that anyone will run.
    """
    horizons = (1e4, 1e6, 1e9, 1e12)
    cases: list[tuple[str, str, str, float | None]] = [
        ("WSD / exponential, best r", "wsd", "exponential", None),
        ("WSD / exponential, r = .2", "wsd", "exponential", 0.2),
        ("exponential / constant", "exponential", "constant", None),
    ]
    body: list[list[str]] = []
    for exponents in (*EASY, *HARD):
        for title, one, other, cooldown in cases:

            def ratio(
                n: float,
                e: Exponents = exponents,
                pair: tuple[str, str] = (one, other),
                r: float | None = cooldown,
            ) -> float:
                return risk_ratio(e, *pair, n, cooldown=r)

            # The best WSD includes exponential decay: equal is not better.
            begins = onset(lambda n: ratio(n) + 1e-3, decades=(2, 3, 4, 6, 9, 12, 15))
            text = (
                f"{begins:.0e}" if 0 < begins < np.inf else ("not by 1e15", "always")[begins == 0]
            )
            body.append([name(exponents), title, *(f"{ratio(n):.2f}" for n in horizons), text])
    return markdown(["s, beta", "ratio", *(f"{n:.0e}" for n in horizons), "below 1 from"], body)


def shapes() -> list[str]:
    """Shapes that are fixed: alpha = min(beta, g + 1)

    Only the peak is tuned. ``g + 1 = beta`` costs a logarithm, which is divided out (derived here).
    The closer g + 1 is to beta (and s to 1 - 1/alpha), the later the exponent is reached.
    Gaps at 10^11 to 10^12 and 10^21 to 10^24 samples.
    """
    cases = [
        ("linear", Exponents(1.0, 4.0), None),
        ("linear", Exponents(0.5, 4.0), None),
        ("linear", Exponents(1.0, 2.0), None),
        ("linear", Exponents(1.0, 1.5), None),
        ("cosine", Exponents(1.0, 4.0), None),
        ("cosine", Exponents(0.5, 4.0), None),
        ("cosine", Exponents(1.0, 3.0), None),
        ("power", Exponents(1.0, 2.0), 0.5),
        ("power", Exponents(1.0, 4.0), 5.0),
    ]
    body: list[list[str]] = []
    for schedule, exponents, g in cases:
        theory = scaling(exponents, schedule, 1e12, exponent=g)
        late, huge = (scaling_pair(exponents, schedule, n, exponent=g) for n in (LATE, HUGE))
        body.append(
            [
                schedule if g is None else f"{schedule}, g = {g:g}",
                name(exponents),
                f"{theory.effective_capacity:g}",
                f"{late.predicted:.4f}",
                f"{late.measured:.4f}",
                gap(late),
                gap(huge, 0.01),
            ]
        )
    return markdown(["shape", "s, beta", "alpha", "theory", "measured", "gap", "later gap"], body)


def floors() -> list[str]:
    """A final rate above zero: alpha = 1 in the end

    Samples beyond which a linear decay to a floor is 5 %, and a factor 2, worse than one to zero,
    each at its best peak; and the gap of its risk exponent to that of a constant rate at 10^21 to
    10^24 samples.
    """
    body: list[list[str]] = []
    for exponents in (EASY[0], EASY[2], HARD[0]):
        for floor in (0.01, 0.1):

            def worse(n: float, e: Exponents = exponents, f: float = floor) -> float:
                return best(e, "linear", n, floor=f).risk / best(e, "linear", n).risk

            felt, decides = (
                onset(lambda n, w=worse, x=factor: x / w(n), decades=range(2, 13, 2))
                for factor in (1.05, 2.0)
            )
            huge = scaling_pair(exponents, "linear", HUGE, floor=floor)
            body.append([name(exponents), f"{floor:g}", f"{felt:.0e}", f"{decides:.0e}", gap(huge)])
    return markdown(["s, beta", "floor / peak", "5 % from", "2 times from", "gap at 1e21-24"], body)


def free_forms() -> list[str]:
    """The best schedule of any shape against the KKT shape

    Risk of the KKT shape, its final rate searched, over that of free rates; and the slope of the
    free rates against the intrinsic time left (theory: 1 - 1/(2 beta)) from 10^3 to a thousandth
    of the run. In the last 10^3 the free optimum falls faster at its very end.
    """
    body: list[list[str]] = []
    for exponents in (EASY[0], HARD[0]):
        for n in (1e4, 1e12):
            result = free_form(exponents, n)
            ratio = best_kkt(exponents, n)[0] / result.risk
            cells = [name(exponents), f"{n:.0e}", f"{ratio:.3f}"]
            span = result.run.intrinsic_time / 1e3
            if span > 1e4:
                cells.append(f"{result.slope(1e3, span):.3f}")
            else:
                cells.append("too short")
            body.append([*cells, f"{1 - 0.5 / exponents.capacity:.3f}"])
    return markdown(["s, beta", "samples", "KKT / free", "slope", "theory"], body)


def final_rates() -> list[str]:
    """The last rate of the KKT shape and the last batch of the growing one

    At 10^15 to 10^18 samples: ``(1/2 + s beta)/(1 + s beta)`` easy, ``(1 + s)/2`` hard (derived
    here), as a batch with the sign turned.
    """
    body: list[list[str]] = []
    for exponents in (*EASY, *HARD):
        rate = final_rate_pair(exponents, FAR)
        batch = largest_batch_pair(exponents, FAR)
        body.append(
            [
                name(exponents),
                f"{batch.predicted:.4f}",
                f"{rate.measured:.4f}",
                f"{batch.measured:.4f}",
                gap(batch, 0.01),
            ]
        )
    return markdown(["s, beta", "theory", "rate", "batch", "gap"], body)


def batches() -> list[str]:
    """One switch of the batch, 1 to 16 at a constant rate

    Samples after the best switch grow as ``D^((1+s)/(2-1/beta))`` if hard (10^15 to 10^18); the gap
    to the always-large run falls as ``-(1-1/beta)`` while the time since the switch is short
    against the time before it, and as ``-(2-1/beta)`` once it is long (derived here). Easy: of
    eight switches tried, P = 0 .. .9 D at 10^6 samples, none at all is best.
    """
    body: list[list[str]] = []
    for exponents in HARD:
        switch = switch_pair(exponents, FAR)
        early = catch_up_pair(exponents, 10**9, (10**4, 10**5))
        late = catch_up_pair(exponents, 10**4, (10**7, 10**8), late=True)
        cells = [name(exponents)]
        for pair in (switch, early, late):
            cells += [f"{pair.measured:.4f}", f"{pair.predicted:.4f}"]
        body.append(cells)
    for exponents in EASY:
        shares = (0.0, 1e-3, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9)
        runs = [two_stage_run(cap(exponents), 1e6, 1e6 * share, 1, 16) for share in shares]
        least = min(zip(runs, shares, strict=True), key=lambda at: final_risk(exponents, at[0]))
        body.append([name(exponents), f"P* = {least[1]:g}", "P* = 0"])
        for late, span in ((False, (10**9, (10**4, 10**5))), (True, (10**4, (10**7, 10**8)))):
            pair = catch_up_pair(exponents, *span, late=late)
            body[-1] += [f"{pair.measured:.4f}", f"{pair.predicted:.4f}"]
    head = ["s, beta"]
    for title in ("after the switch", "catch-up", "late catch-up"):
        head += [title, "theory"]
    return markdown(head, body)


SECTIONS = (
    risk_by_data,
    hard_wsd,
    risk_by_compute,
    hyper_parameters,
    log_powers,
    easy_wsd,
    plain,
    ranking,
    shapes,
    floors,
    free_forms,
    final_rates,
    batches,
)


def table() -> str:
    """All sections, one after the other."""
    begun = time.process_time()
    text = sections(SECTIONS, "kernel")
    return f"{text}\n{time.process_time() - begun:.0f} s of processor time, one core, in all."
