"""What the lab says of the law's clocks, of the highest rate so far, of widths, of Muon and SGD.

The runs are those of validation/data/lab (the byte model, mostly 2,000 updates) and the fourteen of
seed 0 that come with the package (4,000 and 12,000 updates). *One clock* is the law `oneclock` with
p = 2: signal and noise go with the effective rate. *Two clocks* is `effective`: the signal feels
the norm with the power hs, is slowed by 1 + (m/ls)^2 and noise falls as m^-nm, m being the highest
rate so far, and the signal's clock gets up to speed over a ramp of 300 updates. *Present* is the
same with the rate of now in the place of the highest so far.

Fits search alpha (with its prior: short runs do not part it from L0) and a, and what a table says
beside these; nothing else has a prior, and points from step 400 on are fitted. Errors are standard
deviations. Numbers are root mean square errors in nats, means over runs; *final* is predicted minus
observed, mean of the last three points. ls: *none* where the fit puts it above five times the
highest rate of the runs; nm: *none* at its bound of .001. What is minimised is Huber's loss, so a
mean square may grow a little where a constant is freed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from losslaw.curves import LossCurve, bundled_curves
from losslaw.errors import FitError, InputError
from losslaw.fitting import Fit, fit
from losslaw.laws import LAWS, Effective, OneClock, Recipe
from losslaw.laws.query import Blocks
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules.agreement import departure
from losslaw.text import rounded
from validation.lab_physics.measure import SKIP, Run, kappa_at, runs
from validation.page import markdown, sections

# The law on one clock, as values of the constants that the law on two clocks adds.
ONE_CLOCK = {"hs": 0.5, "ls": 0.0, "nm": 0.0, "ramp": 0.0}
ADDED = ("hs", "ls", "nm")
COMPARED = ("one clock", "two clocks", "two clocks, present rate", "one clock and ls")
ENDS_ALIKE = ("flat", "spike", "high", "higher", "early")
SHAPES = ("constant", "wsd", "cosine")
STARTS = {"hs": (0.36, 0.6), "ls": (3e-3, 1.2e-2, 5e-2), "nm": (0.115, 0.4)}


@dataclass(frozen=True)
class Present(Effective):
    """The law on two clocks with the rate of now in the place of the highest so far."""

    name: ClassVar[str] = "present"

    def pace(
        self, lr: FloatArray, norm: FloatArray, highest: FloatArray, ramp: FloatArray
    ) -> FloatArray:
        """That of the law, slowed by the rate itself."""
        return super().pace(lr, norm, lr, ramp)

    def injected(self, rate: FloatArray, blocks: Blocks) -> FloatArray:
        """That of the law, less where the rate itself is high."""
        now = np.where(blocks.lr > 0, blocks.lr, 1.0) / 1e-3
        return OneClock.injected(self, rate, blocks) * now**-self.nm


@cache
def sets() -> dict[str, list[LossCurve]]:
    """The runs of AdamW that are fitted together, by what they have in common."""

    def of(*families: str) -> list[LossCurve]:
        return [
            run.curve
            for run in runs().values()
            if run.family in families and not run.planned.label.startswith("triangle")
        ]

    decays = ("0", "0.03", "0.1", "0.3")
    each = {f"decay {decay}": of(f"decay_{decay}", f"peaks_{decay}") for decay in decays}
    every = [curve for curves in each.values() for curve in curves]
    made = {
        **each,
        "all decays": every,
        "all decays and rises": every + of("rises"),
        "width 32": of("width_32"),
        "width 128": of("width_128"),
        "bundled": [curve for curve in bundled_curves() if "seed" not in curve.label],
    }
    return {name: curves for name, curves in made.items() if curves}


def asked(
    curves: Sequence[LossCurve],
    *free: str,
    law: type[Effective] = Effective,
    errors: bool = False,
    **fixed: float,
) -> Fit:
    """A fit without priors but alpha's; with the errors of its constants, if they are wanted."""
    priors = {name: None for name in law.priors() if name != "alpha"}
    recipe = Recipe(law, ("alpha", "a", *free), fixed, priors, STARTS)
    return fit(curves, recipe, skip=SKIP, uncertainty=errors)


@cache
def of_set(title: str, *free: str, law: type[Effective] = Effective, **fixed: float) -> Fit:
    """A fit to one of `sets`; errors where something beside alpha and a is free."""
    return asked(sets()[title], *free, law=law, errors=bool(free), **fixed)


@cache
def beside_one_clock(title: str, name: str) -> Fit:
    """One clock, and one constant of the two free."""
    held = {key: item for key, item in ONE_CLOCK.items() if key != name}
    return of_set(title, name, **held)


