"""What is searched and what is held: the ways to fit a law, and which one the curves call for.

A recipe is a law with the shapes that are searched, those that are fixed, and what is known of all
of them beforehand. Two recipes of the effective-rate law matter.

*AdamW*: the constants are near-universal, and only what the curves can tell is opened: alpha and a
always; q, the power of forgetting, where decays of one model at one peak were seen; p, the growth
of the norm, where peaks differ; c, the worth of a batch, where batches differ. Where models or
peaks differ a free q takes the blame for that.

*Free units*: another optimiser or parametrisation has the same form with other units of the
learning rate. r goes as 1/lr, kappa as 1/lr^p and N as lr^-a, so all three are searched around the
values that AdamW would have if the highest fitted peak were 1e-3, with priors many e-folds wide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from losslaw.curves import LossCurve
from losslaw.laws import Effective, Law
from losslaw.laws.law import Prior
from losslaw.schedules.agreement import same_rate

WIDE = "any optimiser: AdamW's constants in units of the highest peak"


@dataclass(frozen=True)
class Recipe:
    """How a law is fitted.

    Attributes:
        law: The class of the law.
        free: Shapes to search; ``None``: those the law frees by itself.
        fixed: Values for shapes that are not searched, and for settings.
        priors: What replaces the law's own priors; ``None``: nothing is known.
        starts: Values to begin from, instead of the law's own.
        model_error: Usual error on schedules left out, in nats, if it is not that of the law.
        peak_error: Error an e-fold from the fitted peaks, in nats, if it is not that of the law.
    """

    law: type[Law]
    free: tuple[str, ...] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    priors: Mapping[str, Prior | None] = field(default_factory=dict[str, Prior | None])
    starts: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    model_error: float | None = None
    peak_error: float | None = None


@dataclass(frozen=True)
class Variety:
    """What the schedules of some curves show.

    Attributes:
        peaks: Peak learning rates that differ by more than 5 %.
        decays: Runs whose rate fell below .7 of its peak while losses were seen.
        sizes: Known model sizes.
        batches: Batch sizes that differ by more than 5 %, where all runs know theirs; else 0.
        weight_decay_known: Whether all runs say their weight decay.
        warmup_known: Whether all runs have a warm-up; what has none may not have logged it.
    """

    peaks: int
    decays: int
    sizes: int
    batches: int
    weight_decay_known: bool
    warmup_known: bool


def variety(curves: Sequence[LossCurve]) -> Variety:
    """What these curves can tell of a law."""
    peaks: list[float] = []
    batches: list[float] = []
    decays = 0
    for curve in curves:
        last = int(curve.steps[-1])
        seen = curve.schedule.lr[:last]
        peak = float(seen.max())
        _add(peaks, peak)
        if curve.schedule.batch is not None:
            _add(batches, float(curve.schedule.batch[:last].min()))
            _add(batches, float(curve.schedule.batch[:last].max()))
        decays += curve.schedule.decays(last)
    known = all(curve.schedule.weight_decay is not None for curve in curves)
    sizes = len({curve.model_size for curve in curves} - {None})
    every = all(curve.schedule.batch is not None for curve in curves)
    warm = all(curve.schedule.warmup > 0 for curve in curves)
    return Variety(len(peaks), decays, sizes, len(batches) if every else 0, known, warm)


def _add(values: list[float], value: float) -> None:
    """Keep a value that is none of those kept."""
    if not any(same_rate(value, other) for other in values):
        values.append(value)


def adamw(curves: Sequence[LossCurve]) -> Recipe:
    """The effective-rate law with AdamW's constants, open where these curves can tell."""
    seen = variety(curves)
    free = ["alpha", "a"]
    if seen.peaks > 1:
        free.append("p")
    elif seen.decays and seen.sizes < 2:
        free.append("q")
    if seen.batches > 1:
        free.append("c")
    priors: dict[str, Prior | None] = {}
    if "q" not in free:
        # The prior on N is of fits with q at this value: held, it is known as far as N is.
        priors["q"] = None
    if not seen.warmup_known:
        # Effective time begins somewhere else then, and alpha with L0 makes up for it.
        priors["alpha"] = Prior(0.54, 0.20, source="no warm-up is known")
    if not seen.weight_decay_known:
        # A weight decay other than .1 is, to the norm, another kappa: .05-.2 are usual.
        priors["kappa"] = Prior(2500.0, 0.5, on="log", source="weight decay is not known")
    return Recipe(Effective, tuple(free), {}, priors)


def free_units(curves: Sequence[LossCurve]) -> Recipe:
    """The effective-rate law where nothing is known of the optimiser but its form."""
    peak = max(float(curve.schedule.lr[: int(curve.steps[-1])].max()) for curve in curves)
    unit = 1e-3 / peak
    usual = Effective()
    r, kappa = usual.r * unit, usual.kappa * unit**usual.p
    n = 47.0 * unit**usual.a
    seen = variety(curves)
    batch = ("c",) if seen.batches > 1 else ()
    return Recipe(
        Effective,
        ("alpha", "kappa", "a", "q", "r", *batch),
        {"p": 2.0},
        {
            "alpha": Prior(0.54, 0.25, source=WIDE),
            "kappa": Prior(kappa, 3.0, on="log", source=WIDE),
            "a": Prior(1.8, 0.15, source=WIDE),
            "q": Prior(4.0 / 3.0, 0.15, on="inverse", source=WIDE),
            "r": Prior(r, 2.0, on="log", source=WIDE),
            "c": Prior(0.25, 0.25, source="between SGD, 0, and Adam in noise, 1/2"),
            "N": Prior(n, 3.0 * n, source=WIDE),
        },
        {
            "alpha": (0.3, 0.6, 1.0),
            "kappa": (kappa * 1e-3, kappa),
            "a": (1.8,),
            "q": (4.0 / 3.0,),
            "r": (r / 8, r, 8 * r),
            "c": (0.1,),
        },
        # Assumption: with few decays to go by it may be far off. Two SGD runs of the lab miss a
        # cosine of their peak by .2, and another peak by .3 (validation/results/lab_auto.md).
        model_error=0.006 if seen.decays >= 3 else 0.02,
        peak_error=0.03,
    )
