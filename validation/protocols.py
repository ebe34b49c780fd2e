"""What is fitted and what is held out: the benchmark on public loss curves, exactly.

A protocol is a list of trials. A trial fits a law to some runs and predicts others, scored only
after the step where the held-out schedule departs from everything that was fitted. Points before
``skip`` are left out everywhere. Those of `PROTOCOLS` are at home: AdamW, web text, usual peaks;
`validation.away_protocols` has the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from losslaw.curves import LossCurve
from validation import public_runs
from validation.public_runs import read

SIZES = ("25M", "100M", "400M")
PEAKS = ("0.0005", "0.001", "0.002")


@dataclass(frozen=True)
class Trial:
    """One fit and its queries.

    Attributes:
        name: What is special about it (a size, a peak).
        fitted: Runs to fit.
        held_out: Runs to predict, each with the step after which it is scored.
        skip: Points before this step are left out; ``None``: `losslaw.fit` decides.
    """

    name: str
    fitted: list[LossCurve]
    held_out: list[tuple[LossCurve, int]] = field(default_factory=list)
    skip: int | None = 0


def public(size: str, name: str) -> LossCurve:
    """A run of the multi-power paper's set; its warm-up of 2160 updates is not in the log."""
    return read("mpl_llama2", f"{size}_{name}", warmup=2160)


def schaipp(label: str) -> LossCurve:
    """A run of Schaipp et al.'s set; the rate logged at a step is that of the next update."""
    return read("schaipp_llama_val", label, warmup=300, lr_is="next")


def schaipp_labels(pattern: str) -> list[str]:
    """Labels of runs of that set."""
    return public_runs.labels("schaipp_llama_val", pattern)


def decay_start(label: str) -> int:
    """Where a run of that set leaves the constant run of its peak; 0 for a cosine."""
    found = re.search(r"_wsd-\w+-([\d.]+)_peak.*_T(\d+)$", label)
    return 0 if found is None else round(int(found[2]) * (1 - float(found[1])))


PUBLIC_FITTED = ("cosine_24000", "constant_24000", "wsdcon_9")
PUBLIC_HELD_OUT = {
    "constant_72000": 24000,
    "cosine_72000": 0,
    "wsd_20000_24000": 20000,
    "wsdld_20000_24000": 20000,
    "wsdcon_3": 8000,
    "wsdcon_18": 8000,
}
PUBLIC_ALL = (*PUBLIC_FITTED, *PUBLIC_HELD_OUT)


def public_split() -> Iterator[Trial]:
    """The split of the multi-power paper, size by size."""
    for size in SIZES:
        yield Trial(
            size,
            [public(size, name) for name in PUBLIC_FITTED],
            [(public(size, name), after) for name, after in PUBLIC_HELD_OUT.items()],
            2176,
        )


def peak_fitted(peak: str) -> list[str]:
    """The three runs of a peak that are fitted."""
    return [
        f"124M_constant_peak{peak}_T50000",
        f"124M_cosine-to-10pct_peak{peak}_T25000",
        f"124M_wsd-linear-0.2_peak{peak}_T15000",
    ]


def peak_asked(fitted: list[str], peak: str) -> Trial:
    """Some runs; held out: all others of a peak."""
    held_out = [label for label in schaipp_labels(f"124M_*_peak{peak}_*") if label not in fitted]
    return Trial(
        f"peak {peak}",
        [schaipp(label) for label in fitted],
        [(schaipp(label), decay_start(label)) for label in held_out],
        1000,
    )


def one_peak() -> Iterator[Trial]:
    """Constant, a cosine and a WSD of one peak; held out: all its other runs."""
    for peak in PEAKS:
        yield peak_asked(peak_fitted(peak), peak)


def across_peaks() -> Iterator[Trial]:
    """The same runs of two peaks; held out: every run of the third."""
    for peak in PEAKS:
        fitted = [label for other in PEAKS if other != peak for label in peak_fitted(other)]
        trial = peak_asked(fitted, peak)
        yield replace(trial, name=f"{trial.name} held out")


def one_curve_public() -> Iterator[Trial]:
    """One cosine; held out: the other eight runs of the size."""
    for size in SIZES:
        held_out = [name for name in PUBLIC_ALL if name != "cosine_24000"]
        yield Trial(
            size,
            [public(size, "cosine_24000")],
            [(public(size, name), 0) for name in held_out],
            2176,
        )


def one_curve_schaipp() -> Iterator[Trial]:
    """One long cosine; held out: every other run of its peak."""
    label = "124M_cosine-to-10pct_peak0.001_T50000"
    held_out = [other for other in schaipp_labels("124M_*_peak0.001_*") if other != label]
    yield Trial("peak 0.001", [schaipp(label)], [(schaipp(other), 0) for other in held_out], 1000)


def other_sizes() -> Iterator[Trial]:
    """A constant run and the shortest cosine, whose peak is twice as high; held out: the rest."""
    for size in ("33M", "93M", "209M"):
        labels = schaipp_labels(f"{size}_*")
        cosines = [label for label in labels if "cosine" in label]
        shortest = min(cosines, key=lambda label: int(label.rsplit("_T", 1)[1]))
        fitted = [label for label in labels if "_constant_" in label] + [shortest]
        held_out = [label for label in labels if label not in fitted]
        yield Trial(
            size,
            [schaipp(label) for label in fitted],
            [(schaipp(label), decay_start(label)) for label in held_out],
            1000,
        )