def misfit(result: Fit, curves: Sequence[LossCurve]) -> float:
    """Root mean square error over runs, from step `SKIP` on."""
    return float(np.sqrt(np.mean([missed(result, curve)[0] ** 2 for curve in curves])))


def missed(result: Fit, curve: LossCurve, after: int = 0) -> tuple[float, float]:
    """Root mean square error after a step, and the error of the final loss."""
    late = (curve.steps >= SKIP) & (curve.steps > after)
    error = result.law.predict(curve.schedule, curve.steps[late]) - curve.loss[late]
    return float(np.sqrt(np.mean(error**2))), float(error[-3:].mean())


def value(result: Fit, name: str) -> str:
    """A constant with its standard deviation."""
    found, sd = result.parameters[name], result.parameter_errors.get(name)
    highest = max(float(curve.schedule.lr.max()) for curve in result.curves)
    if (name == "ls" and found > 5 * highest) or (name == "nm" and found < 2e-3):
        return "none"
    return f"{found:.3g}" if sd is None else rounded(found, sd)


def left_behind() -> list[str]:
    """What a high rate leaves behind

    Runs of decay .1 that are at 1.5e-3 from step 1,200 on and decay alike over the last 300 of
    2,000 updates: *flat* was never higher; *spike* was at 6e-3 for 20 updates from step 1,000;
    *high* and *higher* were at 6e-3 and 1.2e-2 from 800 to 1,100; *early* was at 6e-3 up to 400.
    Another seed moves a final loss by .004-.006 (lab_physics). On the right, what laws fitted to
    the pairs of their width and decay, and to the flat run, say of the final loss more than the
    flat one's.
    """
    body: list[list[str]] = []
    for run in ending_alike():
        cells = [f"{run.final:.4f}", f"{run.hidden[-1]:.1f}"]
        cells += [f"{more:+.4f}" for more in (behind(run, 1650), *more_than_flat(run))]
        body.append([run.curve.label, *cells])
    head = (
        "run",
        "final loss",
        "squared hidden norm",
        "more than flat at step 1,650",
        "at the end",
    )
    return markdown((*head, *COMPARED), body)


def ending_alike() -> list[Run]:
    """The runs whose last 800 updates have the same rates."""
    return [
        run
        for run in runs().values()
        if run.family in ("rises", "width_128") and run.planned.label in ENDS_ALIKE
    ]


def flat(run: Run) -> Run:
    """The run of the same family that was never above 1.5e-3."""
    return runs()[f"{run.family}/flat"]


def behind(run: Run, step: int) -> float:
    """Loss at a step above that of the flat run."""
    at = run.curve.steps == step
    return float((run.curve.loss[at] - flat(run).curve.loss[at])[0])


def more_than_flat(run: Run) -> list[float]:
    """Final loss above that of the flat run: as measured, and as each law says."""
    last = run.curve.steps[-3:]

    def said(result: Fit) -> float:
        ends = [result.law.predict(each.schedule, last).mean() for each in (run, flat(run))]
        return float(ends[0] - ends[1])

    laws = pairs_fitted(run.family)
    return [run.final - flat(run).final, *[said(laws[law]) for law in COMPARED]]


REMOVED: dict[str, dict[str, float]] = {
    "two clocks": {},
    "the same without the ramp": {"ramp": 0.0},
    "without ls": {"ls": 0.0},
    "without nm": {"nm": 0.0},
    "with hs 1/2": {"hs": 0.5},
    "without ramp, ls, nm": {"ramp": 0.0, "ls": 0.0, "nm": 0.0},
    "one clock": ONE_CLOCK,
}


def parts() -> list[str]:
    """What each part of the two clocks does to the misfit, constants as built in"""

    def row(title: str, law: type[Effective] = Effective, **fixed: float) -> list[str]:
        fits = {name: of_set(name, law=law, **fixed) for name in sets()}
        return [title, *[f"{misfit(result, sets()[name]):.4f}" for name, result in fits.items()]]

    body = [row(title, **fixed) for title, fixed in REMOVED.items()]
    body.insert(1, row("with the present rate", Present))
    return markdown(("", *sets()), body)


def wanted() -> list[str]:
    """Which constant the runs want, one at a time beside one clock (misfit)

    Without a ramp. The scatter between sets says more of how well a constant is known than the
    standard deviations, which take the law for true.
    """
    body: list[list[str]] = []
    for title, curves in sets().items():
        row = [title, str(len(curves)), f"{misfit(of_set(title, **ONE_CLOCK), curves):.4f}"]
        for name in ADDED:
            result = beside_one_clock(title, name)
            row.append(f"{value(result, name)} ({misfit(result, curves):.4f})")
        body.append(row)
    return markdown(("runs", "number", "one clock", *ADDED), body)


