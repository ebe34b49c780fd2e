"""The report of a design: the shape in words, the loss, what it gains, what to doubt."""

import numpy as np

from losslaw.designing.record import Design
from losslaw.schedules import Schedule


def shape_in_words(schedule: Schedule, given: int) -> str:
    """What the free part of a schedule does, in one sentence.

    >>> from losslaw import wsd
    >>> shape_in_words(wsd(peak=1e-3, horizon=1000, cooldown=0.25, final=1e-4), 0)
    'at 0.001 up to step 750, then down over 250 updates (25.0 % of the run) to 0.0001 (10.0 %)'
    """
    lr, n = schedule.lr, schedule.horizon
    start = lr[given - 1] if given else lr[0]
    top = float(lr[given:].max())
    near = 1e-3 * top
    if float(lr[given:].min()) >= top - near:
        return f"at {top:.4g} to the end"
    first = given + int(np.argmax(np.abs(lr[given:] - start) > near))  # updates before it moves
    if first <= max(given, 1):  # it moves from the first update on
        first = given
    final = f"{lr[-1]:.3g} ({lr[-1] / top:.1%})".replace("%", " %")
    moves = np.abs(np.diff(lr[max(given - 1, 0) :]))
    steps = np.flatnonzero(moves > near)
    if 0 < steps.size <= 8 and moves[steps].sum() > 0.99 * moves.sum():
        updates = steps + max(given, 1)
        jumps = [f"{lr[k]:.3g} after step {k}" for k in updates.tolist()]
        return f"at {start:.4g} up to step {updates[0]}, then {', '.join(jumps)}"
    rises = bool((np.diff(lr[max(given - 1, 0) :]) > near).any())
    share = f"{(n - first) / n:.1%}".replace("%", " %")
    words = "then up and down" if rises else "then down"
    stay = f"at {start:.4g} up to step {first}, " if first > given else ""
    words = words if stay else words.removeprefix("then ")
    rest = int(np.argmax(np.abs(lr[::-1] - lr[-1]) > near)) - 1  # updates at the last rate
    reached = f", reached {rest} updates before the end" if rest > 0.01 * n else ""
    return f"{stay}{words} over {n - first} updates ({share} of the run) to {final}{reached}"


def simple_in_words(design: Design) -> str:
    """The simplest schedule that is as good, and what its simplicity costs."""
    simple = design.simple
    if simple is None:
        return "no schedule of a few knobs is as good"
    text = f": {simple.schedule.spec}" if simple.schedule.spec else ""
    return (
        f"as good within what is known, and simpler: {simple.name}, {simple.cost:+.5f} nats{text}"
    )


def report(design: Design) -> str:
    """The text of ``print(design)``."""
    given = int(design.constraints["given"])
    kind = "free form" if design.family == "free" else f"family {design.family}"
    lines = [
        f"{kind}, {design.schedule.horizon} updates, lowest loss of the {design.law.title}",
        shape_in_words(design.schedule, given),
    ]
    if design.knobs:
        lines.append(", ".join(f"{name} {value:.4g}" for name, value in design.knobs.items()))
    if design.schedule.spec is not None:
        lines.append(design.schedule.spec)
    interval = ""
    if design.lower is not None and design.upper is not None:
        end = f"{design.upper:.4f}" if np.isfinite(design.upper) else "unbounded"
        interval = f"  ({design.level:.0%} interval {design.lower:.4f} .. {end})"
    lines += ["", f"predicted final loss  {design.loss:.5f}{interval}", ""]
    width = max(len(name) for name in design.baselines)
    lines.append(f"{'instead':<{width}}  {'loss':>8}  {'it costs':>8}")
    ordered = sorted(design.baselines.items(), key=lambda pair: pair[1].loss)
    for name, item in ordered:
        line = f"{name:<{width}}  {item.loss:8.5f}  {item.gain:+8.5f}"
        if item.lower is not None and item.upper is not None:
            line += f"  ({item.lower:+.4f} .. {item.upper:+.4f})"
        lines.append(line)
    lines.append("")
    level = [name for name, item in ordered if not item.surely_worse]
    if level:
        lines.append(f"no significant gain over {', '.join(level)}")
    if design.simple is not None and design.simple.name not in level:
        lines.append(simple_in_words(design))
    if design.family == "free" and design.starts:
        agree = sum(start.best for start in design.starts)
        lines.append(
            f"{agree} of {len(design.starts)} starts end in this optimum; to first order, no more"
            f" than {design.room or 0.0:.1g} nats are left"
        )
    lines += [f"note: {sentence}" for sentence in design.sentences]
    lines.append(f"{design.evaluations} losses computed in {design.seconds:.2f} s")
    return "\n".join(lines)
