"""What was measured, section by section, and the figure."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

import losslaw as ll
from losslaw.drawing.axes import legend, log_axis, update_axis
from losslaw.drawing.style import (
    FAINT,
    INK,
    SMALL,
    UPDATE,
    cycled,
    dressed,
    new_figure,
    quiet,
    titled,
)
from losslaw.schedules import Schedule
from validation.lab_physics.measure import (
    BASE,
    KAPPA,
    SKIP,
    USUAL_BATCH,
    USUAL_STD,
    USUAL_WIDTH,
    Measured,
    Run,
    constants,
    end_of_law,
    error,
    kappa_at,
    probe,
    rescaled,
    rmse,
    runs,
    several_peaks,
    twin,
)
from validation.lab_physics.train import FAMILIES
from validation.page import markdown, save, sections


def norms() -> list[str]:
    """Squared norms, measured, and the kappa they ask for"""
    head = ("run", "v hidden", "kappa at 250", "500", "1000", "end", "kappa std^2", "off")
    head = (*head, "WSD: v", "predicted", "v outer at 500", "end", "kappa outer at 500", "end")
    body: list[list[str]] = []
    for run in constants():
        kappas = [kappa_at(run, run.hidden, step) for step in (250, 500, 1000, 10**6)]
        first, second = run.norm_terms()
        late = run.curve.steps >= SKIP
        off = run.hidden / (first + kappas[-1] * second) - 1
        cells = [f"{value:.0f}" for value in kappas]
        cells += [
            f"{kappas[-1] * run.config.init_std**2:.2f}",
            f"{np.sqrt(np.mean(off[late] ** 2)):.0%}",
        ]
        cooled = twin(run, "wsd")
        if cooled is None:
            cells += ["", ""]
        else:
            first, second = cooled.norm_terms()
            cells += [f"{cooled.hidden[-1]:.2f}", f"{(first + kappas[-1] * second)[-1]:.2f}"]
        middle = int(np.searchsorted(run.curve.steps, 500))
        cells += [f"{run.outer[middle]:.0f}", f"{run.outer[-1]:.0f}"]
        cells += [f"{kappa_at(run, run.outer, step):.0f}" for step in (500, 10**6)]
        body.append([f"{run.family}/{run.planned.label}", f"{run.hidden[-1]:.2f}", *cells])
    return markdown(head, body)


def pure_noise() -> list[str]:
    """kappa std^2 of Adam (.9, .95) on gradients that are nothing but noise, simulated"""
    body: list[list[str]] = []
    for title, freedom in (("Gaussian", np.inf), ("Student's t, 3 degrees of freedom", 3.0)):
        rng = np.random.default_rng(0)
        updates, weights = 2000, 4000
        m, v, w = np.zeros(weights), np.zeros(weights), np.zeros(weights)
        for k in range(1, updates + 1):
            g = rng.standard_normal(weights)
            if np.isfinite(freedom):
                g /= np.sqrt(rng.chisquare(freedom, weights) / freedom)
            m, v = 0.9 * m + 0.1 * g, 0.95 * v + 0.05 * g**2
            w += m / (1 - 0.9**k) / np.sqrt(v / (1 - 0.95**k))
        grown = w**2 / updates
        body.append([title, f"{grown.mean():.2f} +- {grown.std() / np.sqrt(weights):.2f}"])
    return markdown(("gradients", "kappa std^2"), body)


def powers() -> list[str]:
    """Powers that kappa of the hidden matrices follows, from pairs of constant runs"""
    body: list[list[str]] = []

    def row(what: str, a: Run | None, b: Run | None, ratio: float, shift: float, law: str) -> None:
        if a is None or b is None:
            return
        power = [
            shift
            + np.log(kappa_at(b, b.hidden, step) / kappa_at(a, a.hidden, step)) / np.log(ratio)
            for step in (500, 10**6)
        ]
        pair = f"{a.family}/{a.planned.label}, {b.family}/{b.planned.label}"
        body.append([what, pair, *[f"{value:.2f}" for value in power], law])

    run = runs().get
    pairs = [
        (f"decay_{decay}/constant_3e-3", f"decay_{decay}/constant_6e-3")
        for decay in ("0", "0.03", "0.1", "0.3")
    ]
    pairs += [
        ("peaks_0.1/constant_7.5e-4", "decay_0.1/constant_3e-3"),
        ("decay_0.1/constant_6e-3", "peaks_0.1/constant_1.2e-2"),
        ("peaks_0.1/constant_1.2e-2", "peaks_0.1/constant_2.4e-2"),
    ]
    for low, high in pairs:
        a, b = run(low), run(high)
        if a is not None and b is not None:
            row("rate: p", a, b, b.schedule.peak_lr / a.schedule.peak_lr, 2.0, "2")
    usual = run("decay_0.1/constant_3e-3")
    for std in (0.01, 0.04):
        row("start", usual, run(f"init_{std:g}/constant_3e-3"), std / USUAL_STD, 0.0, "-2")
    for size in (8, 64):
        other = run(f"batch_{size}/constant_3e-3")
        row("batch", usual, other, size / USUAL_BATCH, 0.0, "0")
    for width in (32, 128):
        other = run(f"width_{width}/constant_3e-3")
        row("width", usual, other, width / USUAL_WIDTH, 0.0, "0")
    slow, fast = run("sgd/constant_0.1"), run("sgd/constant_0.3")
    if slow is not None and fast is not None:
        grown = (fast.hidden - 1) / (slow.hidden - 1)
        at = [int(np.searchsorted(slow.curve.steps, 500)), -1]
        cells = [f"{np.log(grown[i]) / np.log(3.0):.2f}" for i in at]
        pair = "sgd/constant_0.1, sgd/constant_0.3"
        body.append(["SGD's rate in v - 1", pair, *cells, "(SGD: 1)"])
    return markdown(("of", "runs", "at 500", "end", "noise-dominated Adam"), body)


LOSS_SHAPES = ("alpha", "h", "a", "q", "r", "L0", "N")


def losses() -> list[str]:
    """Constants from the losses of all AdamW runs of one batch and start, no priors"""
    fitted = several_peaks()
    free: list[tuple[str, tuple[str, ...], dict[str, float]]] = [
        ("as first published here", (), {"kappa": 2000.0, "h": 0.55}),
        ("kappa of the norms, h = 1/2", (), {"kappa": KAPPA}),
        ("the same, p 2.15", (), {"kappa": 2500.0, "p": 2.15}),
        ("h free", ("h",), {"kappa": KAPPA}),
        ("h, kappa free", ("h", "kappa"), {}),
        ("h, r free", ("h", "r"), {"kappa": KAPPA}),
        ("h, a, q free", ("h", "a", "q"), {"kappa": KAPPA}),
        ("a free", ("a",), {"kappa": KAPPA}),
        ("no norm: kappa = h = 0; r free", ("r",), {"kappa": 0.0, "h": 0.0}),
        ("no norm; r, a, q free", ("r", "a", "q"), {"kappa": 0.0, "h": 0.0}),
    ]
    shown = ("kappa", *LOSS_SHAPES)
    body: list[list[str]] = []
    for title, names, fixed in free:
        fit = probe(fitted, *names, **fixed)
        errors = [rmse(fit, run) for run in fitted]
        values = [f"{fit.parameters[name]:.4g}" for name in shown]
        mean = np.sqrt(np.mean(np.square(errors)))
        body.append([title, *values, f"{mean:.4f}", f"{max(errors):.4f}"])
    return markdown(("", *shown, "rmse", "worst run"), body)


def which_norm() -> list[str]:
    """The same runs with the measured norms: e = lr hidden^-h outer^-g"""
    fitted = several_peaks()
    free: list[tuple[str, tuple[str, ...], dict[str, float]]] = [
        ("hidden, h = 1/2", ("r",), {}),
        ("hidden, h free", ("h", "r"), {}),
        ("outer alone", ("g", "r"), {"h": 0.0}),
        ("both", ("h", "g", "r"), {}),
        ("both; a free", ("h", "g", "r", "a"), {}),
        ("both; a, q free", ("h", "g", "r", "a", "q"), {}),
    ]
    body: list[list[str]] = []
    for title, names, fixed in free:
        fit = ll.fit(
            [run.curve for run in fitted],
            Measured,
            free=["alpha", *names],
            fixed=fixed,
            skip=SKIP,
            uncertainty=False,
        )
        errors = [rmse(fit, run) for run in fitted]
        values = [f"{fit.parameters[name]:.3g}" for name in (*LOSS_SHAPES, "g")]
        mean = np.sqrt(np.mean(np.square(errors)))
        body.append([title, *values, f"{mean:.4f}", f"{max(errors):.4f}"])
    return markdown(("", *LOSS_SHAPES, "g", "rmse", "worst run"), body)


def predictions() -> list[str]:
    """Final losses predicted from one constant and one WSD run at peak 3e-3 and decay .1"""
    fitted = [runs()[name] for name in BASE]
    curves = [run.curve for run in fitted]
    fits = {
        **{
            f"`{law}`": ll.fit(curves, law, skip=SKIP, uncertainty=False)
            for law in ("effective", "oneclock")
        },
        "kappa of the norms": probe(fitted, kappa=KAPPA),
        "no norm": probe(fitted, "r", kappa=0.0, h=0.0),
    }
    held_out = [
        run
        for run in runs().values()
        if run.family.startswith(("decay_", "init_", "seeds")) and run not in fitted
    ]
    body: list[list[str]] = []
    errors: list[list[float]] = []

    def row(title: str, run: Run, schedule: Schedule) -> list[float]:
        moved = replace(run, curve=run.curve.with_(schedule=schedule))
        mine = [error(fit, moved) for fit in fits.values()]
        cells = [f"{value:+.4f}" for value in mine]
        cells += [f"{rmse(fit, moved):.4f}" for fit in fits.values()]
        body.append([run.curve.label + title, f"{run.final:.4f}", *cells])
        return mine

    for run in held_out:
        if run.config.init_std != USUAL_STD:
            row("", run, rescaled(run.schedule, run.config.init_std))
            row(", start ignored", run, run.schedule)
            continue
        mine = row("", run, run.schedule)
        if run.family != "seeds":
            errors.append(mine)
    means = [f"{value:.4f}" for value in np.abs(errors).mean(axis=0)]
    body.append(["mean size, decays and peaks", "", *means, *[""] * len(fits)])
    head = [
        "run",
        "observed",
        *[f"{name}: error" for name in fits],
        *[f"{name}: rmse" for name in fits],
    ]
    return markdown(head, body)


def sgd() -> list[str]:
    """SGD with momentum .9, no weight decay: fitted on constant and WSD of the higher peak"""
    family = next((f for f in FAMILIES if f.name == "sgd"), None)
    if family is None or not (mine := [run for run in runs().values() if run.family == "sgd"]):
        return ["(not trained yet)"]
    peak = max(run.schedule.peak_lr for run in mine)
    one_peak = [
        run
        for run in mine
        if run.schedule.peak_lr == peak and run.planned.label.startswith(("constant", "wsd"))
    ]
    still = {"kappa": 0.0, "h": 0.0}
    free: list[tuple[str, list[Run], tuple[str, ...], dict[str, float]]] = [
        ("no norm; r free", one_peak, ("r",), still),
        ("h = 1/2; r, kappa free", one_peak, ("r", "kappa"), {}),
        ("all runs: no norm; r, a, q free", mine, ("r", "a", "q"), still),
        ("all runs: h = 1/2; r, kappa free", mine, ("r", "kappa"), {}),
        ("all runs: r, kappa, h free", mine, ("r", "kappa", "h"), {}),
    ]
    labels = [run.planned.label for run in mine]
    body: list[list[str]] = []
    for title, which, names, fixed in free:
        fit = probe(which, *names, **fixed)
        values = fit.parameters
        body.append(
            [
                title,
                *[f"{values[name]:.3g}" for name in ("alpha", "h", "a", "q", "L0")],
                f"{values['r'] * peak:.3g}",
                f"{values['kappa'] * peak**2:.3g}",
                f"{values['N'] * (1e3 * peak) ** values['a'] / 1e3:.3g}",
                *[f"{error(fit, run):+.4f}" for run in mine],
            ]
        )
    head = (
        "fit",
        "alpha",
        "h",
        "a",
        "q",
        "L0",
        "r peak",
        "kappa peak^2",
        "noise of an update",
        *labels,
    )
    body.append(["observed", *[""] * 8, *[f"{run.final:.4f}" for run in mine]])
    return markdown(head, body)


def batches() -> list[str]:
    """Powers of the batch: progress and forgetting B^c, noise of an update B^-b"""
    body: list[list[str]] = []
    for kind, usual in (("batch", "decay_0.1"), ("sgd_batch", "sgd")):
        groups = {USUAL_BATCH: [r for r in runs().values() if r.family == usual]}
        for size in (8, 64):
            groups[size] = [r for r in runs().values() if r.family == f"{kind}_{size}"]
        groups = {size: group for size, group in groups.items() if group}
        if len(groups) < 2:
            continue
        peaks = {r.schedule.peak_lr for s, g in groups.items() if s != USUAL_BATCH for r in g}
        groups[USUAL_BATCH] = [
            r
            for r in groups[USUAL_BATCH]
            if r.schedule.peak_lr in peaks and r.planned.label.startswith(("constant", "wsd"))
        ]
        sizes = sorted(groups)
        sets = [(USUAL_BATCH, size) for size in sizes if size != USUAL_BATCH and len(sizes) > 2]
        sets.append(tuple(sizes))
        adam = kind == "batch"
        fixed = {"kappa": KAPPA} if adam else {}
        also = () if adam else ("r", "kappa")
        queries: list[tuple[str, tuple[str, ...], dict[str, float]]] = [
            # With c free too, the search for SGD ends in a worse optimum than with c = 0.
            ("c, b free", ("c", "n"), {}) if adam else ("b free", ("n",), {"c": 0.0}),
            ("Adam", (), {"c": 0.5, "n": 1.0}),
            ("SGD", (), {"c": 0.0, "n": 2.0}),
            ("no batch", (), {"c": 0.0, "n": 1.0}),
        ]
        for chosen in sets:
            fitted = [run for size in sorted(chosen) for run in groups[size]]
            for title, names, held in queries if chosen == sets[-1] else queries[:1]:
                fit = probe(fitted, *names, *also, **fixed, **held)
                values = fit.parameters
                errors = np.sqrt(np.mean([rmse(fit, run) ** 2 for run in fitted]))
                body.append(
                    [
                        "AdamW" if adam else "SGD",
                        ", ".join(str(size) for size in sorted(chosen)),
                        title,
                        f"{values['c']:.2f}",
                        f"{values['n'] - 1:+.2f}",
                        f"{errors:.4f}",
                    ]
                )
    return markdown(("optimiser", "batches", "query", "c", "b", "rmse"), body)


def seeds() -> list[str]:
    """What the schedule cannot explain: final losses of two seeds"""
    body: list[list[str]] = []
    for name in BASE:
        other = runs().get(f"seeds/{name.partition('/')[2]}_seed1")
        if other is None:
            continue
        first = runs()[name]
        late = first.curve.steps >= SKIP
        differ = other.curve.loss[late] - first.curve.loss[late]
        body.append(
            [
                first.planned.label,
                f"{first.final:.4f}",
                f"{other.final:.4f}",
                f"{other.final - first.final:+.4f}",
                f"{differ.mean():+.4f}",
                f"{differ.std() / np.sqrt(2):.4f}",
            ]
        )
    head = ("run", "seed 0", "seed 1", "final difference", "mean difference", "scatter of one run")
    return markdown(head, body)


SECTIONS = (norms, pure_noise, powers, losses, which_norm, predictions, sgd, batches, seeds)


def figure() -> Figure:
    """Measured squared norms of the hidden matrices against the law's v[k], with one kappa."""
    drawn = new_figure(7.2, 3.4)
    left, right = map(dressed, drawn.subplots(1, 2))
    for i, decay in enumerate(("0", "0.03", "0.1", "0.3")):
        for peak, face in (("3e-3", None), ("6e-3", "white")):
            run = runs().get(f"decay_{decay}/constant_{peak}")
            if run is None:
                continue
            first, second = run.norm_terms()
            steps, style = run.curve.steps, cycled(i, marks=True)
            points = {**style, "ls": "none", "ms": 3.2, "mew": 0.7}
            points |= {} if face is None else {"mfc": face}
            label = f"decay {decay}, peak {peak}"
            left.plot(steps[1::3], run.hidden[1::3], **points, label=label)
            left.plot(steps, first + KAPPA * second, color=style["color"], ls=style["ls"], lw=1)
    quiet(left, UPDATE, "squared norm relative to the start")
    update_axis(left, 2000)
    log_axis(left, "y")
    titled(left, f"measured (points), v[k] with kappa {KAPPA:.0f}")
    left.set_ylim(bottom=0.12)
    left.legend(loc="lower right", ncols=2, fontsize=SMALL, frameon=False, columnspacing=1.0)
    kinds = {
        "decays and peaks": ("decay_", "seeds"),
        "other starts": ("init_",),
        "other batches": ("batch_",),
    }
    for i, (title, families) in enumerate(kinds.items()):
        chosen = [run for run in runs().values() if run.family.startswith(families)]
        of_law = [end_of_law(run) for run in chosen]
        points = cycled(i, marks=True, ls="none", ms=4, label=f"hidden, {title}")
        right.plot(of_law, [run.hidden[-1] for run in chosen], **points)
    usual = [r for r in runs().values() if r.family.startswith(("decay_", "seeds"))]
    of_law = [end_of_law(run) for run in usual]
    right.plot(of_law, [r.outer[-1] for r in usual], "x", color=FAINT, label="outer, AdamW")
    ends = np.array([5.0, 700.0])
    right.plot(ends, ends, color=INK, lw=0.8)
    quiet(right, f"v at the end, kappa = {KAPPA:.0f} (0.02 / start)$^2$", "measured")
    log_axis(right, "x")
    log_axis(right, "y")
    titled(right, "at the end of every run")
    legend(right, corner="lower right")
    return drawn


def table() -> str:
    """All sections, one after the other; draws the figure too."""
    save(figure(), "lab_norms.png")
    missing = [
        f"{family.name}/{planned.label}"
        for family in FAMILIES
        for planned in family.plan
        if f"{family.name}/{planned.label}" not in runs()
    ]
    first = f"Not there: {', '.join(missing)}. `--train` makes them.\n\n" if missing else ""
    return first + sections(SECTIONS, "lab_physics")