def together() -> list[str]:
    """All three constants together, with the highest rate so far and with the present one"""
    body: list[list[str]] = []
    for title, curves in sets().items():
        row = [title]
        for law in (Effective, Present):
            result = of_set(title, *ADDED, law=law, ramp=0.0)
            row += [value(result, name) for name in ADDED]
            row.append(f"{misfit(result, curves):.4f}")
        body.append(row)
    each = (*ADDED, "misfit")
    return markdown(("runs", *each, *(f"present: {item}" for item in each)), body)


# Where each run of the rises leaves what the fitted pairs have done.
LEAVES = {"flat": 0, "spike": 1000, "high": 700, "higher": 700, "early": 400, "dip": 700}


OWN = ("h", "p", "kappa", "r", "q")


@cache
def one_clock(title: str, *free: str) -> Fit:
    """The law `oneclock` with p = 2, and constants of its own free, without a prior."""
    priors = {name: None for name in OneClock.priors() if name != "alpha"}
    fixed = {} if "p" in free else {"p": 2.0}
    return fit(sets()[title], Recipe(OneClock, ("alpha", "a", *free), fixed, priors), skip=SKIP)


def own() -> list[str]:
    """What one clock asks of its own constants, one at a time (misfit)

    Built in: h 1/2, kappa 2500, r 245, q 4/3; p 2 as the norms say.
    """
    body: list[list[str]] = []
    for title, curves in sets().items():
        fits = {name: one_clock(title, name) for name in OWN}
        body.append(
            [title, *[f"{value(r, name)} ({misfit(r, curves):.4f})" for name, r in fits.items()]]
        )
    return markdown(("runs", *OWN), body)


@cache
def pairs_fitted(family: str = "rises") -> dict[str, Fit]:
    """Laws fitted to the pairs of decay .1 and the width of a family, and to its flat run."""
    ordinary = (family,) if family == "width_128" else ("decay_0.1", "peaks_0.1")
    fitted = [
        run.curve
        for run in runs().values()
        if run.family in ordinary and run.planned.label.startswith(("constant", "wsd"))
    ]
    fitted.append(runs()[f"{family}/flat"].curve)
    without = {key: item for key, item in ONE_CLOCK.items() if key != "ls"}
    return {
        "one clock": asked(fitted, **ONE_CLOCK),
        "two clocks": asked(fitted),
        "two clocks, present rate": asked(fitted, law=Present),
        "one clock and ls": asked(fitted, "ls", errors=True, **without),
        "one clock and ls, present rate": asked(fitted, "ls", law=Present, errors=True, **without),
        "hs, ls, nm free": asked(fitted, *ADDED, errors=True),
        "hs, ls, nm free, present rate": asked(fitted, *ADDED, law=Present, errors=True),
    }


def rises_foretold() -> list[str]:
    """Rates that rise, foretold from the pairs of decay .1 and the flat run (RMSE, final)

    From where a run departs from the others; the flat run itself is fitted.
    """
    body: list[list[str]] = []
    for title, result in pairs_fitted().items():
        row = [title, *[value(result, name) for name in ADDED]]
        for label in LEAVES:
            rmse, final = missed(result, runs()[f"rises/{label}"].curve, LEAVES[label])
            row.append(f"{rmse:.4f}, {final:+.4f}")
        body.append(row)
    return markdown(("law", *ADDED, *LEAVES), body)


def others() -> dict[str, list[Run]]:
    """The runs of the other optimisers, at two peaks and three shapes; AdamW's for comparison."""
    found = {
        name: [
            run
            for run in runs().values()
            if run.family == family and run.planned.label.startswith(SHAPES)
        ]
        for name, family in (("Muon", "muon"), ("SGD", "sgd"), ("AdamW", "decay_0.1"))
    }
    return {name: mine for name, mine in found.items() if mine}


UNITS = ("alpha", "kappa", "a", "q", "r", "L0", "N")


@cache
def unit_fits() -> dict[str, dict[str, Fit]]:
    """Free units fitted to each optimiser's runs, all of them and parts."""
    return {
        name: {title: free_units(curves) for title, curves in subsets(mine).items()}
        for name, mine in others().items()
    }


