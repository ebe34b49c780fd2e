"""What the best schedule looks like under the effective-rate law, and what simpler shapes cost.

Fits of the protocols `public split` and `one peak`, each asked for the best schedule at its own
peak and the horizon of its collection, rates not rising. `decay` is the share of the updates after
the rate leaves the peak by a thousandth, `half` and `tenth` the share left when it has fallen to a
half and a tenth, `final` the last rate over the peak. `sd` is the standard deviation of the gain
over the best linear WSD (parameters, and what the two do not share of the law's own error).

The second table has what families at their best settings cost, and usual schedules as they are, in
nats above the free form. Gains of this size are within what the law errs by between schedules: see
[design_gains.md](design_gains.md); 1-sqrt against linear cooldowns is overrated by 0.002 to 0.003
there.
"""

import numpy as np
from matplotlib.figure import Figure

import losslaw as ll
from losslaw.designing import Design
from losslaw.designing.gains import LawGains
from losslaw.drawing.axes import legend
from losslaw.drawing.style import cycled, dressed, named, new_figure, quiet, titled
from losslaw.fitting import fit
from validation.page import save
from validation.protocols import Trial, one_peak, public_split

FAMILIES = ("wsd", "wsd-1-sqrt", "wsd-cosine", "wsd-power", "wsd-1-power", "step", "cosine")
USUAL = ("wsd", "wsd-1-sqrt", "cosine", "cosine-10%", "linear")


def trials() -> list[tuple[Trial, int, int]]:
    """Fits, horizons, warm-ups."""
    return [
        *[(trial, 24_000, 2160) for trial in public_split()],
        *[(trial, 50_000, 300) for trial in one_peak()],
    ]


def left_at(design: Design, level: float) -> float:
    """Share of the updates left when the rate has fallen to ``level`` of the peak."""
    lr = design.schedule.lr
    given = design.task.given
    first = given + int(np.argmax(lr[given:] <= level * lr[given - 1]))
    return 1 - first / lr.size


def table() -> str:
    """Both tables; draws the figure."""
    shapes = [
        "| fit | updates | peak | decay | half | tenth | final | best linear WSD | sd |",
        "|---" * 9 + "|",
    ]
    costs = [
        "| fit | "
        + " | ".join(FAMILIES)
        + " | "
        + " | ".join(f"{name} as is" for name in USUAL)
        + " |",
        "|---" * (1 + len(FAMILIES) + len(USUAL)) + "|",
    ]
    drawn: list[tuple[str, Design, Design]] = []
    for trial, horizon, warmup in trials():
        result = fit(trial.fitted, "effective", skip=trial.skip)
        limits = dict(peak=trial.fitted[0].schedule.peak_lr, warmup=warmup)
        best = ll.design(result, horizon, **limits)
        settings = {name: ll.design(result, horizon, family=name, **limits) for name in FAMILIES}
        linear = settings["wsd"]
        sd = float("nan")
        if result.uncertainty is not None:
            gains = LawGains(result.law, result.uncertainty)
            sd = gains.deviation(best.schedule, linear.schedule)
        peak = best.schedule.peak_lr
        shapes.append(
            f"| {trial.name} | {horizon:,} | {peak:g} | {left_at(best, 0.999):.2f}"
            f" | {left_at(best, 0.5):.3f} | {left_at(best, 0.1):.3f}"
            f" | {best.schedule.final_lr / peak:.3f} | +{linear.loss - best.loss:.4f} | {sd:.4f} |"
        )
        cells = [f"{settings[name].loss - best.loss:+.4f}" for name in FAMILIES]
        cells += [f"{best.baselines[name].gain:+.4f}" for name in USUAL]
        costs.append(f"| {trial.name} | {' | '.join(cells)} |")
        drawn.append((trial.name, best, linear))
    save(drawing(drawn), "design.png")
    return "\n".join([*shapes, "", *costs, ""])


def drawing(designs: list[tuple[str, Design, Design]]) -> Figure:
    """Best schedules against the share of the run that is left, and the best linear WSD."""
    figure = new_figure(7.2, 3.2)
    panel, late = map(dressed, figure.subplots(1, 2))
    for i, (name, best, linear) in enumerate(designs):
        n = best.schedule.horizon
        share = 1 - np.arange(1, n + 1) / n
        rates = best.schedule.lr / best.schedule.peak_lr
        style = cycled(i, lw=1.4)
        panel.plot(1 - share, rates, **style)
        thin = {**style, "lw": 0.6}
        panel.plot(1 - share, linear.schedule.lr / linear.schedule.peak_lr, **thin)
        keep = share > 0
        late.loglog(share[keep], rates[keep], **style, label=named(name))
    quiet(panel, "share of the run done", "learning rate / peak")
    panel.set_xlim(0.4, 1)
    titled(panel, "best, and thin the best linear WSD")
    quiet(late, "share of the run left", "learning rate / peak")
    late.set_xlim(1, 1e-4)
    legend(late)
    return figure
