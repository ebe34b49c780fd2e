"""The report of a fit: what to doubt first, then parameters with their errors, then curves."""

import math

from losslaw.fitting.fit import Fit


def rounded(value: float, error: float | None) -> str:
    """A value with its error and no more digits than it earns.

    >>> rounded(0.54321, 0.012), rounded(47.03, 11.8), rounded(0.5, None)
    ('0.543 ± 0.012', '47 ± 12', '0.5')
    """
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.5g}"
    digits = 1 - math.floor(math.log10(error))
    if digits >= 0:
        return f"{value:.{digits}f} ± {error:.{digits}f}"
    return f"{round(value, digits):.0f} ± {round(error, digits):.0f}"


def report(fit: Fit) -> str:
    """The text of ``print(fit)``."""
    law = fit.law
    unknown = () if fit.uncertainty is None else fit.uncertainty.unknown
    errors = {} if fit.uncertainty is None else fit.uncertainty.parameter_errors(law)
    count = "1 curve" if len(fit.curves) == 1 else f"{len(fit.curves)} curves"
    lines = [f"{law.title} ({law.name}), fitted to {count}"]
    lines += [f"  {sentence}" for sentence in fit.choice]
    if fit.status.converged:
        lines.append("status: converged")
    else:
        lines.append("status: DID NOT CONVERGE, ran out of steps")
    lines += [f"  doubt: {sentence}" for sentence in fit.status.sentences]
    lines += [f"  note: {sentence}" for sentence in fit.notes]
    largest = f" at {fit.sizes[-1].model_size:.4g} parameters" if fit.sizes else ""
    lines += ["", f"parameters{largest}"]
    specs = {**law.shapes(), **law.amplitudes()}
    width = max(len(name) for name in specs)
    for name, spec in specs.items():
        moved = name in fit.free or name in law.amplitudes()
        value = rounded(getattr(law, name), errors.get(name) if moved else None)
        fixed = "" if moved else " (fixed)"
        if name in unknown:
            value = "not determined"
        lines.append(f"  {name:<{width}}  {value}{fixed}  {spec.meaning}")
    changed = {
        name: getattr(law, name)
        for name, default in law.settings().items()
        if getattr(law, name) != default
    }
    lines += [f"  {name} = {value}" for name, value in changed.items()]
    if fit.sizes:
        names = list(law.amplitudes())
        lines += ["", "amplitudes of each model size (shapes follow the law's trends)"]
        for item in fit.sizes:
            values = ", ".join(f"{name} {getattr(item.law, name):.4g}" for name in names)
            lines.append(f"  {item.model_size:.4g}: {values}")
    lines += ["", f"objective {fit.objective:.4g} (sum of Huber losses of the log residuals)"]
    wide = max(len(curve.label) for curve in fit.curves)
    for curve in fit.curves:
        lines.append(
            f"  {curve.label:<{wide}}  {curve.points} points, steps"
            f" {curve.first_step}..{curve.last_step}, rmse {curve.rmse:.4f},"
            f" end {curve.final_error:+.4f}"
        )
    if fit.uncertainty is not None:
        lines.append(
            f"error of the law on schedules left out: about {fit.uncertainty.tau:.4f} nats"
        )
    return "\n".join(lines)