def spread(name: str, constant: str) -> float:
    """Log of the largest over the smallest value of a constant over the fits of an optimiser."""
    found = [result.parameters[constant] for result in unit_fits()[name].values()]
    return float(np.log(max(found) / min(found))) if min(found) > 0 else np.inf


def constants() -> list[str]:
    """Constants of other optimisers in free units (recipe `free units`, its wide priors)

    r, kappa and N in units of the peak 1e-3, as AdamW's are: r 245, kappa 2500 (2200 by the norms
    of these models), N 47. *e-folds*: log of the largest over the smallest value of the rows above;
    AdamW is there for comparison, its constants being known.
    """
    body: list[list[str]] = []
    for name, results in unit_fits().items():
        for title, result in results.items():
            row = [value(result, item) for item in UNITS]
            kept = subsets(others()[name])[title]
            body.append([name, title, *row, f"{misfit(result, kept):.4f}"])
        body.append([name, "e-folds", *[f"{spread(name, item):.1f}" for item in UNITS], ""])
    return markdown(("optimiser", "runs", *UNITS, "misfit"), body)


@cache
def held_fits() -> dict[str, dict[str, Fit]]:
    """AdamW's constants held, on one clock, for the optimisers whose updates are of its size.

    Muon's have the root mean square that AdamW's usually have; SGD's have nothing to do with it.
    """
    priors = {name: None for name in OneClock.priors() if name != "alpha"}
    recipe = Recipe(OneClock, ("alpha",), {"p": 2.0}, priors)
    return {
        name: {title: fit(curves, recipe, skip=SKIP) for title, curves in subsets(mine).items()}
        for name, mine in others().items()
        if name != "SGD"
    }


def held() -> list[str]:
    """Muon with AdamW's constants: kappa 2500, r 245, q 4/3, a 1.8 held, no prior on N

    Muon's updates have the root mean square that AdamW's usually have. Measured without a loss,
    kappa std^2 of its hidden matrices at the end of the constant runs stands in the last column.
    """
    body: list[list[str]] = []
    for name, results in held_fits().items():
        grown = [
            f"{kappa_at(run, run.hidden, 10**6) * run.config.init_std**2:.2f}"
            for run in others()[name]
            if run.planned.label.startswith("constant")
        ]
        for title, result in results.items():
            row = [value(result, item) for item in ("alpha", "L0", "N")]
            wrong = misfit(result, subsets(others()[name])[title])
            norms = ", ".join(grown) if title == "all" else ""
            body.append([name, title, *row, f"{wrong:.4f}", norms])
    head = ("optimiser", "runs", "alpha", "L0", "N", "misfit", "kappa std^2")
    return markdown(head, body)


def subsets(mine: Sequence[Run]) -> dict[str, list[LossCurve]]:
    """All runs, all but those of one shape, those of one peak."""
    peaks = sorted({run.schedule.peak_lr for run in mine})
    shapes = [s for s in SHAPES if any(run.planned.label.startswith(s) for run in mine)]
    parts = {"all": [run.curve for run in mine]}
    if len(shapes) > 2:
        for shape in shapes:
            kept = [run.curve for run in mine if not run.planned.label.startswith(shape)]
            parts[f"without {shape}"] = kept
    for peak in peaks:
        parts[f"peak {peak:g}"] = [run.curve for run in mine if run.schedule.peak_lr == peak]
    return parts


def free_units(curves: Sequence[LossCurve]) -> Fit:
    """The law where nothing is known of the optimiser but its form."""
    return fit(curves, OneClock.recipes(curves)["free units"], skip=SKIP)


def foretold() -> list[str]:
    """One shape or one peak left out and foretold (RMSE, size of the final error; means of runs)

    Errors after the step where a run departs from those fitted; one peak left out: from step 400.
    """
    laws = ("free units", "oneclock", "effective", "multipower", "functional")
    body: list[list[str]] = []
    for name, mine in others().items():
        every = {run.curve.label: run.curve for run in mine}
        for title, kept in subsets(mine).items():
            asked_about = [curve for curve in every.values() if curve not in kept]
            if not asked_about:
                continue
            row = [f"{name}, {title}"]
            for law in laws:
                # Rates of SGD are none of AdamW's.
                if name == "SGD" and law in ("oneclock", "effective"):
                    row.append("")
                    continue
                row.append(_left_out(law, kept, asked_about))
            body.append(row)
    return markdown(("fitted", *laws), body)


