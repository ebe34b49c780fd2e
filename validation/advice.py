"""Whether the run that `losslaw advise` names would do what it says: expected and real half-widths.

Some runs are fitted, and the final loss of a target they never saw is predicted. *Advice*: the
cheapest run that should halve the interval, and what it costs. *Trial*: no collection has exactly
that run, so runs that it does have are judged beforehand (`losslaw advise --run`), then added and
the fit made anew. Half-widths are of the 90 % interval of the target's final loss; errors are
predicted minus observed, mean of the last three points. The public runs and those that come with
the package; nothing in the advice was chosen on the comparison. *Done*: runs that were named for
the bundled model, and then made (`losslaw lab train -s SPEC`, the curves are in `lab/advice`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from losslaw.advising import advise
from losslaw.curves import LossCurve, bundled_curves, read_curves
from losslaw.fitting import fit
from losslaw.fitting.record import Fit
from losslaw.schedules import parse_schedule
from validation.protocols import public, schaipp

RUNS = Path(__file__).parent / "data" / "lab" / "advice"


@dataclass(frozen=True)
class Case:
    """Runs that are fitted, targets that are held out, runs that are then added in turn."""

    name: str
    fitted: list[LossCurve]
    targets: list[LossCurve]
    added: list[LossCurve]


def cases() -> Iterator[Case]:
    """Constant runs alone, one cosine, and a new peak."""
    for size in ("25M", "100M", "400M"):
        yield Case(
            f"{size}: constant",
            [public(size, "constant_24000")],
            [public(size, "cosine_72000"), public(size, "wsd_20000_24000")],
            [public(size, "wsdcon_9"), public(size, "cosine_24000")],
        )
    yield Case(
        "100M: cosine",
        [public("100M", "cosine_24000")],
        [public("100M", "cosine_72000"), public("100M", "wsd_20000_24000")],
        [public("100M", "wsdcon_9"), public("100M", "constant_24000")],
    )
    for peak in ("0.001", "0.002"):
        yield Case(
            f"124M, {peak}: constant",
            [schaipp(f"124M_constant_peak{peak}_T50000")],
            [
                schaipp(f"124M_wsd-linear-0.2_peak{peak}_T50000"),
                schaipp(f"124M_cosine-to-10pct_peak{peak}_T50000"),
            ],
            [
                schaipp(f"124M_wsd-linear-0.1_peak{peak}_T15000"),
                schaipp(f"124M_wsd-linear-0.4_peak{peak}_T15000"),
            ],
        )
    yield Case(
        "124M: constant, WSD at .001",
        [
            schaipp("124M_constant_peak0.001_T50000"),
            schaipp("124M_wsd-linear-0.2_peak0.001_T15000"),
        ],
        [schaipp("124M_cosine-to-10pct_peak0.002_T50000")],
        [
            schaipp("124M_wsd-linear-0.2_peak0.002_T15000"),
            schaipp("124M_wsd-linear-0.2_peak0.0005_T15000"),
        ],
    )
    bundled = {curve.label: curve for curve in bundled_curves()}
    yield Case(
        "bundled: constant",
        [bundled["constant_peak3e-3_T4000"]],
        [bundled["wsd-linear-0.2_peak3e-3_T4000"], bundled["cosine_peak3e-3_T12000"]],
        [bundled["wsd-1-sqrt-0.2_peak3e-3_T4000"], bundled["cosine_peak3e-3_T4000"]],
    )


@dataclass(frozen=True)
class Ending:
    """The final loss of a target as a fit predicts it: half-width, and error against the run."""

    half_width: float
    error: float

    @property
    def inside(self) -> bool:
        """Whether the interval holds the loss that was measured."""
        return abs(self.error) <= self.half_width


def ending(result: Fit, target: LossCurve) -> Ending:
    """How a fit predicts the end of a run it may not have seen."""
    made = result.predict(target.schedule, target.steps[-3:])
    assert made.upper is not None
    error = float((made.loss - target.loss[-3:]).mean())
    return Ending(float(made.upper[-1] - made.loss[-1]), error)


# What was named, with one bundled constant run, for a target of the bundle.
DONE = {
    "for_wsd_12000": (
        "wsd:peak=0.003,horizon=1250,warmup=100,decay=1-sqrt",
        "wsd-linear-0.2_peak3e-3_T12000",
    ),
    "for_cosine_12000": (
        "wsd:peak=0.003,horizon=1700,warmup=100,cooldown=0.412,decay=1-sqrt,final=0.0003",
        "cosine_peak3e-3_T12000",
    ),
}


def done() -> list[str]:
    """The table of runs that were named and made."""
    rows = [
        "| target | the run | now | expected | obtained | error before | after | inside |",
        "|-|-|-|-|-|-|-|-|",
    ]
    bundled = {curve.label: curve for curve in bundled_curves()}
    constant = bundled["constant_peak3e-3_T4000"]
    before = fit(constant)
    for name, (spec, label) in DONE.items():
        target = bundled[label]
        run = parse_schedule(spec)
        (made,) = read_curves(str(RUNS / f"{name}.csv"), warmup=100, weight_decay=0.1)
        made = made.with_(model_size=constant.model_size)
        expected = advise(constant, target.schedule, runs=[run]).options[0].half_width
        first, last = ending(before, target), ending(fit([constant, made]), target)
        cells = [
            label,
            f"`{spec}`",
            f"{first.half_width:.4f}",
            f"{expected:.4f}",
            f"{last.half_width:.4f}",
            f"{first.error:+.4f}",
            f"{last.error:+.4f}",
            "yes" if last.inside else "no",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def table() -> str:
    """The three tables and a summary."""
    advice = [
        "| fitted | target | now | the run | updates | of target | expected |",
        "|-|-|-|-|-|-|-|",
    ]
    trial = [
        "| fitted | target | added | now | expected | obtained | error before | after | inside |",
        "|-|-|-|-|-|-|-|-|-|",
    ]
    ratios: list[float] = []
    inside: list[bool] = []
    for case in track(list(cases()), description="advice", transient=True):
        before = fit(case.fitted)
        after = [fit([*case.fitted, added]) for added in case.added]
        for target in case.targets:
            # The last loss that was measured is the end that is predicted.
            planned = target.schedule.prefix(int(target.steps[-1]))
            answer = advise(case.fitted, planned)
            if answer.best is None:
                what, price = "no run helps much", ["-", "-", "-"]
            else:
                what = f"`{answer.best.spec}`" + ("" if answer.reached else ", the best there is")
                price = [
                    f"{answer.best.updates:,}",
                    f"{answer.best.share:.1%}",
                    f"{answer.best.half_width:.4f}",
                ]
            cells = [case.name, target.label, f"{answer.half_width:.4f}", what, *price]
            advice.append(f"| {' | '.join(cells)} |")
            first = ending(before, target)
            for added, fitted in zip(case.added, after, strict=True):
                judged = advise(case.fitted, planned, runs=[added.schedule]).options[0]
                last = ending(fitted, target)
                ratios.append(last.half_width / judged.half_width)
                inside.append(last.inside)
                cells = [
                    case.name,
                    target.label,
                    added.label,
                    f"{first.half_width:.4f}",
                    f"{judged.half_width:.4f}",
                    f"{last.half_width:.4f}",
                    f"{first.error:+.4f}",
                    f"{last.error:+.4f}",
                    "yes" if last.inside else "no",
                ]
                trial.append(f"| {' | '.join(cells)} |")
    low, middle, high = np.quantile(ratios, [0.0, 0.5, 1.0])
    summary = (
        f"Obtained over expected half-width: median {middle:.2f}, from {low:.2f} to {high:.2f}, in"
        f" {len(ratios)} trials. The interval after the run holds the target's end in"
        f" {sum(inside)} of them."
    )
    return "\n".join(
        [
            "## Advice",
            "",
            *advice,
            "",
            "## Trial",
            "",
            *trial,
            "",
            summary,
            "",
            "## Done",
            "",
            *done(),
            "",
        ]
    )