def longer_horizons() -> Iterator[Trial]:
    """Runs of up to 25,000 updates; held out: those of 50,000."""
    for peak in PEAKS:
        constant = f"124M_constant_peak{peak}_T50000"
        fitted = [schaipp(constant).until(25000)]
        fitted += [schaipp(label) for label in peak_fitted(peak) if not label.endswith("T50000")]
        held_out = schaipp_labels(f"124M_*_peak{peak}_T50000")
        yield Trial(
            f"peak {peak}",
            fitted,
            [
                (schaipp(label), 25000 if label == constant else decay_start(label))
                for label in held_out
            ],
            1000,
        )


def no_decay_seen() -> Iterator[Trial]:
    """A constant run only; held out: everything else."""
    for size in SIZES:
        held_out = {**PUBLIC_HELD_OUT, "cosine_24000": 0, "wsdcon_9": 8000}
        yield Trial(
            size,
            [public(size, "constant_24000")],
            [(public(size, name), after) for name, after in held_out.items()],
            2176,
        )
    for peak in PEAKS:
        label = f"124M_constant_peak{peak}_T50000"
        held_out = [other for other in schaipp_labels(f"124M_*_peak{peak}_*") if other != label]
        yield Trial(
            f"peak {peak}",
            [schaipp(label)],
            [(schaipp(other), decay_start(other)) for other in held_out],
            1000,
        )


def sizes() -> Iterator[Trial]:
    """The public split of 25M and 100M, and of 400M the constant run; held out: 400M."""
    fitted = [public(size, name) for size in ("25M", "100M") for name in PUBLIC_FITTED]
    yield Trial(
        "400M",
        [*fitted, public("400M", "constant_24000")],
        [(public("400M", name), after) for name, after in PUBLIC_HELD_OUT.items()],
        2176,
    )


def unseen_size() -> Iterator[Trial]:
    """The public split of two sizes; held out: all runs of the third, of which none is fitted."""
    for size in SIZES:
        fitted = [public(other, name) for other in SIZES if other != size for name in PUBLIC_FITTED]
        yield Trial(size, fitted, [(public(size, name), 0) for name in PUBLIC_ALL], 2176)


def in_progress(name: str, curve: LossCurve, share: float, skip: int | None) -> Trial:
    """The first part of a run; held out: the rest of it."""
    last = int(share * curve.schedule.horizon)
    return Trial(name, [curve.until(last)], [(curve, last)], skip)


def running(share: float) -> Iterator[Trial]:
    """The first part of six cosines; held out: the rest of the same run."""
    runs = [(size, public(size, "cosine_72000"), 2176) for size in SIZES]
    for peak in PEAKS:
        label = f"124M_cosine-to-10pct_peak{peak}_T50000"
        runs.append((f"peak {peak}", schaipp(label), 1000))
    for name, curve, skip in runs:
        yield in_progress(name, curve, share, skip)


def quarter_of_a_cosine() -> Iterator[Trial]:
    """The first 25 % of a cosine and the built-in priors; held out: the rest of the run."""
    yield from running(0.25)


def half_of_a_cosine() -> Iterator[Trial]:
    """The first 50 % of a cosine and the built-in priors; held out: the rest of the run."""
    yield from running(0.5)


def raw(label: str) -> LossCurve:
    """A raw training loss of Schaipp et al.'s set: every 50th or 10th update, not averaged."""
    return read("schaipp_llama_train", label, warmup=300, lr_is="next")


def noisy_log() -> Iterator[Trial]:
    """Raw training losses of a constant run, a cosine and a WSD; held out: their siblings'."""
    fitted = peak_fitted("0.001")
    labels = public_runs.labels("schaipp_llama_train", "124M_*")
    held_out = [label for label in labels if label not in fitted]
    yield Trial(
        "peak 0.001",
        [raw(label) for label in fitted],
        [(raw(label), decay_start(label)) for label in held_out],
        1000,
    )


PROTOCOLS = {
    "public split": public_split,
    "one peak": one_peak,
    "across peaks": across_peaks,
    "one cosine, public": one_curve_public,
    "one cosine, Schaipp": one_curve_schaipp,
    "other sizes": other_sizes,
    "longer horizons": longer_horizons,
    "no decay seen": no_decay_seen,
    "one size from two others": sizes,
    "a size nobody ran": unseen_size,
    "25 % of a cosine": quarter_of_a_cosine,
    "50 % of a cosine": half_of_a_cosine,
    "raw training loss": noisy_log,
}


def missing_for(title: str) -> str:
    """Why a protocol cannot be run, or nothing; each needs one of the large sets at least."""
    if title == "raw training loss":
        return public_runs.missing("schaipp_llama_train")
    return public_runs.missing("schaipp_llama_val") or public_runs.missing("mpl_llama2")