def _left_out(law: str, kept: list[LossCurve], asked_about: list[LossCurve]) -> str:
    try:
        if law == "free units":
            result = free_units(kept)
        elif law in ("oneclock", "effective"):
            result = fit(kept, LAWS[law].recipes(kept)["adamw"], skip=SKIP, uncertainty=False)
        else:
            result = fit(kept, law, skip=SKIP, uncertainty=False)
    except (FitError, InputError):
        return "no fit"
    known = [(curve.schedule, int(curve.steps[-1])) for curve in kept]
    found = [missed(result, c, departure(c.schedule, known)) for c in asked_about]
    rmse = np.mean([item[0] for item in found])
    final = np.mean([abs(item[1]) for item in found])
    return f"{rmse:.4f}, {final:.4f}"


def follows() -> list[str]:
    """What follows"""
    rises, every = "all decays and rises", [name for name in sets() if name.startswith("decay")]
    curves = sets()[rises]
    hs = [beside_one_clock(name, "hs").parameters["hs"] for name in every]
    ls = {name: value(beside_one_clock(name, "ls"), "ls") for name in sets()}
    free = of_set(rises, *ADDED, ramp=0.0)
    misfits = {
        "as built in": of_set(rises),
        "one clock": of_set(rises, **ONE_CLOCK),
        "one clock and a free ls": beside_one_clock(rises, "ls"),
        "hs, ls and nm free": free,
    }
    own_values = ", ".join(f"{name} {value(one_clock('all decays', name), name)}" for name in OWN)
    risen = [run for run in ending_alike() if run.planned.label.startswith("high")]
    lower = ", ".join(f"{-behind(run, 1650):.3f} ({run.curve.label})" for run in risen)
    beyond = [more[0] - more[1] for more in map(more_than_flat, risen)]
    early, spike = (more_than_flat(runs()[f"rises/{name}"]) for name in ("early", "spike"))
    n = {
        name: [result.parameters["N"] for result in results.values()]
        for name, results in held_fits().items()
    }
    return [
        f"* **One clock.** Misfits on {rises}: "
        + ", ".join(f"{misfit(result, curves):.4f} {title}" for title, result in misfits.items())
        + f". Asked one at a time, all decays want {own_values} of one clock.",
        f"* **hs** is {min(hs):.2f}-{max(hs):.2f} over weight decays of 0 to .3, beside one clock,"
        f" and {value(free, 'hs')} together with ls and nm on {rises}. Built in: {Effective.hs:g}.",
        f"* **ls**, beside one clock: {', '.join(f'{v} ({name})' for name, v in ls.items())}. Built"
        f" in: {Effective.ls:g}. What peaks a factor 2 apart ask for, a wide range takes back.",
        f"* **nm**, together with the others on {rises}: {value(free, 'nm')}. Built in:"
        f" {Effective.nm:g}.",
        "* **What a high rate leaves behind is, first, the norm.** Back at 1.5e-3, at step 1,650,"
        f" runs that rose are *below* those that did not: {lower}. At the end there is a cost"
        f" beyond the norm: they end {min(beyond):.3f}-{max(beyond):.3f} higher than one clock"
        f" says, which no law here foretells. A start at 6e-3 costs {early[0]:+.4f} (one clock:"
        f" {early[1]:+.4f}).",
        "* **The highest rate so far.** After a spike of 20 updates the end is"
        f" {spike[0]:+.4f} from that without (one clock: {spike[1]:+.4f}). The built-in constants"
        f" say {spike[2]:+.3f} with the highest rate so far, {spike[3]:+.3f} with the present one.",
        "* **Muon**, whose updates are of AdamW's size, follows AdamW's constants on one clock."
        f" With them, N is {min(n['Muon']):.0f}-{max(n['Muon']):.0f} over parts of its runs, and"
        f" {min(n['AdamW']):.0f}-{max(n['AdamW']):.0f} over parts of AdamW's: a prior can be had."
        f" In free units neither kappa ({spread('Muon', 'kappa'):.1f} e-folds between parts of the"
        f" runs) nor N ({spread('Muon', 'N'):.1f}) is determined, and no more so for AdamW"
        f" ({spread('AdamW', 'kappa'):.1f}, {spread('AdamW', 'N'):.1f}).",
        f"* **SGD.** kappa, r and N differ by {spread('SGD', 'kappa'):.1f},"
        f" {spread('SGD', 'r'):.1f} and {spread('SGD', 'N'):.1f} e-folds between parts of the runs:"
        " no prior can be had, beyond the wide ones of free units.",
    ]


SECTIONS = (
    follows,
    left_behind,
    parts,
    wanted,
    together,
    rises_foretold,
    constants,
    held,
    foretold,
)


def table() -> str:
    """All sections, one after the other."""
    return sections(SECTIONS, "lab_law")
