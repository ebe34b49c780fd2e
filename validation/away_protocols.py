"""What is fitted and what is held out away from home.

Home is AdamW in standard parametrisation on web text with peaks from 5e-4 to 2e-3; its protocols
are in `validation.protocols`. Here are other peaks, another task, other optimisers, raw losses,
rates that are known only relatively. A protocol needs the folders of public curves in ``NEEDS``.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from losslaw.curves import LossCurve
from validation.protocols import (
    PEAKS,
    Trial,
    in_progress,
    peak_asked,
    peak_fitted,
)
from validation.public_runs import labels, missing, read


def block_means(curve: LossCurve, rows: int) -> LossCurve:
    """Means of so many rows each, at the means of their steps; the first rows that are too many
    for whole blocks are left out."""
    count = len(curve) // rows
    steps = curve.steps[-count * rows :].reshape(count, rows).mean(axis=1)
    loss = curve.loss[-count * rows :].reshape(count, rows).mean(axis=1)
    return curve.with_(steps=np.floor(steps).astype(np.int64), loss=loss)


def as_block_means(trial: Trial, rows: int) -> Trial:
    """The trial with what is held out as means of rows."""
    return replace(
        trial,
        held_out=[(block_means(run.after(after), rows), after) for run, after in trial.held_out],
    )


ALL_PEAKS = ("0.0001", *PEAKS, "0.003")
LOW = [
    "124M_constant_peak0.0001_T50000",
    "124M_cosine-to-10pct_peak0.0001_T25000",
    "124M_wsd-linear-0.2_peak0.0001_T25000",
]
HIGH = ["124M_constant_peak0.003_T50000", "124M_wsd-linear-0.2_peak0.003_T50000"]


def fitted_of(peak: str) -> list[str]:
    """The two or three runs of a peak that are fitted."""
    return {"0.0001": LOW, "0.003": HIGH}.get(peak) or peak_fitted(peak)


def outer_peaks() -> Iterator[Trial]:
    """Constant, cosine and WSD of 5e-4, 1e-3 and 2e-3; held out: every run at a peak outside."""
    fitted = [label for peak in PEAKS for label in peak_fitted(peak)]
    for peak in ("0.0001", "0.003"):
        yield peak_asked(fitted, peak)


def each_peak_out() -> Iterator[Trial]:
    """Two or three runs of each of four peaks; held out: every run of the fifth."""
    for peak in ALL_PEAKS:
        fitted = [label for other in ALL_PEAKS if other != peak for label in fitted_of(other)]
        yield peak_asked(fitted, peak)


def between_peaks() -> Iterator[Trial]:
    """Constant, cosine and WSD of 1e-4, constant and WSD of 3e-3; held out: every run at 1e-3."""
    yield peak_asked(LOW + HIGH, "0.001")


def low_peak_alone() -> Iterator[Trial]:
    """Constant, a cosine and a WSD of 1e-4; held out: its other runs."""
    yield peak_asked(LOW, "0.0001")


CIFAR_RUN = "_D1024_T10B"
CIFAR_FITTED = {
    "constant + linear": ("const1", "linear1"),
    "constant + linear over .2": ("const1", "linear0.2"),
    "constant alone": ("const1",),
}


def other_task() -> Iterator[Trial]:
    """Image tokens, muP rates: a constant run and one decay or none; held out: the others."""

    def departs(kind: str) -> int:
        return int(0.8 * 152586) if kind.endswith("0.2") else 0

    def run(kind: str) -> LossCurve:
        return read("cifar5m", kind + CIFAR_RUN)

    kinds = [name.removesuffix(CIFAR_RUN) for name in labels("cifar5m")]
    for name, fitted in CIFAR_FITTED.items():
        held_out = [(run(kind), departs(kind)) for kind in kinds if kind not in fitted]
        yield Trial(name, [run(kind) for kind in fitted], held_out, 2000)


def track3(name: str) -> LossCurve:
    """A run of the optimiser track; the rate logged at a step is that of the next update.

    The optimiser stands in the ``meta.json`` beside it.
    """
    return read("track3", name, lr_is="next")


def other_optimizer() -> Iterator[Trial]:
    """Muon at rate .035 for 3,150 updates; held out: 3,350 updates, and another rate."""
    fitted = track3("muon_lr0.035_T3150_mean_of_8")
    for name, asked, departs in (
        ("another horizon", "muon_lr0.035_T3350_mean_of_20", 945),
        ("another rate", "muon_lr0.025_T3375_mean_of_20", 0),
    ):
        yield Trial(name, [fitted], [(track3(asked), departs)], 300)


def track3_running(share: float) -> Iterator[Trial]:
    """The first part of each run of the track, one seed or the mean of all."""
    for name in labels("track3"):
        yield in_progress(name, track3(name), share, 300)


def other_optimizer_30() -> Iterator[Trial]:
    """The first 30 % of runs with Muon, KL-SOAP and AdamW; held out: the rest of the same run."""
    yield from track3_running(0.3)


def other_optimizer_60() -> Iterator[Trial]:
    """The first 60 % of runs with Muon, KL-SOAP and AdamW; held out: the rest of the same run."""
    yield from track3_running(0.6)


def every_update() -> Iterator[Trial]:
    """The raw loss of every update, warm-up not logged; held out: means of 100 updates.

    The first 60 % of a WSD run, held out is its rest; and all of a cosine, held out is the decay
    of the WSD run. Nothing is left out or averaged before `fit` has the logs.
    """
    wsd = read("gpt100m_every_update", "wsd")
    yield as_block_means(in_progress("first 60 % of wsd", wsd, 0.6, None), 100)
    cosine = read("gpt100m_every_update", "cosine")
    decay = int(np.argmax(wsd.schedule.lr < wsd.schedule.peak_lr))
    yield as_block_means(Trial("cosine, then wsd's end", [cosine], [(wsd, decay)], None), 100)


def large() -> Iterator[Trial]:
    """A model of 15B parameters, raw loss of every fifth update; held out: means of 50 rows.

    Its warm-up is 3,906,252 samples in batches of 384.
    """
    run = read("gpt15b", "gpt15b_a100", warmup=10173)
    for share in (0.5, 0.75):
        yield as_block_means(in_progress(f"first {100 * share:.0f} %", run, share, 12000), 50)


SHAPES = ("1024x28", "512x12")


def cooldown_ends(shape: str) -> list[tuple[LossCurve, int]]:
    """The cooldowns of a shape, shortest run first, each with the step where it begins."""
    every = sorted(labels("gemstones", f"wsd_{shape}_*"), key=lambda name: int(name.split("_")[-1]))
    return [(read("gemstones", name), int(name.split("_")[-2])) for name in every]


def relative_rate(fitted: Callable[[str], list[LossCurve]], later: int) -> Iterator[Trial]:
    """Of each of two shapes some runs; held out: the ends of all cooldowns or of the later ones."""
    for shape in SHAPES:
        yield Trial(shape, fitted(shape), cooldown_ends(shape)[later:], 900)


def relative_constant() -> Iterator[Trial]:
    """A constant run of rate 1; held out: the ends of ten cooldowns."""
    yield from relative_rate(lambda shape: [read("gemstones", f"hot_{shape}")], 0)


def relative_two_rates() -> Iterator[Trial]:
    """Constant runs of rates 1 and 1/2; held out: the ends of ten cooldowns."""
    yield from relative_rate(
        lambda shape: [read("gemstones", f"{kind}_{shape}") for kind in ("hot", "halflr")], 0
    )


def relative_first_end() -> Iterator[Trial]:
    """A constant run and the first cooldown; held out: the ends of the nine later ones."""
    yield from relative_rate(
        lambda shape: [read("gemstones", f"hot_{shape}"), cooldown_ends(shape)[0][0]], 1
    )


AWAY: dict[str, Callable[[], Iterator[Trial]]] = {
    "A1 peaks": outer_peaks,
    "leave one of five peaks out": each_peak_out,
    "A2 between": between_peaks,
    "A3 low peak alone": low_peak_alone,
    "A4 other task": other_task,
    "A5 other optimiser": other_optimizer,
    "A6 other optimiser, first 30 %": other_optimizer_30,
    "A6 other optimiser, first 60 %": other_optimizer_60,
    "A7 every update": every_update,
    "A8 large, raw loss": large,
    "A9 relative rate, constant": relative_constant,
    "A9 relative rate, two rates": relative_two_rates,
    "A9 relative rate, first end": relative_first_end,
}
# Public curves that a protocol reads; all others read those of Schaipp et al.
NEEDS = {"A4": "cifar5m", "A5": "track3", "A6": "track3", "A7": "gpt100m_every_update"} | {
    "A8": "gpt15b",
    "A9": "gemstones",
}


def missing_for(title: str) -> str:
    """Why a protocol cannot be run, or nothing."""
    return missing(NEEDS.get(title.split()[0], "schaipp_llama_val"))
